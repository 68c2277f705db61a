/**
 * Chunk: the chunks of the AI SDK's UI message stream and the messages they form, as far as the relay uses
 * them. The types are structural: a page with the SDK can use them as its own `UIMessageChunk` and
 * `UIMessage`.
 *
 * SDK versions differ: 5 has no approvals; 7 shows answers given elsewhere and prompts sent to a running
 * turn.
 */
export type Dialect = 5 | 6 | 7
/** The dialect of clients that do not report theirs. */
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
 * A message's position in its session's log, in `metadata.relay`. The client returns it with its next
 * request, which continues there: nothing else is kept between requests.
 */
export interface Place {
  readonly session_id: string
  readonly turn: number
  /** The turn's first event. */
  readonly turn_seq: number
  /** The last event covered by the message. */
  readonly seq: number
}
