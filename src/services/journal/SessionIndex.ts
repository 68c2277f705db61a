/**
 * SessionIndex: an in-memory index of all saved sessions, the most recently active first.
 *
 * It reads thousands of folders without delaying anybody: threads ask the disk, and results are processed in small steps.
 * Later, only changes are read: the relay's own sessions when the journal says so, new and removed folders at once, and changes
 * by other relays after a while, which grows with the number of sessions.
 */
import { Effect, Option, Schema, Semaphore } from "effect"
import { type Dir, type Dirent, opendir, readdir, readFile, stat, type Stats } from "node:fs"
import { join } from "node:path"
import { SessionId } from "../../schema/index.js"
import { makePause } from "../makePause.js"
import { type Marks, readMarks } from "./SessionMarks.js"
import * as SessionRecord from "./SessionRecord.js"

export interface IndexedSession extends SessionRecord.SessionRecord {
  /** Its title and archived mark, set by people. */
  readonly marks: Marks
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

const isSessionId = Schema.is(SessionId)

/** How many disk requests run at once. */
const atOnce = 32
/** Largest share of time to spend on looking for changes by other relays. */
const share = 1 / 20

type Asked<A> = (done: (error: unknown, value: A) => void) => void

/** Asks the disk; undefined if that fails. */
const ask = <A>(asked: Asked<A>): Effect.Effect<A | undefined> =>
  Effect.callback((resume) => {
    asked((error, value) => resume(Effect.succeed(error === null || error === undefined ? value : undefined)))
  })

/** Asks the disk many things; the answers are in the same order. */
const askAll = <A>(questions: ReadonlyArray<Asked<A>>): Effect.Effect<ReadonlyArray<A | undefined>> =>
  questions.length === 0 ? Effect.succeed([]) : Effect.callback((resume) => {
    const answers = Array<A | undefined>(questions.length)
    let open = questions.length
    questions.forEach((question, index) =>
      question((error, value) => {
        answers[index] = error === null || error === undefined ? value : undefined
        open -= 1
        if (open === 0) resume(Effect.succeed(answers))
      })
    )
  })

const versionOf = (stats: Stats | undefined): string =>
  stats === undefined ? "" : `${stats.ino} ${stats.mtimeMs} ${stats.size}`

const metaOf = (folder: string, session_id: SessionId) =>
  join(SessionRecord.filesOf(folder, session_id), "meta.json")

const before = (left: IndexedSession, right: IndexedSession): boolean =>
  left.summary.last_active_at === right.summary.last_active_at
    ? left.summary.session_id < right.summary.session_id
    : left.summary.last_active_at > right.summary.last_active_at

/** The index of a session in the sorted list, or where it belongs. */
const placeOf = (sorted: ReadonlyArray<IndexedSession>, session: IndexedSession): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = sorted[middle]
    if (other !== undefined && before(other, session)) low = middle + 1
    else high = middle
  }
  return low
}

export const make = (folder: string): SessionIndex => {
  const entries = new Map<SessionId, Entry>()
  const sorted: Array<IndexedSession> = []
  const touched = new Set<SessionId>()
  const one = Semaphore.makeUnsafe(1)
  let rootVersion = ""
  /** When everything was last looked at, and how long that took, in ms. */
  let lookedAt = Number.NEGATIVE_INFINITY
  let took = 0

  const put = (session_id: SessionId, entry: Entry | undefined) => {
    const known = entries.get(session_id)?.session
    if (known !== undefined) sorted.splice(placeOf(sorted, known), 1)
    if (entry === undefined) entries.delete(session_id)
    else entries.set(session_id, entry)
    if (entry?.session !== undefined) sorted.splice(placeOf(sorted, entry.session), 0, entry.session)
  }

  const readOne = Effect.fnUntraced(function*(session_id: SessionId, pause: Effect.Effect<void>) {
    const files = SessionRecord.filesOf(folder, session_id)
    const [stats] = yield* askAll<Stats>([(done) => stat(metaOf(folder, session_id), done)])
    const text = yield* ask<string>((done) => readFile(metaOf(folder, session_id), "utf8", done))
    yield* pause
    const record = yield* SessionRecord.readSlowly(files, session_id, text, pause)
    const names = (yield* ask<Array<string>>((done) => readdir(files, done))) ?? []
    const sizes = yield* askAll<Stats>(names.map((name) => (done) => stat(join(files, name), done)))
    const marks = names.includes("marks.json")
      ? yield* ask<string>((done) => readFile(join(files, "marks.json"), "utf8", done))
      : undefined
    yield* pause
    put(session_id, {
      version: versionOf(stats),
      session: Option.getOrUndefined(Option.map(record, ({ summary, ...rest }): IndexedSession => {
        // Only opening a session needs it, and it may be long.
        const { known_prompts: _, ...told } = summary
        return {
          ...rest,
          summary: told,
          marks: marks === undefined ? {} : readMarks(marks),
          bytes: sizes.reduce((sum, stats) => sum + (stats?.size ?? 0), 0)
        }
      }))
    })
    yield* pause
  })

  const readAll = (ids: Iterable<SessionId>, pause: Effect.Effect<void>) =>
    Effect.forEach(ids, (session_id) => readOne(session_id, pause), { concurrency: atOnce, discard: true })

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
    for (const known of [...entries.keys()]) {
      if (!there.has(known)) put(known, undefined)
      yield* pause
    }
    const fresh: Array<SessionId> = []
    for (const name of there) {
      if (!entries.has(name)) fresh.push(name)
      yield* pause
    }
    yield* readAll(fresh, pause)
  })

  /** Reads changes by other relays. */
  const lookAtAll = Effect.fnUntraced(function*(pause: Effect.Effect<void>) {
    const ids = [...entries.keys()]
    for (let at = 0; at < ids.length; at += atOnce) {
      const some = ids.slice(at, at + atOnce)
      const found = yield* askAll<Stats>(some.map((id) => (done) => stat(metaOf(folder, id), done)))
      const changed = some.filter((id, index) => {
        const entry = entries.get(id)
        // If it is open or was interrupted, its frames know more.
        return entry?.session === undefined || entry.session.pid !== undefined ||
          entry.version !== versionOf(found[index])
      })
      yield* readAll(changed, pause)
      yield* pause
    }
  })

  const refresh = Effect.gen(function*() {
    const pause = makePause()
    const began = performance.now()
    const isDue = began - lookedAt > took / share
    const stats = yield* ask<Stats>((done) => stat(folder, done))
    const version = stats === undefined ? "" : `${stats.ino} ${stats.mtimeMs}`
    const mine = [...touched]
    touched.clear()
    const known = isDue ? [...entries.keys()] : []
    if (version !== rootVersion) yield* lookAround(pause)
    // A folder changed at the same moment would have the same time, so it is read once more.
    rootVersion = stats !== undefined && performance.timeOrigin + performance.now() - stats.mtimeMs < 100
      ? ""
      : version
    yield* readAll(mine.filter((id) => entries.has(id)), pause)
    if (!isDue) return
    if (known.length > 0) yield* lookAtAll(pause)
    lookedAt = performance.now()
    took = lookedAt - began
  })

  return {
    list: one.withPermits(1)(Effect.map(refresh, () => sorted.slice())),
    touch: (session_id) => void touched.add(session_id)
  }
}
