/**
 * FrameWriter: writes a session's batches to its files, in their order, and makes them durable.
 *
 * Small batches are written synchronously, which is faster than using a thread. Large ones are written by a thread, so that a
 * flood delays nobody else; what arrives meanwhile is written together. `fsync` follows in groups, one at a time, in the order
 * of writing. Frames that the disk refuses wait in memory for the next try.
 */
import { fsync } from "node:fs"
import { type Batch, lastSeqOf } from "../log/frames.js"
import type { DiskHealth } from "./DiskHealth.js"
import type { FsyncSchedule } from "./FsyncSchedule.js"
import * as Segment from "./Segment.js"

export interface FrameWriter {
  /** `isPreviewOnly`: deltas whose whole text follows soon. */
  readonly append: (batch: Batch, isPreviewOnly: boolean) => void
  /** The last `seq` that was written to a file. */
  readonly writtenSeq: () => number
  /** Bytes not written yet. */
  readonly waiting: () => number
  /** Writes everything that waits, now. */
  readonly write: () => void
  /** Syncs what was written, without delay. */
  readonly sync: () => void
  /** Removes the oldest file; there must be another one. */
  readonly forgetOldest: () => void
  /** Writes what is left and closes the files. Gives the number of events that could not be written. */
  readonly close: () => number
}

interface Options {
  readonly folder: string
  /** Existing files; a new one is added when the newest is full. */
  readonly segments: Array<Segment.Segment>
  readonly isFull: (segment: Pick<Segment.Segment, "first" | "last" | "size">) => boolean
  readonly troubles: DiskHealth
  /** When deltas are synced. */
  readonly syncTimes: FsyncSchedule
  /** Called when a thread has written something or failed to. */
  readonly onWritten: () => void
}

/** From this size on, a thread is faster. */
const asideBytes = 32 * 1024
/** Bytes to gather before using a thread while more is coming: waking it takes as long as writing 100 KiB. */
const gatheredBytes = 256 * 1024
/** Most bytes per write of a thread, so that readers need not wait long. */
const atOnceBytes = 512 * 1024
/**
 * Delay before `fsync` if there is more than deltas to sync, in ms. It is at least `times` as long as the last `fsync` took,
 * which otherwise would delay every write in a flood.
 */
const syncWithin = { lasting: 5, most: 200, times: 4 }

export const make = ({ folder, isFull, onWritten, segments, syncTimes, troubles }: Options): FrameWriter => {
  const unwritten: Array<Batch> = []
  let waiting = 0
  let last = segments.at(-1)?.last ?? 0
  /** Whether something that waits is more than a delta. */
  let isLasting = false
  /** A thread is writing; its batches are still the first of `unwritten`. */
  let isWriting = false
  /** Gathering more before waking a thread; never while one is writing. */
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
    // Closed files are already synced.
    if (!again) syncEach(segments.filter(({ fd }) => fd !== undefined))
  }

  const syncEach = ([segment, ...others]: ReadonlyArray<Segment.Segment>) => {
    syncing = segment
    if (segment === undefined) return again ? sync() : undefined
    // It was removed while others were synced.
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
    // Deltas do not bring a sync forward.
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

  /** The next batches to write to this file together; at least one. */
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
      // It was written synchronously meanwhile, to the same place.
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

  /** Gathers until nothing came for two turns of the event loop; an agent that yields is read again in the second. */
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
      // Readers may see what cannot be written.
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
      // A thread may be writing the same bytes to the same place.
      troubles.attempt("write", () => writeAll(false))
      sync()
      return unwritten.reduce((events, { ends }) => events + ends.length, 0)
    }
  }
}
