/**
 * FrameWriter: writes a session's batches to its files, in their order, and makes them durable.
 *
 * A few bytes are written at once: that is quicker than handing them to a thread. Many are written by one, so that a
 * flood holds up nobody else; what comes meanwhile, and at once afterwards, is written in one go. `fsync` follows in
 * groups, one at a time, in the order of writing. What a disk refuses waits in memory and is written when it is told to
 * try again.
 */
import { fsync } from "node:fs"
import { type Batch, lastSeqOf } from "../log/frames.js"
import type { DiskHealth } from "./DiskHealth.js"
import type { FsyncSchedule } from "./FsyncSchedule.js"
import * as Segment from "./Segment.js"

export interface FrameWriter {
  /** Passing: what the batch says is said again soon, whole. */
  readonly append: (batch: Batch, isPreviewOnly: boolean) => void
  /** The last `seq` that is in a file. */
  readonly writtenSeq: () => number
  /** Bytes that are in no file yet. */
  readonly waiting: () => number
  /** Write all that waits, now. */
  readonly write: () => void
  /** Make durable what was written, without delay. */
  readonly sync: () => void
  /** Remove the oldest file, which is not the only one. */
  readonly forgetOldest: () => void
  /** Write what is left, and let go of the files. The number of events that could not be written. */
  readonly close: () => number
}

interface Options {
  readonly folder: string
  /** The files there are; a new one is added when the newest is full. */
  readonly segments: Array<Segment.Segment>
  readonly isFull: (segment: Pick<Segment.Segment, "first" | "last" | "size">) => boolean
  readonly troubles: DiskHealth
  /** When what is passing is made durable. */
  readonly syncTimes: FsyncSchedule
  /** A thread has written something, or failed to. */
  readonly onWritten: () => void
}

/** From so many bytes on, writing takes longer than handing it to a thread. */
const asideBytes = 32 * 1024
/** While more comes, so much is gathered before a thread is woken: waking it takes as long as writing 100 KiB. */
const gatheredBytes = 256 * 1024
/** A thread is given no more at once, so that readers need not wait long. */
const atOnceBytes = 512 * 1024
/**
 * `fsync` follows so soon, if not all is passing; or after four times what the last one took: in a flood it would hold
 * up every write. In ms.
 */
const syncWithin = { lasting: 5, most: 200, times: 4 }

