/**
 * SessionIndex: an in-memory index of all saved sessions, the most recently active first.
 *
 * It reads thousands of folders without delaying anybody: a thread asks the disk, and results are processed in small steps.
 * Later, only changes are read: the relay's own sessions when the journal says so, new and removed folders at once, and changes
 * by other relays after a while, which grows with the number of sessions.
 */
import { Effect, Option, Semaphore } from "effect"
import { type Dir, type Dirent, opendir, stat, type Stats } from "node:fs"
import { isSessionId, type SessionId } from "../../schema/index.js"
import { listedClosed, type SessionListing } from "../log/SessionListing.js"
import { makePause } from "../makePause.js"
import { readFolders } from "./readFolders.js"
import type { Asked, SessionFolder } from "./SessionFolder.js"
import { type Marks, readMarks } from "./SessionMarks.js"
import * as SessionRecord from "./SessionRecord.js"

export interface IndexedSession extends SessionRecord.Opener {
  /** Without its marks. */
  readonly listing: SessionListing
  /** Its title and archived mark, if people have set any. */
  readonly marks?: Marks
  /** Bytes of its files. */
  readonly bytes: number
}

export interface SessionIndex {
  /** All saved sessions, the most recently active first; read only. Waits for the disk if necessary. */
  readonly list: Effect.Effect<ReadonlyArray<IndexedSession>>
  /** Notes that this session has changed. */
  readonly touch: (session_id: SessionId) => void
}

interface Entry {
  readonly session: IndexedSession | undefined
  /** Identifies the version of `meta.json` that was read. */
  readonly version: string
}

/** How many sessions are put into the list at once, which copies it. */
const putTogether = 256
/** Largest share of time to spend on looking for changes by other relays. */
const share = 1 / 20

type Question<A> = (done: (error: unknown, value: A) => void) => void

/** Asks the disk; undefined if that fails. */
const ask = <A>(question: Question<A>): Effect.Effect<A | undefined> =>
  Effect.callback((resume) => {
    question((error, value) =>
      resume(Effect.succeed(error === null || error === undefined ? value : undefined))
    )
  })

const before = (left: IndexedSession, right: IndexedSession): boolean =>
  left.listing.last_active_at === right.listing.last_active_at
    ? left.listing.session_id < right.listing.session_id
    : left.listing.last_active_at > right.listing.last_active_at

/** Where a session belongs in a sorted list, at `from` or behind it. */
const placeOf = (sorted: ReadonlyArray<IndexedSession>, session: IndexedSession, from: number): number => {
  let low = from
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = sorted[middle]
    if (other !== undefined && before(other, session)) low = middle + 1
    else high = middle
  }
  return low
}

/** Both sorted lists in one. */
const merge = (sorted: ReadonlyArray<IndexedSession>, fresh: ReadonlyArray<IndexedSession>) => {
  let from = 0
  const parts = fresh.flatMap((session) => {
    const begin = from
    from = placeOf(sorted, session, begin)
    return [sorted.slice(begin, from), [session]]
  })
  // Much faster than `flat`.
  return sorted.slice(0, 0).concat(...parts, sorted.slice(from))
}

