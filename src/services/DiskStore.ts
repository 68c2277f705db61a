/**
 * DiskStore: a session's frames in files, the newest of them in memory too.
 *
 * A batch is written before any reader is woken. `fsync` follows within milliseconds, for what people decided at once. If
 * the disk fails, nothing is lost as long as the session lives: batches wait in memory, in order, and are written when
 * the disk takes them again; `trouble` says so meanwhile. Beside the frames stands `meta.json`, what the session is: written
 * when it is opened and closed, and now and then between, because what it lacks the frames tell.
 */
import { close, fsync, mkdirSync, openSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type EventStore, makeMemory } from "./EventStore.js"
import { type Batch, lastSeqOf } from "./frames.js"
import * as Segment from "./Segment.js"
import * as SessionFiles from "./SessionFiles.js"
import type { SessionSummary } from "./SessionSummary.js"

export interface DiskBounds {
  /** Bytes of frames kept per session; the oldest files go first. */
  readonly journal_bytes: number
  /** Events kept per session, about. */
  readonly journal_events: number
  /** Bytes of frames that wait in memory while the disk takes none; then the agent has to wait. */
  readonly retain_bytes: number
}

export interface DiskStore extends EventStore {
  /** Write what is left, and let go of the files. The number of events that could not be written: they are lost. */
  readonly close: () => number
}

/** Who keeps the files' description: the journal, which knows what else belongs in it. */
interface Options extends DiskBounds {
  readonly folder: string
  readonly describe: (summary: SessionSummary) => string
}

/** A file is closed and a new one begun at this size, or at an eighth of what may be kept. */
const segmentBytes = 16 * 1024 * 1024
/** The newest frames stay in memory up to this size, for readers that are nearly up to date. */
const memoryBytes = 2 * 1024 * 1024
/** `fsync` follows so soon, or after four times what the last one took: in a flood it would hold up every write. */
const syncWithinMs = { least: 5, most: 200, times: 4 }
/** `meta.json` costs a rename, which may wait for the disk: no turn has to. */
const describeWithinMs = 10_000
/** How long a failed disk is left alone before the next try. */
const retryAfterMs = 1000

const reasonOf = (cause: unknown) => cause instanceof Error ? cause.message : String(cause)

/** What cannot be removed is in nobody's way. */
const remove = (path: string) => {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // Another day.
  }
}

/** Its name is gone at once. Giving a large file's blocks back takes long: who closes it last does so, in the background. */
const removeLarge = (path: string) => {
  try {
    const fd = openSync(path, "r")
    unlinkSync(path)
    close(fd, () => {})
  } catch {
    remove(path)
  }
}

