/**
 * Journal: sessions that outlive the relay.
 *
 * One folder per session, with its frames (`DiskStore`) and `meta.json`, which says how it was opened and how it went.
 * `layerMemory` saves nothing: sessions end with the relay.
 */
import { Clock, Context, Effect, Layer, Option, Schedule, Schema, type Scope, Stream } from "effect"
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { type Handshake, SessionId } from "../../schema/index.js"
import { messageOf } from "../../schema/messageOf.js"
import { createFolder } from "../disk/createFolder.js"
import { type EventStore, makeMemory } from "../log/EventStore.js"
import { type Batch, lastSeqOf } from "../log/frames.js"
import * as SessionSummary from "../log/SessionSummary.js"
import { makePause } from "../makePause.js"
import { RelayConfig } from "../RelayConfig.js"
import * as DiskStore from "./DiskStore.js"
import * as FsyncSchedule from "./FsyncSchedule.js"
import * as SessionFiles from "./SessionFiles.js"
import * as SessionIndex from "./SessionIndex.js"
import * as SessionLock from "./SessionLock.js"
import * as SessionRecord from "./SessionRecord.js"

/** The session's files cannot be used. */
export class JournalFailed extends Schema.TaggedError<JournalFailed>()("JournalFailed", {
  folder: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the session's journal in ${this.folder} cannot be used (${this.reason}): `
      + "free some space or fix its permissions, or start the relay with --no-state"
  }
}

/** The session is in use by another relay on the same state folder. */
export class SessionInUse extends Schema.TaggedError<SessionInUse>()("SessionInUse", {
  session_id: SessionId,
  pid: Schema.Number
}) {
  override get message() {
    return `the session "${this.session_id}" is live in another relay (process ${this.pid}): connect to that one, `
      + "or choose another session_id"
  }
}

/** There is no live or saved session with this id, and none was to be opened. */
export class SessionNotFound
  extends Schema.TaggedError<SessionNotFound>()("SessionNotFound", { session_id: Schema.String })
{
  override get message() {
    return `there is no session "${this.session_id}": GET /sessions lists them; without \`must_exist\` a new one is opened`
  }
}

export interface Opened {
  readonly store: EventStore
  readonly summary: SessionSummary.SessionSummary
}

export class Journal extends Context.Service<Journal, {
  /** A saved session by its id; none if there is none, or if it cannot be read. */
  readonly find: (session_id: SessionId) => Effect.Effect<Option.Option<SessionRecord.SessionRecord>>
  /** Why `find` has none: nothing is saved under this id, or it cannot be read. */
  readonly whyMissing: (session_id: SessionId) => JournalFailed | SessionNotFound
  /** Opens a session's store for writing, with its contents; closing the scope closes it. */
  readonly open: (
    session_id: SessionId,
    handshake: Handshake
  ) => Effect.Effect<Opened, JournalFailed | SessionInUse, Scope.Scope>
  /** The events of a session that is not live, after `seq`; undefined if there is no such session. */
  readonly read: (
    session_id: SessionId,
    seq: number
  ) => Effect.Effect<Stream.Stream<Batch> | undefined, JournalFailed>
  /** All saved sessions, the most recently active first. */
  readonly list: Effect.Effect<ReadonlyArray<SessionIndex.IndexedSession>>
  /** Deletes everything saved of a session that is not live. False: there was nothing. */
  readonly forget: (session_id: SessionId) => Effect.Effect<boolean, JournalFailed | SessionInUse>
  /** Why sessions cannot be written at the moment; undefined if they can. */
  readonly trouble: () => string | undefined
}>()("ai-relay/services/Journal") {
  static readonly layerMemory = Layer.effect(this, Effect.suspend(() => makeVolatile))
  static readonly layerDisk = (folder: string) => Layer.effect(this, makeDurable(folder))
  /** On disk if the settings have a `state_dir`, else in memory. */
  static readonly layer = Layer.unwrap(
    Effect.map(
      RelayConfig,
      ({ state_dir }) =>
        state_dir === undefined ? Journal.layerMemory : Journal.layerDisk(SessionRecord.folderIn(state_dir))
    )
  )
}