export const make = (folder: string): SessionIndex => {
  const entries = new Map<SessionId, Entry>()
  let sorted: ReadonlyArray<IndexedSession> = []
  const touched = new Set<SessionId>()
  const one = Semaphore.makeUnsafe(1)
  let rootVersion = ""
  /** When everything was last looked at, and how long that took, in ms. */
  let lookedAt = Number.NEGATIVE_INFINITY
  let took = 0

  const put = (changes: ReadonlyArray<readonly [SessionId, Entry | undefined]>) => {
    const gone = new Set<IndexedSession>()
    const fresh: Array<IndexedSession> = []
    // Of a session that was read twice the last one counts.
    for (const [session_id, entry] of new Map(changes)) {
      const known = entries.get(session_id)?.session
      if (known !== undefined) gone.add(known)
      if (entry === undefined) entries.delete(session_id)
      else entries.set(session_id, entry)
      if (entry?.session !== undefined) fresh.push(entry.session)
    }
    if (gone.size > 0) sorted = sorted.filter((session) => !gone.has(session))
    if (fresh.length > 0) {
      sorted = merge(
        sorted,
        fresh.toSorted((left, right) => before(left, right) ? -1 : 1)
      )
    }
  }

  const entryOf = Effect.fnUntraced(
    function*({ bytes, marks, meta, session_id, version }: SessionFolder, pause: Effect.Effect<void>) {
      const files = SessionRecord.filesOf(folder, session_id)
      const outline = yield* SessionRecord.outline(files, session_id, meta, pause)
      const session = Option.map(outline, ({ summary, ...opener }): IndexedSession => ({
        ...opener,
        listing: listedClosed(summary),
        ...(marks !== undefined && { marks: readMarks(marks) }),
        bytes
      }))
      return { version, session: Option.getOrUndefined(session) }
    }
  )

  /** The version that need not be read again. */
  const settledVersion = (session_id: SessionId): string | undefined => {
    const entry = entries.get(session_id)
    // If it is open or was interrupted, its frames know more.
    return entry?.session === undefined || entry.session.pid !== undefined ? undefined : entry.version
  }

  const readAll = Effect.fnUntraced(function*(asked: ReadonlyArray<Asked>, pause: Effect.Effect<void>) {
    const changes: Array<readonly [SessionId, Entry]> = []
    const use = Effect.fnUntraced(function*(found: ReadonlyArray<SessionFolder>) {
      for (const one of found) {
        changes.push([one.session_id, yield* entryOf(one, pause)])
        yield* pause
      }
      if (changes.length >= putTogether) put(changes.splice(0))
    })
    yield* readFolders({ folder, asked, use, pause })
    put(changes)
  })

  /** The names of existing sessions. */
  const names = (pause: Effect.Effect<void>) =>
    Effect.acquireUseRelease(
      ask<Dir>((done) => opendir(folder, { bufferSize: 128 }, done)),
      Effect.fnUntraced(function*(dir) {
        const found = new Set<SessionId>()
        if (dir === undefined) return found
        for (;;) {
          const next = yield* ask<Dirent | null>((done) => dir.read(done))
          if (next === undefined || next === null) break
          if (isSessionId(next.name)) found.add(next.name)
          yield* pause
        }
        return found
      }),
      (dir) =>
        dir === undefined ? Effect.void : ask<void>((done) => dir.close((error) => done(error, undefined)))
    )

  /** Reads new sessions and drops removed ones. */
  const lookAround = Effect.fnUntraced(function*(pause: Effect.Effect<void>) {
    const there = yield* names(pause)
    const gone: Array<readonly [SessionId, undefined]> = []
    for (const known of entries.keys()) {
      if (!there.has(known)) gone.push([known, undefined])
      yield* pause
    }
    put(gone)
    const fresh: Array<Asked> = []
    for (const name of there) {
      if (!entries.has(name)) fresh.push([name, undefined])
      yield* pause
    }
    yield* readAll(fresh, pause)
  })

  const refresh = Effect.gen(function*() {
    const pause = makePause()
    const began = performance.now()
    const isDue = began - lookedAt > took / share
    const stats = yield* ask<Stats>((done) => stat(folder, done))
    const version = stats === undefined ? "" : `${stats.ino} ${stats.mtimeMs}`
    const known = isDue ? [...entries.keys()] : []
    if (version !== rootVersion) yield* lookAround(pause)
    // A folder changed at the same moment would have the same time, so it is read once more.
    rootVersion = stats !== undefined && performance.timeOrigin + performance.now() - stats.mtimeMs < 100
      ? ""
      : version
    const mine = [...touched]
    touched.clear()
    yield* readAll(mine.filter((id) => entries.has(id)).map((id) => [id, undefined]), pause).pipe(
      Effect.onInterrupt(() => Effect.sync(() => mine.forEach((id) => touched.add(id))))
    )
    if (!isDue) return
    // Changes by other relays.
    yield* readAll(known.filter((id) => entries.has(id)).map((id) => [id, settledVersion(id)]), pause)
    lookedAt = performance.now()
    took = lookedAt - began
  })

  return {
    list: one.withPermits(1)(Effect.map(refresh, () => sorted)),
    touch: (session_id) => void touched.add(session_id)
  }
}
