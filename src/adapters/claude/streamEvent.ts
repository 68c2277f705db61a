/**
 * streamEvent: Claude's `stream_event` lines, the hot path.
 *
 * They are most of what a session prints, so they are read byte by byte: JSON's syntax is ASCII, and a line of valid
 * UTF-8 read as latin1 parses the same, its texts come out as the bytes they were, and written as latin1 they are the
 * original UTF-8 again. Lines with `\u` escapes cannot go this way; they and everything unusual take the Schema's
 * road, and a test compares the two.
 */
import { isUtf8 } from "node:buffer"
import type { BodyOf } from "../../schema/index.js"
import type { CallUsage, StreamEvent } from "./ClaudeMessage.js"

type Event = StreamEvent["event"]

const prefix = Buffer.from("{\"type\":\"stream_event\",\"event\":{")
const escape = Buffer.from("\\u")

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const optionalText = (value: unknown) => value === undefined || value === null || typeof value === "string"
const optionalNumber = (value: unknown) => value === undefined || value === null || typeof value === "number"
const optionalUsage = (value: unknown) =>
  value === undefined || value === null
  || (isObject(value) && optionalNumber(value["input_tokens"]) && optionalNumber(value["output_tokens"])
    && optionalNumber(value["cache_read_input_tokens"]) &&
    optionalNumber(value["cache_creation_input_tokens"]))

const ascii = /^[\x00-\x7f]*$/

/** The same shape the Schema asks for; nothing more is read. A field that comes twice may make it another message. */
const isStreamEvent = (message: unknown): message is StreamEvent => {
  if (!isObject(message) || message["type"] !== "stream_event" || !isObject(message["event"])) return false
  const parent = message["parent_tool_use_id"]
  // Threads are told apart by it, whichever road a line takes.
  if (!optionalText(parent) || (typeof parent === "string" && !ascii.test(parent))) return false
  const { content_block, delta, index, message: started, type, usage } = message["event"]
  return typeof type === "string" && optionalNumber(index) && optionalUsage(usage)
    && (content_block === undefined || content_block === null
      || (isObject(content_block) && typeof content_block["type"] === "string" &&
        optionalText(content_block["id"])))
    && (delta === undefined || delta === null
      || (isObject(delta) && optionalText(delta["type"]) && optionalText(delta["text"])
        && optionalText(delta["thinking"]) && optionalText(delta["partial_json"])))
    && (started === undefined || started === null || (isObject(started) && optionalUsage(started["usage"])))
}

/** A `stream_event` whose texts are latin1 views of UTF-8; undefined for every line that needs a closer look. */
export const readStreamEvent = (line: Buffer): StreamEvent | undefined => {
  if (line.length < prefix.length || prefix.compare(line, 0, prefix.length) !== 0) return undefined
  if (line.includes(escape) || !isUtf8(line)) return undefined
  try {
    const message: unknown = JSON.parse(line.toString("latin1"))
    return isStreamEvent(message) ? message : undefined
  } catch {
    return undefined
  }
}

/** What stream events add up to: which tool call a block belongs to, and how full the context is. */
export interface StreamState {
  /** Tool call ids of the blocks being streamed, by thread and block index. */
  readonly blocks: Map<string, string>
  /** Tokens in the main thread's context after its last model call. */
  context_tokens: number
}

export const makeStreamState = (): StreamState => ({ blocks: new Map(), context_tokens: 0 })

/** Tokens a call put into the context, cached or not. */
export const inputTokensOf = (usage: CallUsage): number =>
  (usage.input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)

const deltas = { text_delta: "text", thinking_delta: "reasoning", input_json_delta: "tool_input" } as const

const pieceOf = (delta: NonNullable<Event["delta"]>): BodyOf<"stream_event"> | undefined => {
  const { type } = delta
  if (type !== "text_delta" && type !== "thinking_delta" && type !== "input_json_delta") return undefined
  const text = type === "text_delta"
    ? delta.text
    : type === "thinking_delta"
    ? delta.thinking
    : delta.partial_json
  return typeof text === "string" ? { type: "stream_event", delta: deltas[type], text } : undefined
}

const nothingNew: BodyOf<"stream_event"> = { type: "stream_event" }

export const translateStreamEvent = (message: StreamEvent, state: StreamState): BodyOf<"stream_event"> => {
  const { event } = message
  const thread = message.parent_tool_use_id ?? ""
  if (event.type === "content_block_delta" && event.delta) {
    const piece = pieceOf(event.delta)
    if (piece === undefined) return nothingNew
    const tool_use_id = piece.delta === "tool_input"
      ? state.blocks.get(`${thread}:${event.index}`)
      : undefined
    return tool_use_id === undefined ? piece : { ...piece, tool_use_id }
  }
  if (event.type === "content_block_start" && event.content_block?.id) {
    const { id } = event.content_block
    // Others could not be told in an event of latin1 views as well as in one of texts. Claude's are ASCII.
    if (ascii.test(id)) state.blocks.set(`${thread}:${event.index}`, id)
    else state.blocks.delete(`${thread}:${event.index}`)
  }
  if (event.type === "message_start") {
    for (const key of state.blocks.keys()) if (key.startsWith(`${thread}:`)) state.blocks.delete(key)
    if (thread === "" && event.message?.usage) state.context_tokens = inputTokensOf(event.message.usage)
  }
  if (event.type === "message_delta" && thread === "" && event.usage?.output_tokens) {
    state.context_tokens += event.usage.output_tokens
  }
  return nothingNew
}
