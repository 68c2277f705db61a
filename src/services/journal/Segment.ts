/**
 * Segment: one file of a journal, append-only ndjson, named after the `seq` of its first frame.
 *
 * Reading needs no parsing: a frame's `seq` follows from its line, and the index has an offset every few KiB. In a file that
 * something else has damaged, lines that are no frames are left out. Frames are handed to the operating system before any client
 * sees them, so a relay that is killed has shown nothing that is not in the file.
 */
import {
  close as closeFile,
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
  writev
} from "node:fs"
import { join } from "node:path"
import { type Batch, lastSeqOf } from "../log/frames.js"

export interface Segment {
  readonly file: string
  readonly first: number
  last: number
  /** Bytes of complete frames. Anything beyond is left from a failed write and gets overwritten. */
  size: number
  /** Offsets of some frames, ascending: `[seq, offset]`. */
  readonly index: Array<readonly [seq: number, offset: number]>
  /** Open while it is written. */
  fd: number | undefined
  /** Lines are damaged, missing or repeated, so that each frame's own `seq` has to be read. */
  isDamaged: boolean
}

const indexEvery = 32 * 1024
const readBytes = 256 * 1024
/** Bytes at the end of a file in which to look for the last complete frame first. */
const tailBytes = 16 * 1024
const newline = 10

const nameOf = (first: number) => `${String(first).padStart(12, "0")}.ndjson`

/** The first `seq` in a segment's file, from its name; undefined for other files. */
export const firstOf = (name: string): number | undefined => {
  const digits = /^(\d{12,})\.ndjson$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** Uses a segment's file, opening it if necessary. */
const withFile = <A>({ fd, file }: Segment, use: (fd: number) => A): A => {
  if (fd !== undefined) return use(fd)
  const opened = openSync(file, "r")
  try {
    return use(opened)
  } finally {
    closeSync(opened)
  }
}

export const empty = (folder: string, first: number): Segment => ({
  file: join(folder, nameOf(first)),
  first,
  last: first - 1,
  size: 0,
  index: [],
  fd: undefined,
  isDamaged: false
})

/** A file that is followed by another one, so it is complete. */
export const whole = (folder: string, first: number, last: number): Segment => {
  const segment = empty(folder, first)
  const stats = statSync(segment.file)
  // Opening a pipe would wait for its writer.
  if (!stats.isFile()) throw new Error(`${segment.file} is not a regular file`)
  return Object.assign(segment, { last, size: stats.size })
}

const bytesAt = (fd: number, { size }: Segment, offset: number, length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)))
  let filled = 0
  while (filled < bytes.length) {
    const read = readSync(fd, bytes, filled, bytes.length - filled, offset + filled)
    if (read === 0) break
    filled += read
  }
  return bytes.subarray(0, filled)
}

const seqOf = (line: string): number | undefined => {
  if (!line.startsWith("{")) return undefined
  try {
    const { seq } = JSON.parse(line) as { readonly seq?: unknown }
    return typeof seq === "number" ? seq : undefined
  } catch {
    return undefined
  }
}

/** The last complete frame among these bytes: its `seq` and the offset of its end. */
const lastFrame = (bytes: Buffer, isWholeFile: boolean): { seq: number; end: number } | undefined => {
  for (let end = bytes.lastIndexOf(newline); end > 0;) {
    const start = bytes.lastIndexOf(newline, end - 1) + 1
    const seq = start > 0 || isWholeFile ? seqOf(bytes.toString("utf8", start, end)) : undefined
    if (seq !== undefined) return { seq, end: end + 1 }
    end = start - 1
  }
  return undefined
}

/** The newest file. Its tail may be torn if the relay or the machine died while writing; that part is ignored. */
export const newest = (folder: string, first: number): Segment => {
  const segment = whole(folder, first, first - 1)
  const { size } = segment
  return withFile(segment, (fd) => {
    for (let length = tailBytes;; length *= 2) {
      const from = Math.max(0, size - length)
      const found = lastFrame(bytesAt(fd, segment, from, length), from === 0)
      if (found === undefined && from > 0) continue
      return Object.assign(segment, { last: found?.seq ?? first - 1, size: from + (found?.end ?? 0) })
    }
  })
}

/** Opens it for writing; cuts off a torn tail. */
const openToWrite = (segment: Segment): number => {
  segment.fd = openSync(segment.file, constants.O_RDWR | constants.O_CREAT, 0o600)
  ftruncateSync(segment.fd, segment.size)
  return segment.fd
}

/** Adds a frame to the index, unless one shortly before it is there. */
const remember = ({ index }: Segment, seq: number, offset: number): void => {
  const before = index.findLastIndex(([, known]) => known <= offset)
  if (offset - (index[before]?.[1] ?? 0) >= indexEvery) index.splice(before + 1, 0, [seq, offset])
}

