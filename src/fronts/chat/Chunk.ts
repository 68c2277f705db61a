/**
 * Chunk: what the AI SDK's UI message stream is made of, and the messages it leads to, as far as the relay uses them.
 * Structural: a page that has the SDK takes these for its own `UIMessageChunk` and `UIMessage`.
 *
 * Its versions differ: 5 knows no approvals, 7 tells answers given elsewhere and prompts handed to a running turn.
 */
export type Dialect = 5 | 6 | 7
/** The one of clients that do not say theirs. */
export const usualDialect: Dialect = 6

export interface Chunk {
  readonly type: string
  readonly [field: string]: unknown
}

export interface Part {
  readonly type: string
  readonly [field: string]: unknown
}

export interface UIMessage {
  readonly id: string
  readonly role: "user" | "assistant"
  /** `relay`: see `Place`. */
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly parts: ReadonlyArray<Part>
}

/**
 * Where a message stands in its session's log, in `metadata.relay`. The client sends it back with its next request, which
 * goes on there: nothing else is kept between requests.
 */
export interface Place {
  readonly session_id: string
  readonly turn: number
  /** The turn's first event. */
  readonly turn_seq: number
  /** The last event the message tells of. */
  readonly seq: number
}
