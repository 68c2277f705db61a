/**
 * Segment: one file of a journal, append-only ndjson, named by the `seq` of its first frame.
 *
 * Reading it needs no parsing: a frame's `seq` is its line's place, and every few KiB the index remembers where one is.
 * All calls are synchronous: what was appended is the operating system's before anybody is told of it, so that a relay
 * that is killed has shown nothing that is not in the file.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs"
import { join } from "node:path"
import { type Batch, lastSeqOf } from "./frames.js"

export interface Segment {
  readonly file: string
  readonly first: number
  last: number
  size: number
  /** Places of some frames, ascending: `[seq, offset]`. The first is always there. */
  readonly index: Array<readonly [seq: number, offset: number]>
  /** Open while it is in use. */
  fd: number | undefined
}

const indexEvery = 32 * 1024
const readBytes = 256 * 1024
const newline = 10

const nameOf = (first: number) => `${String(first).padStart(12, "0")}.ndjson`

/** The first `seq` of a segment's file; undefined for files that are none. */
export const firstOf = (name: string): number | undefined => {
  const digits = /^(\d{12,})\.ndjson$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

const fdOf = (segment: Segment): number => (segment.fd ??= openSync(segment.file, "a+", 0o600))

export const close = (segment: Segment): void => {
  if (segment.fd !== undefined) closeSync(segment.fd)
  segment.fd = undefined
}

const remember = (segment: Segment, seq: number, offset: number): void => {
  const last = segment.index.at(-1)
  if (last === undefined || offset - last[1] >= indexEvery) segment.index.push([seq, offset])
}

export const create = (folder: string, first: number): Segment => ({
  file: join(folder, nameOf(first)),
  first,
  last: first - 1,
  size: 0,
  index: [],
  fd: undefined
})

/** Write a batch at the end. Throws what the disk says; nothing of the batch is in the file then. */
export const append = (segment: Segment, batch: Batch): void => {
  const fd = fdOf(segment)
  try {
    for (let written = 0; written < batch.bytes.length;) written += writeSync(fd, batch.bytes, written)
  } catch (cause) {
    ftruncateSync(fd, segment.size)
    throw cause
  }
  remember(segment, batch.firstSeq, segment.size)
  segment.size += batch.bytes.length
  segment.last = lastSeqOf(batch)
}

const bytesAt = (segment: Segment, offset: number, length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, segment.size - offset)))
  let filled = 0
  while (filled < bytes.length) {
    const read = readSync(fdOf(segment), bytes, filled, bytes.length - filled, offset + filled)
    if (read === 0) break
    filled += read
  }
  return bytes.subarray(0, filled)
}

/** Where `raw` begins in a frame. It follows the envelope, which names the frame's own `seq`. */
const rawAt = (bytes: Buffer, start: number, end: number, seq: number): number => {
  const envelope = bytes.indexOf(`,"seq":${seq},"ts":`, start)
  const raw = envelope === -1 || envelope > end ? -1 : bytes.indexOf(",\"raw\":", envelope)
  return raw === -1 || raw > end ? -1 : raw
}

const placeOf = (segment: Segment, seq: number): readonly [number, number] =>
  segment.index.findLast(([indexed]) => indexed <= seq) ?? [segment.first, 0]

/** Some of the frames after `seq`; at least one, if there is one. */
export const read = (segment: Segment, seq: number): Batch | undefined => {
  if (segment.last <= seq) return undefined
  let [at, offset] = placeOf(segment, seq + 1)
  for (let length = readBytes;; length *= 2) {
    const bytes = bytesAt(segment, offset, length)
    const starts: Array<number> = []
    const ends: Array<number> = []
    let start = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      remember(segment, at, offset + start)
      if (at > seq) {
        starts.push(start)
        ends.push(end)
      }
      at += 1
      start = end + 1
    }
    const begin = starts[0]
    if (begin !== undefined) {
      const first = at - ends.length
      return {
        firstSeq: first,
        bytes: bytes.subarray(begin, start),
        ends: ends.map((end) => end - begin),
        raws: ends.map((end, index) => {
          const raw = rawAt(bytes, starts[index] ?? 0, end, first + index)
          return raw === -1 ? -1 : raw - begin
        })
      }
    }
    if (bytes.length < length) return undefined
    ;[at, offset] = placeOf(segment, seq + 1)
  }
}

const seqOf = (line: string): number | undefined => {
  try {
    const { seq } = JSON.parse(line) as { readonly seq?: unknown }
    return typeof seq === "number" ? seq : undefined
  } catch {
    return undefined
  }
}

/**
 * Open a file that is there. A torn tail (the relay or the machine died while writing) is cut off, line by line until
 * one is whole.
 */
export const open = (folder: string, first: number): Segment => {
  const segment = create(folder, first)
  const fd = fdOf(segment)
  segment.size = fstatSync(fd).size
  const bytes = bytesAt(segment, 0, segment.size)
  let end = bytes.lastIndexOf(newline)
  while (end !== -1) {
    const start = bytes.lastIndexOf(newline, end - 1) + 1
    const seq = end === 0 ? undefined : seqOf(bytes.toString("utf8", start, end))
    if (seq !== undefined) {
      segment.last = seq
      break
    }
    end = start - 1
  }
  if (end + 1 < segment.size) ftruncateSync(fd, end + 1)
  segment.size = end + 1
  return segment
}
