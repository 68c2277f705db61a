/**
 * frames: the bytes of events, made once and then copied.
 *
 * A batch is ndjson: frames one after another, each ending in a newline. The same bytes serve sockets (frame by frame),
 * journals and transcripts (whole), and the log. `raw`, the native message, is always a frame's last field, and its offset is
 * kept, so that leaving it out for a client needs no parsing.
 *
 * This is the hot path: plain functions over bytes, no Effect.
 */
import type { Encoding } from "../../adapters/Adapter.js"

export interface Batch {
  /** `seq` of the first frame; those after it have no gaps. */
  readonly firstSeq: number
  readonly bytes: Buffer
  /** The offset of each frame's newline. */
  readonly ends: ReadonlyArray<number>
  /** The offset of each frame's `,"raw":`, or -1. */
  readonly raws: ReadonlyArray<number>
}

/** Bytes that many frames share, in ASCII. The frame's `seq` follows `before`. */
export interface Envelope {
  readonly before: Uint8Array
  /** `ts` up to the decimal point. */
  readonly second: Uint8Array
  readonly decimals: Uint8Array
  readonly after: Uint8Array
}

/** A frame before it is encoded. Parts that many frames share are already bytes. */
export interface Draft {
  /** JSON text of the event up to `text` and `rest`. */
  readonly head: string | Uint8Array
  readonly encoding: Encoding
  /** A JSON string, to be the event's `text`. */
  readonly text: Uint8Array | undefined
  /** JSON text of the fields that follow, the envelope's among them, each with its comma before it; ASCII. */
  readonly rest: string | Envelope
  readonly raw: Uint8Array | undefined
}

const textField = Buffer.from(",\"text\":")
const rawField = Buffer.from(",\"raw\":")
const closing = Buffer.from("}\n")

/** Writes a few bytes at `at` and gives the next offset. Cheaper than a call into native code. */
const put = (bytes: Buffer, at: number, few: Uint8Array): number => {
  for (let index = 0; index < few.length; index++) bytes[at + index] = few[index] as number // within the array
  return at + few.length
}

const zero = 0x30

const digitsOf = (seq: number): number => {
  let digits = 1
  for (let limit = 10; limit <= seq; limit *= 10) digits += 1
  return digits
}

const putNumber = (bytes: Buffer, at: number, seq: number): number => {
  const end = at + digitsOf(seq)
  for (let place = end - 1, left = seq; place >= at; place--) {
    bytes[place] = zero + left % 10
    left = Math.floor(left / 10)
  }
  return end
}

const sizeOfEnvelope = ({ after, before, decimals, second }: Envelope, seq: number): number =>
  before.length + digitsOf(seq) + second.length + decimals.length + after.length

/** Writes the envelope; gives the offset after it. */
const putEnvelope = (bytes: Buffer, at: number, { after, before, decimals, second }: Envelope, seq: number) =>
  put(bytes, put(bytes, put(bytes, putNumber(bytes, put(bytes, at, before), seq), second), decimals), after)

const sizeOf = ({ encoding, head, raw, rest, text }: Draft, seq: number): number =>
  (typeof head !== "string" || encoding === "latin1" ? head.length : Buffer.byteLength(head))
  + (text === undefined ? 0 : textField.length + text.length)
  + (typeof rest === "string" ? rest.length : sizeOfEnvelope(rest, seq))
  + (raw === undefined ? 0 : rawField.length + raw.length)
  + closing.length

export const encodeBatch = (firstSeq: number, drafts: ReadonlyArray<Draft>): Batch => {
  let size = 0
  let seq = firstSeq
  for (const draft of drafts) size += sizeOf(draft, seq++)
  const bytes = Buffer.allocUnsafe(size)
  // Allocated at its final length: pushing would reserve room for 16 more.
  const ends = new Array<number>(drafts.length)
  const raws = new Array<number>(drafts.length)
  let at = 0
  seq = firstSeq
  for (const { encoding, head, raw, rest, text } of drafts) {
    const index = seq - firstSeq
    at = typeof head === "string" ? at + bytes.write(head, at, encoding) : put(bytes, at, head)
    if (text !== undefined) {
      at = put(bytes, at, textField)
      bytes.set(text, at)
      at += text.length
    }
    at = typeof rest === "string"
      ? at + bytes.write(rest, at, "latin1")
      : putEnvelope(bytes, at, rest, seq)
    seq += 1
    raws[index] = raw === undefined ? -1 : at
    if (raw !== undefined) {
      at = put(bytes, at, rawField)
      bytes.set(raw, at)
      at += raw.length
    }
    at = put(bytes, at, closing)
    ends[index] = at - 1
  }
  return { firstSeq, bytes, ends, raws }
}

export const lastSeqOf = (batch: Batch): number => batch.firstSeq + batch.ends.length - 1

const startOf = (batch: Batch, index: number): number => index === 0 ? 0 : (batch.ends[index - 1] ?? 0) + 1

const brace = Buffer.from("}")

/** One frame, with or without its native message. With it, the result is a view and nothing is copied. */
export const frameAt = (batch: Batch, index: number, withRaw = true): Buffer => {
  const start = startOf(batch, index)
  const raw = withRaw ? -1 : batch.raws[index] ?? -1
  return raw === -1
    ? batch.bytes.subarray(start, batch.ends[index])
    : Buffer.concat([batch.bytes.subarray(start, raw), brace])
}

/** The frames of a batch with a greater `seq`, as a view. */
export const after = (batch: Batch, seq: number): Batch => {
  const skip = seq - batch.firstSeq + 1
  if (skip <= 0) return batch
  const start = startOf(batch, skip)
  return {
    firstSeq: batch.firstSeq + skip,
    bytes: batch.bytes.subarray(start),
    ends: batch.ends.slice(skip).map((end) => end - start),
    raws: batch.raws.slice(skip).map((raw) => raw === -1 ? -1 : raw - start)
  }
}

/** The text of every frame, for readers that parse. */
export const textsOf = (batch: Batch): ReadonlyArray<string> =>
  batch.ends.map((end, index) => batch.bytes.toString("utf8", startOf(batch, index), end))
