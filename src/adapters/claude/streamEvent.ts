/**
 * streamEvent: Claude's `stream_event` lines, the hot path.
 *
 * Deltas are most of what a session prints, and Claude prints them in one shape. A line of that shape is read
 * in place (`jsonBytes.ts`): it is checked completely but not decoded, and the delta goes into the event as
 * its original bytes. Every other line goes through the Schema; a test compares the two.
 */
import { isUtf8 } from "node:buffer"
import type { BodyOf } from "../../schema/index.js"
import type { CallIds } from "../wire/CallIds.js"
import { afterString, standsAt } from "../wire/jsonBytes.js"
import type { CallUsage, StreamEvent } from "./ClaudeMessage.js"
import { makeUnfinishedText, toJsonText, type UnfinishedText } from "./unfinishedText.js"

type Event = StreamEvent["event"]

/** A delta of a block, read in place. */
export interface Piece {
  readonly delta: "text" | "reasoning" | "tool_input"
  /** Index of its block. */
  readonly index: number
  /** The tool call in whose thread it was said. */
  readonly parent: string | undefined
  /** A JSON string with its quotes; a view into the line. */
  readonly text: Buffer
}

const beforeIndex = Buffer.from(
  "{\"type\":\"stream_event\",\"event\":{\"type\":\"content_block_delta\",\"index\":"
)
const kinds = [
  { delta: "text", before: Buffer.from(",\"delta\":{\"type\":\"text_delta\",\"text\":") },
  { delta: "tool_input", before: Buffer.from(",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":") },
  { delta: "reasoning", before: Buffer.from(",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":") }
] as const
const afterDelta = Buffer.from("}}")
const parentField = Buffer.from("\"parent_tool_use_id\":")
/** Fields after the event that can be ignored if their value is a string or null. */
const idleFields = [Buffer.from("\"session_id\":"), Buffer.from("\"uuid\":")]
const nothing = Buffer.from("null")

const zero = 0x30
const nine = 0x39
const comma = 0x2c
const closingBrace = 0x7d

const afterValue = (line: Buffer, at: number): number =>
  standsAt(line, at, nothing) ? at + nothing.length : afterString(line, at)

/** Text that needs no decoding, or undefined. It identifies threads, whichever way a line is read. */
const plain = (line: Buffer, start: number, end: number): string | undefined => {
  const text = line.toString("latin1", start, end)
  return /^[ -[\]-~]*$/.test(text) ? text : undefined
}

// Loops instead of `find`: a closure per line would create as much garbage as everything kept of it.
const kindAt = (line: Buffer, at: number) => {
  for (const kind of kinds) if (standsAt(line, at, kind.before)) return kind
  return undefined
}
const idleFieldAt = (line: Buffer, at: number) => {
  for (const field of idleFields) if (standsAt(line, at, field)) return field
  return undefined
}

/** The delta; undefined for every line that does not have exactly this shape. */
export const readPiece = (line: Buffer): Piece | undefined => {
  if (!standsAt(line, 0, beforeIndex)) return undefined
  let at = beforeIndex.length
  // There are few blocks: an index of more than one digit is read through the Schema.
  const digit = line[at] ?? 0
  if (digit < zero || digit > nine) return undefined
  at += 1
  const kind = kindAt(line, at)
  if (kind === undefined) return undefined
  const start = at + kind.before.length
  const end = afterString(line, start)
  if (end === -1 || !standsAt(line, end, afterDelta)) return undefined
  at = end + afterDelta.length

  let parent: string | undefined
  let isParentKnown = false
  while (line[at] === comma) {
    at += 1
    const isParent = standsAt(line, at, parentField)
    const field = isParent ? parentField : idleFieldAt(line, at)
    if (field === undefined) return undefined
    const value = at + field.length
    at = afterValue(line, value)
    if (at === -1) return undefined
    if (!isParent) continue
    if (isParentKnown) return undefined
    isParentKnown = true
    if (line[value] === nothing[0]) continue
    parent = plain(line, value + 1, at - 1)
    // An empty name is no thread.
    if (parent === undefined || parent === "") return undefined
  }
  if (line[at] !== closingBrace || at !== line.length - 1 || !isUtf8(line)) return undefined
  return { delta: kind.delta, index: digit - zero, parent, text: line.subarray(start, end) }
}

const ascii = /^[\x00-\x7f]*$/

/** State accumulated from stream events: the tool call of each block, context usage and unfinished text. */
export interface StreamState {
  /** Ids clients know tool calls by. */
  readonly ids: CallIds
  /** Tool call ids of the blocks being streamed, by thread and block index. */
  readonly blocks: Map<string, string>
  /** Tokens in the main thread's context after its last model call. */
  context_tokens: number
  readonly unfinished: UnfinishedText
  /** Events for deltas of subagent threads without their text, by the id of the call that started the subagent. */
  readonly threads: Map<string, PieceEvents>
}

export const makeStreamState = (ids: CallIds): StreamState => ({
  ids,
  blocks: new Map(),
  context_tokens: 0,
  unfinished: makeUnfinishedText(),
  threads: new Map()
})

/** Tokens a call put into the context, cached or not. */
export const inputTokensOf = (usage: CallUsage): number =>
  (usage.input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)

type PieceEvents = Readonly<Record<Piece["delta"], BodyOf<"stream_event">>>

const pieceEvents: PieceEvents = {
  text: { type: "stream_event", delta: "text" },
  reasoning: { type: "stream_event", delta: "reasoning" },
  tool_input: { type: "stream_event", delta: "tool_input" }
}

/** A subagent's events name the tool call that started it. */
const eventsOfThread = (parent: string | undefined, { ids, threads }: StreamState): PieceEvents => {
  if (parent === undefined) return pieceEvents
  const parent_tool_use_id = ids.of(parent)
  const known = threads.get(parent_tool_use_id)
  if (known !== undefined) return known
  const metadata = { parent_tool_use_id }
  const events: PieceEvents = {
    text: { ...pieceEvents.text, metadata },
    reasoning: { ...pieceEvents.reasoning, metadata },
    tool_input: { ...pieceEvents.tool_input, metadata }
  }
  // Threads are few.
  if (threads.size >= 100) threads.clear()
  threads.set(parent_tool_use_id, events)
  return events
}

/** The event of a delta without its text. */
export const toPieceEvent = ({ delta, index, parent }: Piece, state: StreamState): BodyOf<"stream_event"> => {
  const event = eventsOfThread(parent, state)[delta]
  const tool_use_id = delta === "tool_input" ? state.blocks.get(`${parent ?? ""}:${index}`) : undefined
  return tool_use_id === undefined ? event : { ...event, tool_use_id }
}

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

const inThread = (parent: string | undefined, { ids }: StreamState) =>
  parent === undefined ? {} : { metadata: { parent_tool_use_id: ids.of(parent) } }

export const translateStreamEvent = (message: StreamEvent, state: StreamState): BodyOf<"stream_event"> => {
  const { event, parent_tool_use_id: parent } = message
  const thread = parent ?? ""
  const origin = inThread(parent, state)
  const nothingNew: BodyOf<"stream_event"> = { type: "stream_event", ...origin }
  if (event.type === "content_block_delta" && event.delta) {
    const piece = pieceOf(event.delta)
    if (piece === undefined) return nothingNew
    if (piece.delta !== "tool_input") {
      state.unfinished.add(
        piece.delta === "text" ? "text" : "reasoning",
        parent,
        toJsonText(piece.text ?? "")
      )
      return { ...piece, ...origin }
    }
    const tool_use_id = state.blocks.get(`${thread}:${event.index}`)
    return { ...piece, ...origin, ...(tool_use_id !== undefined && { tool_use_id }) }
  }
  if (event.type === "content_block_start" && event.content_block?.id) {
    const { id } = event.content_block
    // Spliced later, where only ASCII is allowed. Claude's ids are ASCII.
    if (ascii.test(id)) state.blocks.set(`${thread}:${event.index}`, state.ids.announce(id, thread))
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
