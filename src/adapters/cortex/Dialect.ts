/**
 * Dialect: what Snowflake's three services have in common, as the rest of the adapter sees them.
 *
 * None of them keeps a conversation (agents do in threads, which we leave alone): every request brings all that was
 * said. A `Reader` turns one answer's events into ours and remembers in `Answer` what they add up to.
 */
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { EventBody, StopReason, Usage } from "../../schema/index.js"
import { wordsOf } from "../wire/words.js"
import type { Fields } from "./CortexMessage.js"
import type { RequestFailed } from "./RequestFailed.js"

export type Events = ReadonlyArray<EventBody>

/** Something said by either side, in the blocks of the service. */
export interface Message {
  readonly role: "user" | "assistant"
  readonly content: ReadonlyArray<NativeBlock>
}

/** What an agent wants of us before it goes on. */
export interface Ask {
  /** What clients call it. */
  readonly tool_use_id: string
  /** The id the service gave it. */
  readonly native: string
  readonly tool: string
  readonly type: string | undefined
  readonly args: unknown
  /** The answers it offers; none if the tool is to be run by us. */
  readonly options: ReadonlyArray<string>
}

/** What one request has brought so far. */
export interface Answer {
  /** Unique in the session: tool calls without an id of their own are named after it. */
  readonly id: string
  /** The turn it is of. */
  readonly turn: string
  /** What was said, by its place. */
  readonly blocks: Map<number, NativeBlock>
  /** Thoughts that were told in pieces only, by their place. */
  readonly thoughts: Map<number, string>
  readonly asks: Array<Ask>
  /** `complete`: all that matters was said, more may follow. `closed`: nothing follows. */
  progress: "open" | "complete" | "closed"
  stop_reason: Exclude<StopReason, "error">
  usage: Usage
  /** Why it is of no use, or not the whole. */
  failure: RequestFailed | undefined
  /** The whole answer as the service repeats it, to be sent back with the next prompt. */
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
  /** Events of a native message, never none; the last is the one that keeps it as `raw`. */
  readonly read: (event: string, message: Fields) => Events
  /** Events that are due when the answer has ended well. */
  readonly settle: () => Events
}

export interface Dialect {
  readonly path: string
  readonly toBody: (messages: ReadonlyArray<Message>, model: string | undefined) => object
  readonly reader: (answer: Answer) => Reader
  /** What of an answer is sent back with the next prompt. */
  readonly toHistory: (answer: Answer) => ReadonlyArray<NativeBlock>
  /** The answer as plain text, for `response`. */
  readonly toText: (content: ReadonlyArray<NativeBlock>) => string
}

export const inOrder = ({ blocks }: Answer): ReadonlyArray<NativeBlock> =>
  [...blocks].toSorted(([a], [b]) => a - b).map(([, block]) => block)

/** Add a piece to the text field of a block. */
export const extend = (answer: Answer, index: number, type: string, field: string, piece: string): void => {
  const block = answer.blocks.get(index)
  const before = block?.[field]
  answer.blocks.set(index, {
    ...block,
    type,
    [field]: (typeof before === "string" ? before : "") + piece
  })
}

/** Told by events of their own, or for eyes that see more than text. */
const isShownApart = ({ type }: NativeBlock) => ["table", "chart", "suggestions"].includes(type)

/** What the blocks say, as paragraphs. */
export const paragraphs = (content: ReadonlyArray<NativeBlock>): string =>
  content.filter((block) => !isShownApart(block)).map(wordsOf).filter((text) => text !== "").join("\n\n")

/** Thoughts nobody has told whole. */
export const pendingThoughts = ({ thoughts }: Answer): Events => {
  const texts = [...thoughts.values()]
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

/** A native streaming piece that shows nothing new. */
export const nothingNew: EventBody = { type: "stream_event" }

/** Messages of one role in a row become one: some models insist on taking turns. */
export const alternating = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const joined: Array<Message> = []
  for (const message of messages) {
    const last = joined.at(-1)
    if (last?.role !== message.role) joined.push(message)
    else joined[joined.length - 1] = { ...last, content: [...last.content, ...message.content] }
  }
  return joined
}