export const make = ({ describe, folder, ...bounds }: Options): DiskStore => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const segments = SessionFiles.open(folder)
  const segmentSize = Math.min(segmentBytes, bounds.journal_bytes / 8)
  const segmentEvents = bounds.journal_events / 8
  let last = segments.at(-1)?.last ?? 0
  const recent = makeMemory(memoryBytes, last)
  const unwritten: Array<Batch> = []
  /** What the session is by now, and whether `meta.json` says so. */
  let known: SessionSummary | undefined
  let isDescribed = true
  let description: NodeJS.Timeout | undefined

  // --- what the disk refuses is tried again ------------------------------------------------------------------------

  /** What does not work at the moment, and why. */
  const troubles = new Map<"write" | "describe" | "sync" | "read", string>()
  let retry: NodeJS.Timeout | undefined

  const complain = (what: "write" | "describe" | "sync" | "read", cause: unknown) => {
    if (!troubles.has(what)) troubles.set(what, reasonOf(cause))
  }

  const attempt = (what: "write" | "describe", act: () => void) => {
    try {
      act()
      troubles.delete(what)
    } catch (cause) {
      complain(what, cause)
      retry ??= setTimeout(tryAgain, retryAfterMs).unref()
    }
  }

  const tryAgain = () => {
    clearTimeout(retry)
    retry = undefined
    write()
    writeDescription()
  }

  // --- writing -----------------------------------------------------------------------------------------------------

  const isFull = ({ first, last, size }: Segment.Segment) =>
    size > 0 && (size >= segmentSize || last - first + 1 >= segmentEvents)

  const current = (batch: Batch): Segment.Segment => {
    const open = segments.at(-1)
    if (open !== undefined && !isFull(open)) return open
    retire(open)
    const next = Segment.empty(folder, batch.firstSeq)
    segments.push(next)
    return next
  }

  /** Write what waits, oldest first. */
  const write = () =>
    attempt("write", () => {
      for (let batch = unwritten[0]; batch !== undefined; batch = unwritten[0]) {
        Segment.append(current(batch), batch)
        unwritten.shift()
      }
    })

  const writeDescription = () =>
    attempt("describe", () => {
      if (known === undefined || isDescribed) return
      const file = join(folder, "meta.json")
      writeFileSync(`${file}.new`, describe(known), { mode: 0o600 })
      renameSync(`${file}.new`, file)
      isDescribed = true
    })

  const describeAgain = () => {
    description = undefined
    if (!troubles.has("describe")) writeDescription()
  }

  // --- fsync: one at a time, in the order of writing ---------------------------------------------------------------

  /** Files that are written to the end, but not durable yet. */
  const retired: Array<number> = []
  let timer: NodeJS.Timeout | undefined
  let syncing = false
  let again = false
  let pauseMs = syncWithinMs.least

  const retire = (segment: Segment.Segment | undefined) => {
    if (segment?.fd === undefined) return
    retired.push(segment.fd)
    segment.fd = undefined
  }

  const sync = () => {
    clearTimeout(timer)
    timer = undefined
    again = syncing
    const ended = retired[0]
    const fd = ended ?? segments.at(-1)?.fd
    if (syncing || fd === undefined) return
    syncing = true
    const began = performance.now()
    fsync(fd, (cause) => {
      syncing = false
      const { least, most, times } = syncWithinMs
      pauseMs = Math.min(most, Math.max(least, times * (performance.now() - began)))
      if (cause === null) troubles.delete("sync")
      else complain("sync", cause)
      if (ended !== undefined) {
        retired.shift()
        close(ended, () => {})
      }
      if (again || ended !== undefined) sync()
    })
  }

  // --- reading and letting go --------------------------------------------------------------------------------------

  const read = (seq: number): Batch | undefined => {
    try {
      const batch = SessionFiles.read(segments, seq)
      troubles.delete("read")
      return batch ?? recent.read(seq)
    } catch (cause) {
      // Who reads waits, and tries again with the next event.
      complain("read", cause)
      return undefined
    }
  }

  const isOver = () =>
    segments.length > 1
    && (segments.reduce((size, segment) => size + segment.size, 0) > bounds.journal_bytes
      || last - (segments[0]?.first ?? last) >= bounds.journal_events)

  return {
    firstSeq: () => segments[0]?.first ?? recent.firstSeq(),
    lastSeq: () => last,
    allocate: recent.allocate,
    append: (batch) => {
      recent.append(batch)
      last = lastSeqOf(batch)
      unwritten.push(batch)
      if (!troubles.has("write")) write()
      timer ??= setTimeout(sync, pauseMs)
    },
    read: (seq) => seq + 1 >= recent.firstSeq() ? recent.read(seq) : read(seq),
    trim: (needed) => {
      recent.trim((unwritten[0]?.firstSeq ?? last + 1) - 1)
      for (
        let oldest = segments[0];
        oldest !== undefined && isOver() && oldest.last <= needed;
        oldest = segments[0]
      ) {
        removeLarge(oldest.file)
        segments.shift()
      }
      return isOver() || unwritten.reduce((size, { bytes }) => size + bytes.length, 0) > bounds.retain_bytes
    },
    flush: (summary) => {
      // The first time, it is written at once: it says whose session this is.
      const isNew = known === undefined
      known = summary
      isDescribed = false
      if (isNew) writeDescription()
      else description ??= setTimeout(describeAgain, describeWithinMs).unref()
      sync()
    },
    trouble: () => [...troubles.values()][0],
    close: () => {
      isDescribed = false
      tryAgain()
      clearTimeout(retry)
      clearTimeout(description)
      retire(segments.at(-1))
      sync()
      // Nothing ever happened in it.
      if (last === 0) remove(folder)
      return unwritten.reduce((events, { ends }) => events + ends.length, 0)
    }
  }
}
