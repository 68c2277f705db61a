/**
 * teller: converts a stretch, from a prompt or the client's position until the turn ends or asks, to the chunks of one answer.
 * Runs in pages (`WebSocketChatTransport`) and in the relay (`Chat.ts`).
 */
import type { Ending, Item } from "../stretch.js"
import type { Chunk, Dialect } from "./Chunk.js"
import * as Encoder from "./encode.js"

/** Merges consecutive chunks of the same text. */
export const joined = (chunks: ReadonlyArray<Chunk>): ReadonlyArray<Chunk> => {
  const few: Array<Chunk> = []
  /** The last chunk, if it is our own copy. */
  let grown: { type: string; id: unknown; delta: string } | undefined
  for (const chunk of chunks) {
    const { delta, id, type } = chunk
    if (typeof delta !== "string") {
      grown = undefined
      few.push(chunk)
    } else if (grown !== undefined && grown.id === id && grown.type === type) grown.delta += delta
    else few.push(grown = { type, id, delta })
  }
  return few
}

/**
 * Chunks that end an SDK stream. If the stream continues anyway, only their information about the message is
 * kept.
 */
const lasts = new Set(["finish", "abort", "error"])
const withoutEnd = (chunk: Chunk): ReadonlyArray<Chunk> =>
  !lasts.has(chunk.type)
    ? [chunk]
    : chunk["messageMetadata"] === undefined
    ? []
    : [{ type: "message-metadata", messageMetadata: chunk["messageMetadata"] }]

export interface TellerOptions {
  readonly session_id: string
  readonly dialect: Dialect
  /** Sent first. */
  readonly before?: ReadonlyArray<Chunk>
  /** The client continues the message it has; otherwise it begins another one. */
  readonly goesOn: boolean
}

export type End =
  | Exclude<Ending, { readonly type: "refused" }>
  | { readonly type: "refused"; readonly seq: number; readonly error: { readonly message: string } }

export interface Teller {
  /** `isLast`: the stretch ends with these. */
  readonly next: (items: ReadonlyArray<Item>, isLast: boolean) => ReadonlyArray<Chunk>
  /** After the last items. */
  readonly end: (ending: End) => ReadonlyArray<Chunk>
}

export const make = ({ before = [], dialect, goesOn, session_id }: TellerOptions): Teller => {
  const encoder = Encoder.make({ dialect, session_id })
  let turn_seq = 0
  let isBegun = false

  /** One message per answer, even if it covers two turns. */
  const onceBegun = (chunk: Chunk): ReadonlyArray<Chunk> => {
    if (chunk.type !== "start" || !isBegun) return [chunk]
    return [{ type: "message-metadata", messageMetadata: chunk["messageMetadata"] }]
  }
  const begin = (seq: number): ReadonlyArray<Chunk> => {
    if (isBegun) return []
    isBegun = true
    const fresh = turn_seq === 0 ? `s-${seq}` : `${Encoder.messageIdOf(turn_seq)}-${seq}`
    return [...encoder.resume(goesOn ? undefined : fresh), ...before]
  }

  const next: Teller["next"] = (items, isLast) => {
    const chunks: Array<Chunk> = []
    for (const { known, op, seq, ts } of items) {
      if (op.type === "turn_start") turn_seq = op.seq
      // Parts already open when the client connects are begun for it, unless they are finished.
      const isTold = !known && (isBegun || op.type !== "end")
      if (isTold && (op.type !== "turn_start" || goesOn)) chunks.push(...begin(seq))
      const told = encoder.encode(op, { seq, ts })
      if (!isTold) continue
      const isEnd = op.type !== "turn_end" || isLast
      chunks.push(...told.flatMap(onceBegun).flatMap(isEnd ? (chunk) => [chunk] : withoutEnd))
      if (op.type === "turn_start") isBegun = true
    }
    return joined(chunks)
  }

  const end: Teller["end"] = (ending) => {
    switch (ending.type) {
      case "turn_end":
      case "session_end":
        return []
      case "asked":
        return [...begin(ending.seq), ...encoder.pause(ending.asks, ending.seq)]
      case "refused":
        return [...begin(ending.seq), { type: "error", errorText: ending.error.message }]
      case "idle": {
        const messageMetadata = { relay: { seq: ending.seq } }
        return [...begin(ending.seq), { type: "finish", finishReason: "stop", messageMetadata }]
      }
    }
  }

  return { next, end }
}
