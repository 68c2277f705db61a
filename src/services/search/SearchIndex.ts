/**
 * SearchIndex: finds words in all saved sessions.
 *
 * The searchable text is beside each journal (`SaidFile`), made from it when somebody searches, so sessions of killed or older
 * relays are complete, too. Only the data that rules sessions out is in memory (about an eighth of their text), and only while
 * people search.
 */
import { Clock, Context, Effect, FiberHandle, Layer, Schema, Semaphore, Stream } from "effect"
import { existsSync, readdirSync } from "node:fs"
import { isSessionId, type SessionId } from "../../schema/index.js"
import { messageOf } from "../../schema/messageOf.js"
import { makeRedact } from "../access/redact.js"
import { Journal, JournalFailed } from "../journal/Journal.js"
import * as SessionRecord from "../journal/SessionRecord.js"
import { textsOf } from "../log/frames.js"
import type { SessionListing } from "../log/SessionListing.js"
import { makePause } from "../makePause.js"
import { relayEnvironment } from "../process/AgentEnvironment.js"
import { RelayConfig } from "../RelayConfig.js"
import { SessionRegistry } from "../session/SessionRegistry.js"
import { findIn, type Hit, wordsOf } from "./findIn.js"
import { reader, type Said } from "./said.js"
import * as SaidFile from "./SaidFile.js"
import * as TextBits from "./TextBits.js"

export interface Found {
  readonly session: SessionListing
  readonly hits: ReadonlyArray<Hit>
}

export interface SearchResult {
  /** Sessions, the most recently active first. */
  readonly results: ReadonlyArray<Found>
  /** False: not all sessions are indexed yet; a later search finds more. */
  readonly complete: boolean
}

/** The relay saves no sessions. */
export class NothingKept extends Schema.TaggedError<NothingKept>()("NothingKept", {}) {
  override get message() {
    return "this relay saves no sessions (--no-state), so there is nothing to search: start it without --no-state"
  }
}

export class SearchIndex extends Context.Service<SearchIndex, {
  /** At most `limit` sessions that contain all words of the query. */
  readonly search: (query: string, limit: number) => Effect.Effect<SearchResult, JournalFailed | NothingKept>
}>()("ai-relay/services/SearchIndex") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

/** How long a search may index new text, in ms. */
const patienceMs = 2_000
/** How long a session that cannot be read is left alone, in ms. */
const retryMs = 60_000
/** After this time without a search, the data in memory is dropped. */
const idle = "10 minutes"

const makeDisabled = SearchIndex.of({ search: () => new NothingKept() })

