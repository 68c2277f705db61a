/**
 * Journal: sessions that outlive the relay.
 *
 * One folder per session: its frames (`DiskStore`) and `meta.json`, which says what it was opened with and what became of
 * it. `layerMemory` keeps nothing: a session ends with the relay.
 */
import { Clock, Context, Effect, Layer, Option, Schedule, Schema, type Scope, Stream } from "effect"
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Handshake, SessionId } from "../../schema/index.js"
import { type EventStore, makeMemory } from "../log/EventStore.js"
import { type Batch, lastSeqOf } from "../log/frames.js"
import * as SessionSummary from "../log/SessionSummary.js"
import { RelayConfig } from "../RelayConfig.js"
import * as DiskStore from "./DiskStore.js"
import * as FsyncSchedule from "./FsyncSchedule.js"
import * as SessionFiles from "./SessionFiles.js"
import * as SessionRecord from "./SessionRecord.js"

/** The session's files cannot be used. */
export class JournalFailed extends Schema.TaggedError<JournalFailed>()("JournalFailed", {
  folder: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `the session's journal in ${this.folder} cannot be used (${this.reason}): `
      + "make room or fix its permissions, or start the relay with --no-state"
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

/** There is no session of that name, live or kept, and none was to be begun. */
export class SessionNotFound
  extends Schema.TaggedError<SessionNotFound>()("SessionNotFound", { session_id: Schema.String })
{
  override get message() {
    return `there is no session "${this.session_id}": GET /sessions lists those there are; without \`must_exist\` it is begun`
  }
}

export interface Opened {
  readonly store: EventStore
  readonly summary: SessionSummary.SessionSummary
}

export class Journal extends Context.Service<Journal, {
  /** A session that was, by its name. */
  readonly find: (session_id: SessionId) => Effect.Effect<Option.Option<SessionRecord.SessionRecord>>
  /** Open a session's store for writing, with all it holds; closed with the scope. */
  readonly open: (
    session_id: SessionId,
    handshake: Handshake
  ) => Effect.Effect<Opened, JournalFailed | SessionInUse, Scope.Scope>
  /** The events of a session that is not live, after `seq`; undefined if there is no such session. */
  readonly read: (session_id: SessionId, seq: number) => Effect.Effect<Stream.Stream<Batch> | undefined>
  /** All sessions that are kept, the most recently active first. */
  readonly list: Effect.Effect<ReadonlyArray<SessionRecord.SessionRecord>>
  /** Remove all that is kept of a session that is not live. False: there was nothing. */
  readonly forget: (session_id: SessionId) => Effect.Effect<boolean, JournalFailed | SessionInUse>
  /** Why sessions are not written at the moment, if they are not. */
  readonly trouble: () => string | undefined
}>()("ai-relay/services/Journal") {
  static readonly layerMemory = Layer.effect(this, Effect.suspend(() => makeVolatile))
  static readonly layerDisk = (folder: string) => Layer.effect(this, makeDurable(folder))
  /** On disk if the settings name a `state_dir`. */
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
    open: (session_id) =>
      Effect.succeed({ store: makeMemory(retain_bytes), summary: SessionSummary.empty(session_id) }),
    read: () => Effect.succeed(undefined),
    list: Effect.succeed([]),
    forget: () => Effect.succeed(false),
    trouble: () => undefined
  }))

