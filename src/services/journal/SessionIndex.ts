/**
 * SessionIndex: what is known of all kept sessions, in memory, the most recently active first.
 *
 * Thousands of folders are looked at without holding up anybody: the disk is asked in threads, what it says is taken in
 * small steps. Asked again, only what has changed is read: own sessions when the journal says so, new folders and those that
 * are gone at once, what other relays have written to theirs after a while, the longer the more there is to look at.
 */
import { Effect, Option, Schema, Semaphore } from "effect"
import { type Dir, type Dirent, opendir, readdir, readFile, stat, type Stats } from "node:fs"
import { join } from "node:path"
import { SessionId } from "../../schema/index.js"
import { makePause } from "../makePause.js"
import { type Marks, readMarks } from "./SessionMarks.js"
import * as SessionRecord from "./SessionRecord.js"

export interface IndexedSession extends SessionRecord.SessionRecord {
  /** What people have made of it. */
  readonly marks: Marks
  /** Bytes of its files. */
  readonly bytes: number
}

export interface SessionIndex {
  /** All that are kept, the most recently active first; not to be changed. Waits for the disk where it must. */
  readonly list: Effect.Effect<ReadonlyArray<IndexedSession>>
  /** This one has changed. */
  readonly touch: (session_id: SessionId) => void
}

interface Entry {
  readonly session: IndexedSession | undefined
  /** `meta.json` as it was read. */
  readonly version: string
}

const isSessionId = Schema.is(SessionId)

/** So many are asked of the disk at once. */
const atOnce = 32
/** What other relays write is looked for so seldom: looking takes at most this part of the time. */
const share = 1 / 20

type Asked<A> = (done: (error: unknown, value: A) => void) => void

/** Undefined where the disk has no answer. */
const ask = <A>(asked: Asked<A>): Effect.Effect<A | undefined> =>
  Effect.callback((resume) => {
    asked((error, value) => resume(Effect.succeed(error === null || error === undefined ? value : undefined)))
  })

/** The same for many: the answers in their order. */
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

/** Where it is in the list, or belongs. */
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
  /** When all was looked at last, and how long that took, in ms. */
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
        // Only an opening session needs it, and it may be long.
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

  /** The names there are. */
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

  /** New ones are read, those that are gone are forgotten. */
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

  /** What others have changed. */
  const lookAtAll = Effect.fnUntraced(function*(pause: Effect.Effect<void>) {
    const ids = [...entries.keys()]
    for (let at = 0; at < ids.length; at += atOnce) {
      const some = ids.slice(at, at + atOnce)
      const found = yield* askAll<Stats>(some.map((id) => (done) => stat(metaOf(folder, id), done)))
      const changed = some.filter((id, index) => {
        const entry = entries.get(id)
        // One that is open, or was cut, goes on in its frames.
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
    // A folder that changes in the same moment has the same time: then it is looked at once more.
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
