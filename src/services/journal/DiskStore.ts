/**
 * DiskStore: a session's frames in files; those that somebody who reads lacks are in memory too.
 *
 * A batch is written before any reader is woken (`FrameWriter`). If the disk fails, nothing is lost as long as the session
 * lives: batches wait in memory, in order, and are written when the disk takes them again; `trouble` says so meanwhile, and
 * readers go on. Beside the frames stands `meta.json`, what the session is: written when it is opened and closed, and now
 * and then between, because what it lacks the frames tell.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type EventStore, makeMemory } from "../log/EventStore.js"
import { type Batch, lastSeqOf } from "../log/frames.js"
import type { SessionSummary } from "../log/SessionSummary.js"
import * as DiskHealth from "./DiskHealth.js"
import * as FrameWriter from "./FrameWriter.js"
import type { FsyncSchedule } from "./FsyncSchedule.js"
import * as SessionFiles from "./SessionFiles.js"

export interface DiskBounds {
  /** Bytes of frames kept per session; the oldest files go first. */
  readonly journal_bytes: number
  /** Events kept per session, about. */
  readonly journal_events: number
  /** Bytes of frames that wait in memory while the disk takes none; then the agent has to wait. */
  readonly retain_bytes: number
}

export interface DiskStore extends EventStore {
  /** Bytes in its files. */
  readonly bytes: () => number
  /** Write what is left, and let go of the files. The number of events that could not be written: they are lost. */
  readonly close: () => number
}

/** Who keeps the files' description: the journal, which knows what else belongs in it. */
interface Options extends DiskBounds {
  readonly folder: string
  /** Those of all sessions on this disk. */
  readonly syncTimes: FsyncSchedule
  readonly describe: (summary: SessionSummary) => string
  /** Bytes of frames it may keep at the moment, where that is less than `journal_bytes`: its part of what all may. */
  readonly share?: () => number
  /** Knows when a disk that failed is tried again. */
  readonly health?: typeof DiskHealth.make
}

/** A file is closed and a new one begun at this size, or at an eighth of what may be kept. */
const segmentBytes = 16 * 1024 * 1024
/** What a reader lacks stays in memory up to this size; who lacks more reads it from the files. */
const memoryBytes = 4 * 1024 * 1024
/** So much may wait for the disk before the agent has to. */
const aheadBytes = 2 * 1024 * 1024
/** `meta.json` costs a rename, which may wait for the disk: no turn has to. */
const describeWithinMs = 10_000

/** What cannot be removed is in nobody's way. */
const remove = (path: string) => {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // Another day.
  }
}

export const make = (
  {
    describe,
    folder,
    health = DiskHealth.make,
    share = () => Number.POSITIVE_INFINITY,
    syncTimes,
    ...bounds
  }: Options
): DiskStore => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const segments = SessionFiles.open(folder)
  const segmentSize = Math.min(segmentBytes, bounds.journal_bytes / 8)
  const segmentEvents = bounds.journal_events / 8
  let last = segments.at(-1)?.last ?? 0
  const recent = makeMemory(memoryBytes, last)
  let onKept = () => {}

  const troubles = health(() => {
    writer.write()
    writeDescription()
    onKept()
  })
  const writer = FrameWriter.make({
    folder,
    segments,
    isFull: ({ first, last, size }) => size > 0 && (size >= segmentSize || last - first + 1 >= segmentEvents),
    troubles,
    syncTimes,
    onWritten: () => onKept()
  })

  // --- what the session is -----------------------------------------------------------------------------------------

  /** What it is by now, and whether `meta.json` says so. */
  let known: SessionSummary | undefined
  let isDescribed = true
  let description: NodeJS.Timeout | undefined

  const writeDescription = () =>
    troubles.attempt("describe", () => {
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

  // --- reading and letting go --------------------------------------------------------------------------------------

  const read = (seq: number): Batch | undefined => {
    try {
      const batch = SessionFiles.read(segments, seq)
      troubles.over("read")
      return batch ?? recent.read(seq)
    } catch (cause) {
      // Who reads waits, and tries again with the next event.
      troubles.complain("read", cause)
      return undefined
    }
  }

  const bytes = () => segments.reduce((size, segment) => size + segment.size, 0)

  const isOver = () =>
    segments.length > 1
    && (bytes() > Math.min(bounds.journal_bytes, share())
      || last - (segments[0]?.first ?? last) >= bounds.journal_events)

  return {
    bytes,
    firstSeq: () => segments[0]?.first ?? recent.firstSeq(),
    lastSeq: () => last,
    // What the disk refuses is in memory only, but there; it is told that it is not durable.
    keptSeq: () => troubles.has("write") ? last : writer.writtenSeq(),
    onKept: (listener) => {
      onKept = listener
    },
    isBehind: () => writer.waiting() > (troubles.has("write") ? bounds.retain_bytes : aheadBytes),
    allocate: recent.allocate,
    append: (batch, isPreviewOnly = false) => {
      recent.append(batch)
      last = lastSeqOf(batch)
      writer.append(batch, isPreviewOnly)
    },
    read: (seq) => seq + 1 >= recent.firstSeq() ? recent.read(seq) : read(seq),
    trim: (needed) => {
      const written = writer.writtenSeq()
      recent.forget(Math.min(written, needed))
      recent.trim(written)
      for (
        let oldest = segments[0];
        oldest !== undefined && isOver() && oldest.last <= needed;
        oldest = segments[0]
      ) {
        writer.forgetOldest()
      }
      return isOver()
    },
    flush: (summary) => {
      // The first time, it is written at once: it says whose session this is.
      const isNew = known === undefined
      known = summary
      isDescribed = false
      if (isNew) writeDescription()
      else description ??= setTimeout(describeAgain, describeWithinMs).unref()
      writer.sync()
    },
    trouble: troubles.reason,
    close: () => {
      isDescribed = false
      clearTimeout(description)
      const lost = writer.close()
      writeDescription()
      troubles.stop()
      onKept()
      // Nothing ever happened in it.
      if (last === 0) remove(folder)
      return lost
    }
  }
}