/** Notes that a batch was written to the file. */
export const wrote = (segment: Segment, batch: Batch): void => {
  remember(segment, batch.firstSeq, segment.size)
  segment.size += batch.bytes.length
  segment.last = lastSeqOf(batch)
}

/** Appends a batch. Throws the disk's error; then the batch is not in the file. */
export const write = (segment: Segment, { bytes }: Batch): void => {
  const fd = segment.fd ?? openToWrite(segment)
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, segment.size + done)
  }
}

/** Appends batches in a thread, which reports whether all were written. Throws if the file cannot be opened. */
export const writeAsync = (
  segment: Segment,
  batches: ReadonlyArray<Batch>,
  done: (isWhole: boolean) => void
): void => {
  const fd = segment.fd ?? openToWrite(segment)
  const size = batches.reduce((size, { bytes }) => size + bytes.length, 0)
  writev(fd, batches.map(({ bytes }) => bytes), segment.size, (_, written) => done(written === size))
}

/** Closes its file, in the background. */
export const close = (segment: Segment): void => {
  const { fd } = segment
  segment.fd = undefined
  if (fd !== undefined) closeFile(fd, () => {})
}

/**
 * Removes its file. The name is gone at once. Freeing the blocks of a large file takes long, so that happens in the background
 * with the last close; a reader that is using the file closes it afterwards.
 */
export const remove = (segment: Segment, isInUse: boolean): void => {
  try {
    segment.fd ??= openSync(segment.file, "r")
  } catch {
    // It can still be removed.
  }
  try {
    rmSync(segment.file, { force: true })
  } catch {
    // Leftovers do no harm.
  }
  if (!isInUse) close(segment)
}

const rawField = ",\"raw\":"

/**
 * The offset of `raw` in a frame, or -1; undefined if the frame has another `seq`. It follows the envelope, which has the frame's
 * `seq`. The event's own text may contain the same words; the right offset is the one where everything before it is complete
 * JSON.
 */
const rawAt = (frame: Buffer, seq: number): number | undefined => {
  const envelope = `,"seq":${seq},"ts":`
  const place = frame.indexOf(envelope)
  if (place === -1) return undefined
  let raw = frame.indexOf(rawField, place)
  if (raw === -1 || frame.indexOf(envelope, place + 1) === -1) return raw
  while (raw !== -1 && seqOf(frame.toString("utf8", 0, raw) + "}") !== seq) {
    raw = frame.indexOf(rawField, raw + 1)
  }
  return raw
}

/** Bytes that no frame has: a disk that fails leaves blocks of zeros. */
const isText = (bytes: Buffer) => !bytes.includes(0)

/** Some of the frames after `seq`; at least one, if there is one. */
export const read = (segment: Segment, seq: number): Batch | undefined =>
  segment.last <= seq ? undefined : withFile(segment, (fd) => {
    const batch = segment.isDamaged ? "damaged" : readFrom(fd, segment, seq)
    if (batch !== "damaged") return batch
    if (!segment.isDamaged) segment.index.length = 0
    segment.isDamaged = true
    const found = readFrom(fd, segment, seq)
    return found === "damaged" ? undefined : found
  })

const readFrom = (fd: number, segment: Segment, seq: number): Batch | "damaged" | undefined => {
  const { index, isDamaged, last, size } = segment
  let [at, offset] = index.findLast(([known]) => known <= seq + 1) ?? [segment.first, 0]
  let length = readBytes
  while (offset < size) {
    const bytes = bytesAt(fd, segment, offset, length)
    if (!isDamaged && !isText(bytes)) return "damaged"
    let begin = 0
    let start = 0
    const ends: Array<number> = []
    const raws: Array<number> = []
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      const line = bytes.subarray(start, end)
      const own = isDamaged ? seqOf(line.toString("utf8")) : at
      if (own !== undefined && own > seq && own <= last) {
        if (ends.length === 0) {
          begin = start
          at = own
        }
        const raw = rawAt(line, own)
        if (raw === undefined && !isDamaged) return "damaged"
        // A batch has no gaps.
        if (own !== at) break
        ends.push(end - begin)
        raws.push(raw === undefined || raw === -1 ? -1 : start - begin + raw)
        at = own + 1
      } else if (isDamaged && ends.length > 0) break
      else if (!isDamaged) at += 1
      start = end + 1
    }
    // The next read begins here.
    if (!isDamaged || ends.length > 0) remember(segment, at, offset + start)
    if (ends.length > 0) {
      return { firstSeq: at - ends.length, bytes: bytes.subarray(begin, start), ends, raws }
    }
    // A frame may be longer than one read.
    if (start === 0 && bytes.length < length) return undefined
    length = start === 0 ? length * 2 : readBytes
    offset += start
  }
  return undefined
}