const makeVolatile = Effect.map(RelayConfig, ({ retain_bytes }) =>
  Journal.of({
    find: () => Effect.succeedNone,
    whyMissing: (session_id) => new SessionNotFound({ session_id }),
    open: (session_id) =>
      Effect.succeed({ store: makeMemory(retain_bytes), summary: SessionSummary.empty(session_id) }),
    read: () => Effect.succeed(undefined),
    list: Effect.succeed([]),
    forget: () => Effect.succeed(false),
    trouble: () => undefined
  }))

/** Prefix of folders that are being deleted; no session id begins with it. */
const goingMark = "~"
/** How often to look whether saved sessions exceed the limits. */
const sweepEvery = "10 minutes"

const makeDurable = (folder: string) =>
  Effect.gen(function*() {
    const bounds = yield* RelayConfig
    const live = new Map<SessionId, DiskStore.DiskStore>()
    const relay = SessionRecord.thisRelay()
    const me = SessionRecord.relayName()
    const syncTimes = FsyncSchedule.make()
    const index = SessionIndex.make(folder)
    const share = () => bounds.journal_total_bytes / Math.max(1, live.size)

    /** Another relay that has it open. Earlier versions note that in `meta.json` only. */
    const otherWith = (session_id: SessionId, kept: SessionRecord.SessionRecord | undefined) => {
      const holder = SessionLock.holder(SessionRecord.filesOf(folder, session_id), SessionRecord.isRelayAlive)
      return [
        holder === undefined ? undefined : SessionRecord.pidOf(holder),
        kept && SessionRecord.openedBy(kept)
      ].find((pid) => pid !== undefined && pid !== process.pid)
    }

    const open = Effect.fn("Journal.open")(function*(session_id: SessionId, handshake: Handshake) {
      const files = SessionRecord.filesOf(folder, session_id)
      const kept = Option.getOrUndefined(SessionRecord.read(folder, session_id))
      const failed = (cause: unknown) => new JournalFailed({ folder: files, reason: messageOf(cause) })
      const other = otherWith(session_id, kept)
      if (other !== undefined) return yield* new SessionInUse({ session_id, pid: other })
      const lock = yield* Effect.acquireRelease(
        Effect.try({
          try: () => {
            createFolder(files)
            return SessionLock.acquire(files, me, SessionRecord.isRelayAlive)
          },
          catch: failed
        }),
        (lock) =>
          Effect.sync(() => {
            if (typeof lock !== "string") lock.release()
            index.touch(session_id)
          })
      )
      if (typeof lock === "string") {
        return yield* new SessionInUse({ session_id, pid: SessionRecord.pidOf(lock) })
      }
      const saved = SessionRecord.withoutSecrets(handshake)
      let isOpen = true
      const describe = (summary: SessionSummary.SessionSummary) =>
        SessionRecord.encode({ handshake: saved, summary, ...(isOpen && relay) })
      const store = yield* Effect.acquireRelease(
        Effect.try({
          try: () => DiskStore.make({ ...bounds, folder: files, describe, share, syncTimes }),
          catch: failed
        }),
        (store) =>
          Effect.suspend(() => {
            isOpen = false
            const lost = store.close()
            if (live.get(session_id) === store) live.delete(session_id)
            return lost === 0
              ? Effect.void
              : Effect.logError(
                `the last ${lost} events of session ${session_id} are lost (${store.trouble()})`
              )
          })
      )
      live.set(session_id, store)
      const summary = yield* Effect.try({
        try: () => SessionRecord.catchUp(store, kept?.summary ?? SessionSummary.empty(session_id)),
        catch: failed
      })
      store.flush(summary)
      index.touch(session_id)
      return { store, summary }
    })

    const read = (session_id: SessionId, seq: number) =>
      Effect.gen(function*() {
        const files = SessionRecord.filesOf(folder, session_id)
        if (!existsSync(files)) return undefined
        const { read } = yield* Effect.try({
          try: () => SessionFiles.view(files),
          catch: (cause) => new JournalFailed({ folder: files, reason: messageOf(cause) })
        })
        const pause = makePause()
        return Stream.unfold(
          seq,
          (place) =>
            Effect.map(pause, () => {
              const batch = read(place)
              return batch === undefined ? undefined : [batch, lastSeqOf(batch)] as const
            })
        )
      })

    /** Removes the session from the list at once, and its files in the background. */
    const remove = (session_id: SessionId): Effect.Effect<void, JournalFailed> => {
      const files = SessionRecord.filesOf(folder, session_id)
      const failed = (cause: unknown) => new JournalFailed({ folder: files, reason: messageOf(cause) })
      return Effect.try({
        try: () => {
          const going = join(folder, `${goingMark}${session_id}-${process.pid}-${performance.now()}`)
          renameSync(files, going)
          index.touch(session_id)
          return going
        },
        catch: failed
      }).pipe(Effect.flatMap((going) =>
        Effect.tryPromise({ try: () => rm(going, { recursive: true, force: true }), catch: failed })
      ))
    }

    const forget = Effect.fn("Journal.forget")(function*(session_id: SessionId) {
      const files = SessionRecord.filesOf(folder, session_id)
      if (!existsSync(files)) {
        return false
      }
      const other = otherWith(session_id, Option.getOrUndefined(SessionRecord.read(folder, session_id)))
      if (other !== undefined) {
        return yield* new SessionInUse({ session_id, pid: other })
      }
      yield* remove(session_id)
      return true
    })

    /** Removes what an earlier relay was deleting when it ended. */
    const removeLeftovers = Effect.gen(function*() {
      const names = yield* Effect.tryPromise(() =>
        readdir(folder)
      )
      for (const name of names) {
        if (name.startsWith(goingMark)) {
          yield* Effect.tryPromise(() => rm(join(folder, name), { recursive: true, force: true }))
        }
      }
    })

    /** Deletes sessions that were unused for too long, then the least recently used beyond the limits. */
    const sweep = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const oldest = now / 1000 - bounds.journal_days * 24 * 60 * 60
      const kept = yield* index.list
      const pause = makePause()
      let count = kept.length
      let bytes = 0
      for (const { bytes: size, listing: { session_id } } of kept) {
        bytes += Math.max(size, live.get(session_id)?.bytes() ?? 0)
        yield* pause
      }
      for (let at = kept.length - 1; at >= 0; at--) {
        const session = kept[at]
        if (session === undefined) break
        const { last_active_at, last_seq, session_id } = session.listing
        const isTooMuch = count > bounds.max_kept_sessions || bytes > bounds.journal_total_bytes
        if (last_active_at >= oldest && !isTooMuch) break
        // Its events are damaged or cannot be read now: how old it is is not known.
        if (last_seq === 0 && !isTooMuch) continue
        if (live.has(session_id) || SessionRecord.openedBy(session) !== undefined) continue
        // Another relay may have opened it since the list was made.
        const files = SessionRecord.filesOf(folder, session_id)
        if (SessionLock.holder(files, SessionRecord.isRelayAlive) !== undefined) continue
        yield* Effect.ignore({ log: true })(remove(session_id))
        count -= 1
        bytes -= session.bytes
      }
    })

    yield* Effect.try({
      try: () => createFolder(folder),
      catch: (cause) => new JournalFailed({ folder, reason: messageOf(cause) })
    })
    yield* Effect.forkScoped(Effect.andThen(
      Effect.ignore({ log: true })(Effect.andThen(removeLeftovers, sweep)),
      Effect.schedule(Effect.ignore({ log: true })(sweep), Schedule.spaced(sweepEvery))
    ))
    return Journal.of({
      find: (session_id) => Effect.sync(() => SessionRecord.read(folder, session_id)),
      whyMissing: (session_id) => {
        const files = SessionRecord.filesOf(folder, session_id)
        return SessionRecord.isSession(files)
          ? new JournalFailed({ folder: files, reason: "its files cannot be read" })
          : new SessionNotFound({ session_id })
      },
      open,
      read,
      list: index.list,
      forget,
      trouble: () =>
        [...live.values()].map((store) => store.trouble()).find((reason) => reason !== undefined) ??
          whyUnwritable(folder)
    })
  })

/** Removes what a failed attempt has left. */
const remove = (file: string): void => {
  try {
    rmSync(file, { force: true })
  } catch {
    // Nothing was written, or nothing can be.
  }
}

/** Why no session can be opened: this folder is not writable. Undefined if it is. */
export const whyUnwritable = (folder: string): string | undefined => {
  const probe = join(folder, `.writable-${process.pid}`)
  try {
    // An empty file fits on a disk that is full.
    writeFileSync(probe, "\n".repeat(4096))
    rmSync(probe)
    return undefined
  } catch (cause) {
    remove(probe)
    return `${folder} cannot be written (${
      messageOf(cause)
    }): make it writable, or use another folder with --state-dir`
  }
}
