/**
 * Journal: sessions that outlive the relay.
 *
 * One folder per session: its frames (`DiskStore`) and `meta.json`, which says what it was opened with and what became of
 * it. `layerMemory` keeps nothing: a session ends with the relay.
 */
import { Context, Effect, Layer, Option, Schema, type Scope, Stream } from "effect"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { type Handshake, HandshakeFields, type RelayEvent, SessionId } from "../schema/index.js"
import * as DiskStore from "./DiskStore.js"
import { type EventStore, makeMemory } from "./EventStore.js"
import { type Batch, lastSeqOf, textsOf } from "./frames.js"
import * as SessionSummary from "./SessionSummary.js"
import { RelayConfig } from "./RelayConfig.js"

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

/** What is kept of a session besides its events: how it was opened, without secrets, and how it went. */
export const Kept = Schema.Struct({
  handshake: HandshakeFields,
  summary: SessionSummary.SessionSummary,
  /** The relay that has it open. */
  pid: Schema.optionalWith(Schema.Number, { exact: true })
})
export type Kept = typeof Kept.Type

export interface Opened {
  readonly store: EventStore
  readonly summary: SessionSummary.SessionSummary
}

export class Journal extends Context.Tag("ai-relay/services/Journal")<Journal, {
  /** A session that was, by its name. */
  readonly find: (session_id: SessionId) => Effect.Effect<Option.Option<Kept>>
  /** Open a session's store for writing, with all it holds; closed with the scope. */
  readonly open: (
    session_id: SessionId,
    handshake: Handshake
  ) => Effect.Effect<Opened, JournalFailed | SessionInUse, Scope.Scope>
  /** The events of a session that is not live, after `seq`; undefined if there is no such session. */
  readonly read: (session_id: SessionId, seq: number) => Effect.Effect<Stream.Stream<Batch> | undefined>
  /** All sessions that are kept, the most recently active first. */
  readonly list: Effect.Effect<ReadonlyArray<Kept>>
  /** Why sessions are not written at the moment, if they are not. */
  readonly trouble: () => string | undefined
}>() {
  static readonly layerMemory = Layer.effect(this, Effect.suspend(() => makeVolatile))
  static readonly layerDisk = (folder: string) => Layer.effect(this, makeDurable(folder))
  /** On disk if the settings name a `state_dir`. */
  static readonly layer = Layer.unwrapEffect(Effect.map(RelayConfig, ({ state_dir }) =>
    state_dir === undefined ? Journal.layerMemory : Journal.layerDisk(join(state_dir, "sessions"))))
}

const makeVolatile = Effect.map(RelayConfig, ({ retain_bytes }) =>
  Journal.of({
    find: () => Effect.succeedNone,
    open: (session_id) => Effect.succeed({ store: makeMemory(retain_bytes), summary: SessionSummary.empty(session_id) }),
    read: () => Effect.succeed(undefined),
    list: Effect.succeed([]),
    trouble: () => undefined
  }))

/** A handshake that may lie on a disk. */
const withoutSecrets = ({ after_seq: _after, env: _env, snowflake, token: _token, ...rest }: Handshake): Handshake => {
  const { token: _pat, ...account } = snowflake ?? {}
  return { ...rest, ...(snowflake !== undefined && { snowflake: account }) }
}

const decodeKept = Schema.decodeUnknownOption(Schema.parseJson(Kept))

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** What the frames say that `meta.json`, written only now and then, does not know yet. */
const catchUp = (store: EventStore, summary: SessionSummary.SessionSummary): SessionSummary.SessionSummary => {
  let known = summary
  for (let batch = store.read(known.last_seq); batch !== undefined; batch = store.read(known.last_seq)) {
    for (const frame of textsOf(batch)) {
      // Our own frames: they were encoded from typed events.
      const { seq, ts, ...event } = JSON.parse(frame) as RelayEvent
      known = SessionSummary.fold(known, event as RelayEvent, seq, ts)
    }
  }
  return known
}

const makeDurable = (folder: string) =>
  Effect.gen(function*() {
    const bounds = yield* RelayConfig
    const live = new Set<DiskStore.DiskStore>()
    const folderOf = (session_id: string) => join(folder, session_id)

    const readKept = (session_id: string): Option.Option<Kept> => {
      const file = join(folderOf(session_id), "meta.json")
      return existsSync(file) ? decodeKept(readFileSync(file, "utf8")) : Option.none()
    }

    const open = Effect.fn("Journal.open")(function*(session_id: SessionId, handshake: Handshake) {
      const kept = Option.getOrUndefined(readKept(session_id))
      const other = kept?.pid
      if (other !== undefined && other !== process.pid && isAlive(other)) {
        return yield* new SessionInUse({ session_id, pid: other })
      }
      const saved = withoutSecrets(handshake)
      let pid: number | undefined = process.pid
      const describe = (summary: SessionSummary.SessionSummary) =>
        JSON.stringify({ handshake: saved, summary, ...(pid !== undefined && { pid }) }, null, 2) + "\n"
      const store = yield* Effect.acquireRelease(
        Effect.try({
          try: () => DiskStore.make({ ...bounds, folder: folderOf(session_id), describe }),
          catch: (cause) => new JournalFailed({ folder: folderOf(session_id), reason: String(cause) })
        }),
        (store) =>
          Effect.sync(() => {
            pid = undefined
            store.close()
            live.delete(store)
          })
      )
      live.add(store)
      const summary = catchUp(store, kept?.summary ?? SessionSummary.empty(session_id))
      store.flush(summary)
      return { store, summary }
    })

    const read = (session_id: SessionId, seq: number) =>
      Effect.sync(() => {
        if (!existsSync(folderOf(session_id))) return undefined
        const store = Effect.acquireRelease(
          Effect.sync(() => DiskStore.make({ ...bounds, folder: folderOf(session_id), describe: () => "" })),
          (store) => Effect.sync(store.close)
        )
        return Stream.unwrapScoped(Effect.map(store, ({ read }) =>
          Stream.unfold(seq, (place) =>
            Option.map(Option.fromNullable(read(place)), (batch) => [batch, lastSeqOf(batch)] as const))))
      })

    const sessionIds = () => existsSync(folder) ? readdirSync(folder).filter(Schema.is(SessionId)) : []

    const list = Effect.sync(() =>
      sessionIds()
        .flatMap((session_id) => Option.toArray(readKept(session_id)))
        .toSorted((left, right) => right.summary.last_active_at - left.summary.last_active_at)
    )

    /** Sessions nobody has touched for long go when the relay starts. */
    const sweep = Effect.fnUntraced(function*() {
      const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      const oldest = now / 1000 - bounds.journal_days * 24 * 60 * 60
      for (const { pid, summary } of yield* list) {
        if (summary.last_active_at >= oldest || (pid !== undefined && isAlive(pid))) continue
        rmSync(folderOf(summary.session_id), { recursive: true, force: true })
      }
    })

    mkdirSync(folder, { recursive: true, mode: 0o700 })
    yield* sweep()
    return Journal.of({
      find: (session_id) => Effect.sync(() => readKept(session_id)),
      open,
      read,
      list,
      trouble: () => [...live].map((store) => store.trouble()).find((reason) => reason !== undefined)
    })
  })