const makeDurable = (folder: string) =>
  Effect.gen(function*() {
    const bounds = yield* RelayConfig
    const live = new Set<DiskStore.DiskStore>()
    const relay = SessionRecord.thisRelay()
    const syncTimes = FsyncSchedule.make()

    const open = Effect.fn("Journal.open")(function*(session_id: SessionId, handshake: Handshake) {
      const files = SessionRecord.filesOf(folder, session_id)
      const kept = Option.getOrUndefined(SessionRecord.read(folder, session_id))
      const other = kept && SessionRecord.openedBy(kept)
      if (other !== undefined && other !== process.pid) {
        return yield* new SessionInUse({ session_id, pid: other })
      }
      const saved = SessionRecord.withoutSecrets(handshake)
      let isOpen = true
      const describe = (summary: SessionSummary.SessionSummary) =>
        SessionRecord.encode({ handshake: saved, summary, ...(isOpen && relay) })
      const store = yield* Effect.acquireRelease(
        Effect.try({
          try: () => DiskStore.make({ ...bounds, folder: files, describe, syncTimes }),
          catch: (cause) => new JournalFailed({ folder: files, reason: String(cause) })
        }),
        (store) =>
          Effect.suspend(() => {
            isOpen = false
            const lost = store.close()
            live.delete(store)
            return lost === 0
              ? Effect.void
              : Effect.logError(
                `the last ${lost} events of session ${session_id} are lost (${store.trouble()})`
              )
          })
      )
      live.add(store)
      const summary = yield* Effect.try({
        try: () => SessionRecord.catchUp(store, kept?.summary ?? SessionSummary.empty(session_id)),
        catch: (cause) => new JournalFailed({ folder: files, reason: String(cause) })
      })
      store.flush(summary)
      return { store, summary }
    })

    const read = (session_id: SessionId, seq: number) =>
      Effect.sync(() => {
        const files = SessionRecord.filesOf(folder, session_id)
        if (!existsSync(files)) return undefined
        const { read } = SessionFiles.view(files)
        return Stream.unfold(
          seq,
          (place) =>
            Effect.sync(() => {
              const batch = read(place)
              return batch === undefined ? undefined : [batch, lastSeqOf(batch)] as const
            })
        )
      })

    const forget = Effect.fn("Journal.forget")(function*(session_id: SessionId) {
      const files = SessionRecord.filesOf(folder, session_id)
      if (!existsSync(files)) return false
      const other = Option.match(SessionRecord.read(folder, session_id), {
        onNone: () => undefined,
        onSome: SessionRecord.openedBy
      })
      if (other !== undefined && other !== process.pid) {
        return yield* new SessionInUse({ session_id, pid: other })
      }
      yield* Effect.try({
        try: () => rmSync(files, { recursive: true }),
        catch: (cause) => new JournalFailed({ folder: files, reason: String(cause) })
      })
      return true
    })

    /** Sessions nobody has touched for long go. */
    const sweep = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const oldest = now / 1000 - bounds.journal_days * 24 * 60 * 60
      for (const kept of yield* SessionRecord.list(folder)) {
        const { last_active_at, session_id } = kept.summary
        if (last_active_at >= oldest || SessionRecord.openedBy(kept) !== undefined) continue
        yield* Effect.ignore({ log: true })(
          Effect.try(() => rmSync(SessionRecord.filesOf(folder, session_id), { recursive: true }))
        )
      }
    })

    yield* Effect.try({
      try: () => mkdirSync(folder, { recursive: true, mode: 0o700 }),
      catch: (cause) => new JournalFailed({ folder, reason: String(cause) })
    })
    yield* sweep
    yield* Effect.forkScoped(Effect.schedule(sweep, Schedule.spaced("1 day")))
    return Journal.of({
      find: (session_id) => Effect.sync(() => SessionRecord.read(folder, session_id)),
      open,
      read,
      list: SessionRecord.list(folder),
      forget,
      trouble: () =>
        [...live].map((store) => store.trouble()).find((reason) => reason !== undefined) ??
          whyUnwritable(folder)
    })
  })

/** Why no session can be opened: nothing can be written in this folder. */
export const whyUnwritable = (folder: string): string | undefined => {
  const probe = join(folder, `.writable-${process.pid}`)
  try {
    writeFileSync(probe, "")
    rmSync(probe)
    return undefined
  } catch (cause) {
    return `${folder} cannot be written (${
      cause instanceof Error ? cause.message : String(cause)
    }): make it writable, or choose another with --state-dir`
  }
}