const make = Effect.gen(function*() {
  const { secrets = [], state_dir } = yield* RelayConfig
  if (state_dir === undefined) return makeDisabled
  const journal = yield* Journal
  const registry = yield* SessionRegistry
  const folder = SessionRecord.folderIn(state_dir)
  const redact = makeRedact({
    ...relayEnvironment(),
    ...Object.fromEntries(secrets.map((secret, index) => [`SECRET_${index}_TOKEN`, String(secret)]))
  })
  const known = new Map<SessionId, SaidFile.Known>()
  /** Sessions that may have text that is not indexed yet. */
  const stale = new Set<SessionId>()
  /** Sessions that could not be read, and when that was, in ms. */
  const unreadable = new Map<SessionId, number>()
  let isLoaded = false
  const forgetting = yield* FiberHandle.make<void>()
  const oneAtATime = yield* Semaphore.make(1)

  const filesOf = (id: SessionId) => SessionRecord.filesOf(folder, id)

  /** Indexes the new part of a session's journal. */
  const catchUp = Effect.fnUntraced(function*(id: SessionId) {
    stale.delete(id)
    if (!SessionRecord.isSession(filesOf(id))) return void known.delete(id)
    let before = known.get(id) ?? SaidFile.read(filesOf(id))
    const last = registry.live(id)?.log.lastSeq()
    // The session has started over under the same id.
    if (last !== undefined && last < before.seq) {
      SaidFile.forget(filesOf(id))
      before = SaidFile.nothing
    }
    const batches = yield* journal.read(id, before.seq)
    if (batches === undefined) {
      known.delete(id)
      return yield* new JournalFailed({ folder: filesOf(id), reason: "it cannot be read" })
    }
    const said: Array<Said> = []
    let seq = before.seq
    const read = reader()
    yield* Stream.runForEach(batches, (batch) => {
      for (const frame of textsOf(batch)) {
        const found = read(frame)
        if (found !== undefined) said.push(found)
      }
      seq = batch.firstSeq + batch.ends.length - 1
      return Effect.void
    })
    const clean: Array<Said> = []
    const pause = makePause()
    for (const each of said) {
      clean.push({ ...each, text: redacted(each.text) })
      yield* pause
    }
    known.set(
      id,
      yield* Effect.try(() => seq === before.seq ? before : SaidFile.add(filesOf(id), before, clean, seq))
        .pipe(
          // The disk fails at the moment: the index stays as it is until the next try.
          Effect.orElseSucceed(() => before)
        )
    )
  })

  const redacted = (text: string): string => {
    // It takes and gives JSON.
    const clean: unknown = JSON.parse(redact(JSON.stringify(text)))
    return typeof clean === "string" ? clean : ""
  }

  const load = Effect.gen(function*() {
    const names = yield* Effect.try({
      try: () => existsSync(folder) ? readdirSync(folder).filter(isSessionId) : [],
      catch: (cause) => new JournalFailed({ folder, reason: messageOf(cause) })
    })
    for (const [index, id] of names.entries()) {
      const read = SaidFile.read(filesOf(id))
      known.set(id, read)
      if (read.seq === 0 || registry.live(id) !== undefined || SaidFile.isBehind(filesOf(id))) stale.add(id)
      if (index % 100 === 99) yield* Effect.yieldNow
    }
    isLoaded = true
  })

  const forgetKnown = Effect.sync(() => {
    known.clear()
    isLoaded = false
  })

  /** Indexes stale sessions, the most recently changed first, until the time is up. */
  const refresh = (until: number) =>
    oneAtATime.withPermits(1)(Effect.gen(function*() {
      if (!isLoaded) yield* load
      const now = yield* Clock.currentTimeMillis
      for (const [id, since] of unreadable) {
        if (now - since < retryMs) continue
        unreadable.delete(id)
        stale.add(id)
      }
      for (const id of [...stale].toReversed()) {
        if ((yield* Clock.currentTimeMillis) > until) return
        // The others are found even if the files of this one are damaged.
        yield* Effect.catch(
          catchUp(id),
          ({ message }) => {
            unreadable.set(id, now)
            return Effect.logWarning(`The session "${id}" cannot be searched: ${message}`)
          }
        )
      }
    }))

  const search = Effect.fn("SearchIndex.search")(function*(query: string, limit: number) {
    yield* FiberHandle.run(forgetting, Effect.delay(forgetKnown, idle))
    yield* refresh((yield* Clock.currentTimeMillis) + patienceMs)
    const words = wordsOf(query)
    const results: Array<Found> = []
    const candidates = words.length === 0 ?
      [] :
      [...known].filter(([, { bits, size }]) =>
        size > 0 && words.every((word) => TextBits.mayHave(bits, word))
      ).toSorted(([, left], [, right]) => right.ts - left.ts)
    const pause = makePause()
    for (const [id, about] of candidates) {
      if (results.length >= limit) break
      const text = SaidFile.textOf(filesOf(id), about)
      if (text === undefined) {
        // Somebody deleted it: the next search makes it again.
        known.delete(id)
        stale.add(id)
        continue
      }
      const hits = findIn(text, words)
      const session = hits === undefined ? undefined : yield* registry.listing(id)
      if (hits !== undefined && session !== undefined) results.push({ session, hits })
      yield* pause
    }
    return { results, complete: stale.size === 0 }
  })

  // Busy sessions will have more text at the next search.
  const stop = registry.watch((id) => {
    if (id !== undefined) stale.add(id)
  })
  yield* Effect.addFinalizer(() => Effect.sync(stop))
  return SearchIndex.of({ search })
})
