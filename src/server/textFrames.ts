/**
 * textFrames: encodes a batch as WebSocket text frames (RFC 6455, 5.2) in one buffer, for a single write.
 *
 * `ws` makes two buffers and two writes per frame, which for hundreds of frames in a batch costs more than everything else.
 * A server's frames are not masked: each is a short header and the bytes in the log. A buffer is reused once the system has
 * its bytes, because allocating costs ten times as much as copying, and collecting garbage as much again.
 *
 * This is the hot path: plain functions over bytes, no Effect.
 */
import type { Batch } from "../services/log/frames.js"

/** FIN and opcode 1: a whole text frame. */
const text = 0x81
const closingBrace = 0x7d
/** Buffer sizes are multiples of this, so that a buffer fits again. */
const stepBytes = 64 * 1024
/** Largest buffer that is kept for reuse, and how many are. */
const kept = { bytes: 512 * 1024, buffers: 16 }

const headerSize = (length: number): number => length < 126 ? 2 : length < 65_536 ? 4 : 10

/** Writes a frame's header at `at`; gives where the payload goes. */
const putHeader = (bytes: Buffer, at: number, length: number): number => {
  bytes[at] = text
  if (length < 126) {
    bytes[at + 1] = length
    return at + 2
  }
  if (length < 65_536) {
    bytes[at + 1] = 126
    bytes.writeUInt16BE(length, at + 2)
    return at + 4
  }
  bytes[at + 1] = 127
  bytes.writeBigUInt64BE(BigInt(length), at + 2)
  return at + 10
}

/** Where the sent part of a frame ends. Without `raw`, a closing brace must be added. */
const endOf = ({ ends, raws }: Batch, index: number, withRaw: boolean): number => {
  const raw = withRaw ? -1 : raws[index] ?? -1
  return raw === -1 ? ends[index] ?? 0 : raw
}

export const sizeOf = (batch: Batch, withRaw: boolean): number => {
  let size = 0
  let start = 0
  for (let index = 0; index < batch.ends.length; index++) {
    const frameEnd = batch.ends[index] ?? 0
    const end = endOf(batch, index, withRaw)
    const length = end - start + (end === frameEnd ? 0 : 1)
    size += headerSize(length) + length
    start = frameEnd + 1
  }
  return size
}

/** Writes the frames to the start of `target`, which must have at least `sizeOf` bytes. `withRaw`: include native messages. */
export const putTextFrames = (batch: Batch, withRaw: boolean, target: Buffer): void => {
  let at = 0
  let start = 0
  for (let index = 0; index < batch.ends.length; index++) {
    const frameEnd = batch.ends[index] ?? 0
    const end = endOf(batch, index, withRaw)
    at = putHeader(target, at, end - start + (end === frameEnd ? 0 : 1))
    at += batch.bytes.copy(target, at, start, end)
    if (end !== frameEnd) target[at++] = closingBrace
    start = frameEnd + 1
  }
}

/** Buffers free for reuse, shared by all sockets. */
const idle: Array<Buffer> = []

const take = (size: number): Buffer => {
  const bytes = idle.pop()
  return bytes !== undefined && bytes.length >= size
    ? bytes
    : Buffer.allocUnsafeSlow(Math.ceil(size / stepBytes) * stepBytes)
}

const release = (bytes: Buffer): void => {
  if (bytes.length <= kept.bytes && idle.length < kept.buffers) idle.push(bytes)
}

/** The part of a socket that is used here. `taken` is called when the system has the bytes or never will. */
interface Writable {
  readonly write: (bytes: Buffer, taken: () => void) => unknown
}

/** A batch's frames, and how many sockets still write them. */
interface Encoded {
  readonly batch: Batch
  readonly buffer: Buffer
  readonly frames: Buffer
  writers: number
}

/** The batch encoded last with `raw` and without: all followers of a session get the same one, one after another. */
const latest: { with: Encoded | undefined; without: Encoded | undefined } = {
  with: undefined,
  without: undefined
}

const encode = (batch: Batch, withRaw: boolean): Encoded => {
  const size = sizeOf(batch, withRaw)
  const buffer = take(size)
  putTextFrames(batch, withRaw, buffer)
  return { batch, buffer, frames: buffer.subarray(0, size), writers: 0 }
}

/** Gives a function that writes a batch to this socket. */
export const makeWriter = (socket: Writable, withRaw: boolean) => {
  const form = withRaw ? "with" : "without"
  return (batch: Batch): void => {
    const known = latest[form]
    const encoded = known?.batch === batch ? known : encode(batch, withRaw)
    latest[form] = encoded
    encoded.writers += 1
    socket.write(encoded.frames, () => {
      encoded.writers -= 1
      if (encoded.writers > 0) return
      if (latest[form] === encoded) latest[form] = undefined
      release(encoded.buffer)
    })
  }
}
