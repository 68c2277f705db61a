/**
 * DiskStore: a session's frames in files, the newest of them in memory too.
 *
 * A batch is written before any reader is woken. `fsync` follows within milliseconds, for what people decided at once. If
 * the disk fails, nothing is lost as long as the relay lives: batches wait in memory, in order, and are written when the
 * disk takes them again; `trouble` says so meanwhile. Beside the frames stands `meta.json`, what the session is.
 */
import { fsync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type EventStore, makeMemory } from "./EventStore.js"
import { type Batch, lastSeqOf } from "./frames.js"
import * as Segment from "./Segment.js"
import type { SessionSummary } from "./SessionSummary.js"

export interface DiskBounds {
  /** Bytes of frames kept per session; the oldest files go first. */
  readonly journal_bytes: number
  /** Events kept per session, about. */
  readonly journal_events: number
}

export interface DiskStore extends EventStore {
  /** Write what is left, and let go of the files. */
  readonly close: () => void
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
const syncWithinMs = 5
/** How long a failed disk is left alone before the next try, in ms. */
const retryAfterMs = 1000

const reasonOf = (cause: unknown) => cause instanceof Error ? cause.message : String(cause)

export const make = ({ describe, folder, ...bounds }: Options): DiskStore => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const segments = readdirSync(folder)
    .flatMap((name) => Segment.firstOf(name) ?? [])
    .toSorted((left, right) => left - right)
    .map((first) => Segment.open(folder, first))
    // A file whose every line was torn.
    .filter((segment) => segment.size > 0 || (rmSync(segment.file, { force: true }), false))
  const segmentSize = Math.min(segmentBytes, bounds.journal_bytes / 8)
  let last = segments.at(-1)?.last ?? 0
  const recent = makeMemory(memoryBytes, last)
  let unwritten: Array<Batch> = []
  let trouble: string | undefined
  let retryAt = 0
  let syncing = false
  let closing = false
  let timer: NodeJS.Timeout | undefined

  const writtenSeq = () => (unwritten[0]?.firstSeq ?? last + 1) - 1

  const current = (batch: Batch): Segment.Segment => {
    const open = segments.at(-1)
    if (open !== undefined && open.size < segmentSize) return open
    if (open !== undefined) Segment.close(open)
    const next = Segment.create(folder, batch.firstSeq)
    segments.push(next)
    return next
  }

  /** Write what waits, oldest first, until the disk refuses. */
  const write = () => {
    try {
      for (let batch = unwritten[0]; batch !== undefined; batch = unwritten[0]) {
        Segment.append(current(batch), batch)
        unwritten.shift()
      }
      trouble = undefined
    } catch (cause) {
      trouble = reasonOf(cause)
      retryAt = performance.now() + retryAfterMs
    }
  }

  const sync = () => {
    clearTimeout(timer)
    timer = undefined
    const fd = segments.at(-1)?.fd
    if (fd === undefined || syncing) return
    syncing = true
    fsync(fd, () => {
      syncing = false
      if (closing) letGo()
    })
  }

  const letGo = () => {
    for (const segment of segments) Segment.close(segment)
  }

  const saveMeta = (summary: SessionSummary) => {
    try {
      const file = join(folder, "meta.json")
      writeFileSync(`${file}.new`, describe(summary), { mode: 0o600 })
      renameSync(`${file}.new`, file)
    } catch (cause) {
      trouble = reasonOf(cause)
    }
  }

  const isOver = () =>
    segments.length > 1
    && (segments.reduce((size, segment) => size + segment.size, 0) > bounds.journal_bytes
      || last - (segments[0]?.first ?? last) > bounds.journal_events)

  return {
    firstSeq: () => segments[0]?.first ?? recent.firstSeq(),
    lastSeq: () => last,
    append: (batch) => {
      recent.append(batch)
      last = lastSeqOf(batch)
      unwritten.push(batch)
      if (trouble === undefined || performance.now() >= retryAt) write()
      timer ??= setTimeout(sync, syncWithinMs)
    },
    read: (seq) => {
      if (seq + 1 >= recent.firstSeq()) return recent.read(seq)
      const segment = segments.find((segment) => segment.last > seq)
      return segment === undefined ? recent.read(seq) : Segment.read(segment, seq)
    },
    trim: (needed) => {
      const tooMuchUnwritten = recent.trim(writtenSeq())
      for (let oldest = segments[0]; oldest !== undefined && isOver() && oldest.last <= needed; oldest = segments[0]) {
        Segment.close(oldest)
        rmSync(oldest.file, { force: true })
        segments.shift()
      }
      return tooMuchUnwritten || isOver()
    },
    flush: (summary) => {
      sync()
      saveMeta(summary)
    },
    trouble: () => trouble,
    close: () => {
      clearTimeout(timer)
      write()
      closing = true
      if (!syncing) letGo()
    }
  }
}
