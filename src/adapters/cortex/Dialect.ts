/**
 * Dialect: what Snowflake's three services have in common, for the rest of the adapter.
 *
 * None of them keeps a conversation (agents can, in threads, which the relay does not use): every request
 * carries all earlier messages. A `Reader` converts one answer's events to the relay's and collects the
 * result in `Answer`.
 */
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { EventBody, StopReason, Usage } from "../../schema/index.js"
import { firstText, wordsOf } from "../wire/words.js"
import type { Fields } from "./CortexMessage.js"
import type { RequestFailed } from "./RequestFailed.js"

export type Events = ReadonlyArray<EventBody>

/** A message from either side, in the service's block format. */
export interface Message {
  readonly role: "user" | "assistant"
  readonly content: ReadonlyArray<NativeBlock>
}

/** Something the agent needs from us before it continues. */
export interface Ask {
  /** The id clients know it by. */
  readonly tool_use_id: string
  /** The id given by the service. */
  readonly native: string
  readonly tool: string
  readonly type: string | undefined
  readonly args: unknown
  /** The answers it offers; empty if we are to run the tool. */
  readonly options: ReadonlyArray<string>
}

/** What one request has produced so far. */
export interface Answer {
  /** Unique in the session; used to name tool calls that have no id. */
  readonly id: string
  /** The turn it belongs to. */
  readonly turn: string
  /** Content by position. */
  readonly blocks: Map<number, NativeBlock>
  /** Thoughts emitted only as deltas, by position. */
  readonly thoughts: Map<number, string>
  readonly asks: Array<Ask>
  /** `complete`: everything important has arrived, more may follow. `closed`: nothing follows. */
  progress: "open" | "complete" | "closed"
  stop_reason: Exclude<StopReason, "error">
  usage: Usage
  /** Why it is unusable or incomplete. */
  failure: RequestFailed | undefined
  /** The whole answer as repeated by the service, to be sent back with the next prompt. */
  final: ReadonlyArray<NativeBlock> | undefined
  /** Its `assistant_message` is logged. */
  told: boolean
}

export const makeAnswer = (id: string, turn = id): Answer => ({
  id,
  turn,
  blocks: new Map(),
  thoughts: new Map(),
  asks: [],
  progress: "open",
  stop_reason: "end_turn",
  usage: {},
  failure: undefined,
  final: undefined,
  told: false
})

export interface Reader {
  /** Events of a native message, never empty; the last one carries it as `raw`. */
  readonly read: (event: string, message: Fields) => Events
  /** Events due when the answer has ended well. */
  readonly settle: () => Events
}

export interface Dialect {
  readonly path: string
  readonly toBody: (messages: ReadonlyArray<Message>, model: string | undefined) => object
  readonly reader: (answer: Answer) => Reader
  /** The part of an answer to send back with the next prompt. */
  readonly toHistory: (answer: Answer) => ReadonlyArray<NativeBlock>
  /** The answer as plain text, for `response`. */
  readonly toText: (content: ReadonlyArray<NativeBlock>) => string
}

export const inOrder = ({ blocks }: Answer): ReadonlyArray<NativeBlock> =>
  [...blocks].toSorted(([a], [b]) => a - b).map(([, block]) => block)

/** Append a delta to a block's text field. */
export const extend = (answer: Answer, index: number, type: string, field: string, piece: string): void => {
  const block = answer.blocks.get(index)
  const before = block?.[field]
  answer.blocks.set(index, {
    ...block,
    type,
    [field]: (typeof before === "string" ? before : "") + piece
  })
}

/** Reported by events of their own, or not text. */
const isShownApart = ({ type }: NativeBlock) => ["table", "chart", "suggestions"].includes(type)

/** The text of the blocks, as paragraphs. */
export const paragraphs = (content: ReadonlyArray<NativeBlock>): string =>
  content.filter((block) => !isShownApart(block)).map(wordsOf).filter((text) => text !== "").join("\n\n")

/** Thoughts that have not been emitted whole. */
export const pendingThoughts = ({ thoughts }: Answer): Events => {
  const texts = [...thoughts.values()].filter((text) => firstText(text) !== undefined)
  thoughts.clear()
  return texts.map((text) => ({ type: "reasoning", text }))
}

export const status = (
  name: string,
  text?: string,
  metadata?: Readonly<Record<string, unknown>>
): EventBody => ({
  type: "status",
  status: name,
  ...(text !== undefined && { text }),
  ...(metadata !== undefined && { metadata })
})

/** A native delta that shows nothing new. */
export const nothingNew: EventBody = { type: "stream_event" }

/** Merges consecutive messages of one role: some models require alternating roles. */
export const alternating = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const joined: Array<Message> = []
  for (const message of messages) {
    const last = joined.at(-1)
    if (last?.role !== message.role) joined.push(message)
    else joined[joined.length - 1] = { ...last, content: [...last.content, ...message.content] }
  }
  return joined
}
