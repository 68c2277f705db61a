/**
 * DiskStore: a session's frames in files; those that a reader still needs are also in memory.
 *
 * A batch is written before any reader is woken (`FrameWriter`). If the disk fails, nothing is lost while the session lives:
 * batches wait in memory, in order, until the disk works again; meanwhile `trouble` says so and readers go on. Beside the
 * frames, `meta.json` describes the session. It is written when the session is opened and closed and now and then between,
 * because the frames contain what it lacks.
 */
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createFolder } from "../disk/createFolder.js"
import { type EventStore, makeMemory } from "../log/EventStore.js"
import { type Batch, lastSeqOf } from "../log/frames.js"
import type { SessionSummary } from "../log/SessionSummary.js"
import * as DiskHealth from "./DiskHealth.js"
import * as FrameWriter from "./FrameWriter.js"
import type { FsyncSchedule } from "./FsyncSchedule.js"
import type * as Segment from "./Segment.js"
import * as SessionFiles from "./SessionFiles.js"

export interface DiskBounds {
  /** Most bytes of frames per session; the oldest files are deleted first. */
  readonly journal_bytes: number
  /** Most events per session, approximately. */
  readonly journal_events: number
  /** Bytes of frames that may wait in memory while the disk fails, before the agent is paused. */
  readonly retain_bytes: number
}

export interface DiskStore extends EventStore {
  /** Bytes in its files. */
  readonly bytes: () => number
  /** Writes what is left and closes the files. Gives the number of events that could not be written and are lost. */
  readonly close: () => number
}

/** Bounds, and what the journal provides. */
interface Options extends DiskBounds {
  readonly folder: string
  /** Shared by all sessions on this disk. */
  readonly syncTimes: FsyncSchedule
  readonly describe: (summary: SessionSummary) => string
  /** Bytes of frames it may keep now, if fewer than `journal_bytes`: its share of the total. */
  readonly share?: () => number
  /** Decides when a failed disk is tried again. */
  readonly health?: typeof DiskHealth.make
}

/** Size at which a new file is begun, or an eighth of what may be kept. */
const segmentBytes = 16 * 1024 * 1024
/** Bytes kept in memory for readers; readers further behind read from the files. */
const memoryBytes = 4 * 1024 * 1024
/** Bytes that may wait for the disk before the agent is paused. */
const aheadBytes = 2 * 1024 * 1024
/** `meta.json` is written within this time, not per turn: it costs a rename, which may wait for the disk. */
const describeWithinMs = 10_000

/** Removes a file, and ignores failures: leftovers do no harm. */
const remove = (path: string) => {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // Tried again later.
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
  createFolder(folder)
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

  /** The session's current summary, and whether `meta.json` has it. */
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

  /** The files that nobody has deleted; all of them if the whole folder cannot be seen. */
  const existing = () => existsSync(folder) ? segments.filter(({ file }) => existsSync(file)) : segments

  const read = (seq: number, from: ReadonlyArray<Segment.Segment> = segments): Batch | undefined => {
    try {
      const batch = SessionFiles.read(from, seq)
      if (from === segments) troubles.over("read")
      return batch ?? recent.read(seq)
    } catch (cause) {
      troubles.complain("read", cause)
      // Who waited for a deleted file would get nothing any more. Of all else, the reader tries again with the next event.
      const there = existing()
      return there.length < from.length ? read(seq, there) : undefined
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
    // Frames that the disk refused are in memory, and clients are told that they are not durable.
    keptSeq: () => troubles.has("write") ? last : writer.writtenSeq(),
    onKept: (listener) => {
      onKept = listener
    },
    isBehind: () => writer.waiting() > (troubles.has("write") ? bounds.retain_bytes : aheadBytes),
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
      // Written at once the first time, since it names the session.
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
      // It has no events.
      if (last === 0) remove(folder)
      return lost
    }
  }
}