export const make = ({ folder, isFull, onWritten, segments, syncTimes, troubles }: Options): FrameWriter => {
  const unwritten: Array<Batch> = []
  let waiting = 0
  let last = segments.at(-1)?.last ?? 0
  /** Something that waits is said only once. */
  let isLasting = false
  /** A thread is at it; what it writes is still the first of `unwritten`. */
  let isWriting = false
  /** More is awaited before a thread is woken; never while one is at it. */
  let isGathering = false
  let isClosed = false

  // --- fsync -------------------------------------------------------------------------------------------------------

  let timer: NodeJS.Timeout | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let syncing: Segment.Segment | undefined
  let again = false
  let tookMs = 0

  const sync = () => {
    clearTimeout(timer)
    dueAt = Number.POSITIVE_INFINITY
    again = syncing !== undefined || isWriting || isGathering
    // Those that are not open have been made durable already.
    if (!again) syncEach(segments.filter(({ fd }) => fd !== undefined))
  }

  const syncEach = ([segment, ...others]: ReadonlyArray<Segment.Segment>) => {
    syncing = segment
    if (segment === undefined) return again ? sync() : undefined
    // It was forgotten while others were made durable.
    if (segment.fd === undefined) return syncEach(others)
    const isWhole = isClosed || segment !== segments.at(-1)
    const began = performance.now()
    fsync(segment.fd, (cause) => {
      tookMs = performance.now() - began
      if (cause === null) troubles.over("sync")
      else troubles.complain("sync", cause)
      if (isWhole || !segments.includes(segment)) Segment.close(segment)
      syncEach(others)
    })
  }

  const forgetOldest = () => {
    const oldest = segments.shift()
    if (oldest !== undefined) Segment.remove(oldest, oldest === syncing)
  }

  const syncSoon = () => {
    const now = performance.now()
    const { lasting, most, times } = syncWithin
    // What is passing is due no sooner than what already is.
    if (!isLasting && dueAt !== Number.POSITIVE_INFINITY) return
    const due = isLasting ? now + Math.max(lasting, Math.min(most, times * tookMs)) : syncTimes.take(now)
    if (due >= dueAt) return
    clearTimeout(timer)
    dueAt = due
    timer = setTimeout(sync, due - now)
  }

  // --- writing -----------------------------------------------------------------------------------------------------

  const newest = (seq: number): Segment.Segment => {
    const open = segments.at(-1)
    if (open !== undefined && !isFull(open)) return open
    const next = Segment.empty(folder, seq)
    segments.push(next)
    return next
  }

  const written = (segment: Segment.Segment, batches: ReadonlyArray<Batch>) => {
    for (const batch of batches) {
      Segment.wrote(segment, batch)
      waiting -= batch.bytes.length
    }
    unwritten.splice(0, batches.length)
    syncSoon()
    if (unwritten.length === 0) isLasting = false
  }

  /** The next batches that go into this file together; at least one. */
  const nextFor = ({ first, size }: Segment.Segment): ReadonlyArray<Batch> => {
    let bytes = 0
    const end = unwritten.findIndex((batch, index) => {
      const isEnough = index > 0
        && (bytes >= atOnceBytes || isFull({ first, last: batch.firstSeq - 1, size: size + bytes }))
      bytes += batch.bytes.length
      return isEnough
    })
    return end === -1 ? unwritten.slice() : unwritten.slice(0, end)
  }

  const writeAsync = (segment: Segment.Segment) => {
    const batches = nextFor(segment)
    Segment.writeAsync(segment, batches, (isWhole) => {
      isWriting = false
      // By now it has been written in another way, to the same place.
      if (isClosed) return sync()
      if (isWhole) written(segment, batches)
      if (again) sync()
      if (isWhole) writeOn()
      // Which says what is wrong.
      else write()
      onWritten()
    })
    isWriting = true
  }

  const writeAll = (mayWait: boolean) => {
    for (let batch = unwritten[0]; batch !== undefined; batch = unwritten[0]) {
      const segment = newest(batch.firstSeq)
      if (mayWait && waiting >= asideBytes) return writeAsync(segment)
      Segment.write(segment, batch)
      written(segment, [batch])
    }
  }

  /** Two turns of the event loop in which nothing came end it: an agent that gives way is read again in the second. */
  const gather = (isQuiet = false) => {
    const before = waiting
    isGathering = true
    setImmediate(() => {
      isGathering = false
      if (isClosed) return
      const hasMore = waiting > before
      if (waiting < gatheredBytes && (hasMore || !isQuiet)) return gather(!hasMore)
      if (!troubles.has("write")) troubles.attempt("write", () => writeAll(true))
      if (again) sync()
      // What cannot be written can be read all the same.
      onWritten()
    })
  }

  const writeOn = () => {
    if (isWriting || isGathering || troubles.has("write")) return
    if (waiting >= asideBytes && waiting < gatheredBytes) gather()
    else troubles.attempt("write", () => writeAll(true))
  }
  const write = () => {
    if (!isWriting) troubles.attempt("write", () => writeAll(false))
  }

  return {
    append: (batch, isPreviewOnly) => {
      unwritten.push(batch)
      waiting += batch.bytes.length
      last = lastSeqOf(batch)
      isLasting ||= !isPreviewOnly
      writeOn()
    },
    writtenSeq: () => (unwritten[0]?.firstSeq ?? last + 1) - 1,
    waiting: () => waiting,
    write,
    sync,
    forgetOldest,
    close: () => {
      isClosed = true
      isGathering = false
      // A thread may be writing the first of it: the same bytes to the same place.
      troubles.attempt("write", () => writeAll(false))
      sync()
      return unwritten.reduce((events, { ends }) => events + ends.length, 0)
    }
  }
}
