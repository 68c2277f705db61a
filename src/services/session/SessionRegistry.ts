/**
 * SessionRegistry: the live sessions, by name.
 *
 * Each session is one fiber here: it opens the agent, lives until the conversation is over or nobody wants it any more,
 * and closes. So shutting the relay down is interrupting these fibers, all at once. A session without a client lives on
 * for its `linger`, counted from when nothing goes on in it any more: nobody has to stay for work to be done.
 */
import {
  Cause,
  Context,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  FiberSet,
  Layer,
  Option,
  Schema,
  type Scope,
  type Stream
} from "effect"
import { BadHandshake, ConversationInUse, type OpenError } from "../../adapters/AdapterError.js"
import { AdapterRegistry, type UnknownTool } from "../../adapters/AdapterRegistry.js"
import { doneSoon } from "../../adapters/doneSoon.js"
import { type ClientCommand, type Handshake, type McpServer, SessionId } from "../../schema/index.js"
import { messageOf } from "../../schema/messageOf.js"
import type { SessionChange } from "../../schema/SessionChange.js"
import * as Audit from "../access/Audit.js"
import { type FolderNotFound, Folders, type ForbiddenFolder } from "../access/Folders.js"
import { checkHandshake } from "../access/HandshakeRules.js"
import { isLoopback, peerOf } from "../access/peers.js"
import {
  demand,
  demandCommand,
  demandOpening,
  demandReach,
  demandWithin,
  type Forbidden,
  isWithin,
  may,
  Principal,
  type PrincipalFields
} from "../access/Principal.js"
import { IdGenerator } from "../IdGenerator.js"
import { Journal, JournalFailed, type SessionInUse, SessionNotFound } from "../journal/Journal.js"
import * as SessionMarks from "../journal/SessionMarks.js"
import type { Batch } from "../log/frames.js"
import type { SessionSummary } from "../log/SessionSummary.js"
import { makePause } from "../makePause.js"
import { NativeSessions } from "../native/NativeSessions.js"
import { Recorder } from "../observe/Recorder.js"
import * as Traces from "../observe/Traces.js"
import { RelayConfig } from "../RelayConfig.js"
import * as Timetable from "../schedule/Timetable.js"
import { Checkpoints } from "../workspace/Checkpoints.js"
import { ClientKey, Driving, type NotDriving } from "./Drivers.js"
import { resolveHandshake } from "./Reopening.js"
import { Sender } from "./Sender.js"
import * as Session from "./Session.js"
import { listedClosed, listedLive, type SessionListing } from "./SessionListing.js"

/** No further session can be opened now. */
export class TooManySessions
  extends Schema.TaggedError<TooManySessions>()("TooManySessions", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** Why a session could not be had. */
export type JoinError =
  | TooManySessions
  | UnknownTool
  | FolderNotFound
  | ForbiddenFolder
  | JournalFailed
  | SessionInUse
  | SessionNotFound
  | Forbidden
  | OpenError

/** The relay's own tools, for agents. */
export interface RelayTools {
  /** Where this session's agent finds them, with a token of its own. */
  readonly serverFor: (session_id: SessionId) => McpServer
  /** The session is over. */
  readonly end: (session_id: SessionId) => void
}

export interface Joined {
  readonly session: Session.Session
  /** It was live already. */
  readonly attached: boolean
  /** As the session's own, and fails if the client that joined may not give this command, or another client drives. */
  readonly submit: (command: ClientCommand) => Effect.Effect<void, Forbidden | NotDriving>
}

/** All of it is done for the `Principal` that asks; what is outside of its limits is not there. */
export class SessionRegistry extends Context.Service<SessionRegistry, {
  /**
   * Open the session the handshake asks for, or attach to it; the scope's end detaches. A client that may only look opens none
   * and keeps none alive.
   */
  readonly join: (handshake: Handshake) => Effect.Effect<Joined, JoinError, Scope.Scope>
  /** What agents get whose session asks for the relay's tools (`relay_tools`); for as long as the scope is open. */
  readonly offerTools: (tools: RelayTools) => Effect.Effect<void, never, Scope.Scope>
  /** From now on no session is opened and no turn begins. Tells every client, and how long turns may go on. */
  readonly drain: (seconds: number) => Effect.Effect<void>
  readonly isDraining: () => boolean
  /** Completes when no turn runs. */
  readonly idle: Effect.Effect<void>
  /** End every session, all at once; waits until they are gone. */
  readonly closeAll: Effect.Effect<void>
  /** Where a session works that names no folder; none if that is not allowed. */
  readonly defaultFolder: Effect.Effect<string | undefined>
  /** All live sessions. */
  readonly all: () => ReadonlyArray<Session.Session>
  /** The live session of that name. */
  readonly live: (session_id: SessionId) => Session.Session | undefined
  /** Its events after `after_seq`: of a live one also those to come. Undefined if there is none. */
  readonly read: (
    session_id: SessionId,
    after_seq: number
  ) => Effect.Effect<Stream.Stream<Batch> | undefined>
  /** End the session, if it is live, and remove all that is kept of it. */
  readonly forget: (
    session_id: SessionId
  ) => Effect.Effect<void, SessionNotFound | JournalFailed | SessionInUse>
  /** Name a session in the list, or put it away. */
  readonly change: (
    session_id: SessionId,
    change: SessionChange
  ) => Effect.Effect<void, SessionNotFound | JournalFailed>
  /**
   * Hear which sessions' lines in the list have changed, come or gone; undefined: the relay ends, nothing follows. Gives what
   * stops it.
   */
  readonly watch: (onChange: (session_id: SessionId | undefined) => void) => () => void
  /** A session's line in the list; undefined if it is not there. */
  readonly listing: (session_id: SessionId) => Effect.Effect<SessionListing | undefined>
  /** Live sessions, then those that are kept, the most recently active first. */
  readonly list: Effect.Effect<ReadonlyArray<SessionListing>>
}>()("ai-relay/services/SessionRegistry") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

/** Who begins sessions, as far as they are counted: a token by its name, else another machine by its address. */
const senderOf = ({ address, token }: Sender.Fields): string | undefined =>
  token !== undefined
    ? `token ${token}`
    : address === undefined || isLoopback(address)
    ? undefined
    : peerOf(address)

/** With one of these scopes somebody may do something in a session. */
const doing = ["prompt", "approve", "terminal"] as const

const ending = new TooManySessions({ reason: "the relay is shutting down: connect again when it is back" })

/** One live session and who uses it. */
interface Entry {
  readonly opened: Deferred.Deferred<Session.Session, JoinError>
  /** Nobody has wanted it for `linger` seconds. */
  readonly abandoned: Deferred.Deferred<void>
  readonly gone: Deferred.Deferred<void>
  readonly linger: number
  readonly session_id: SessionId
  /** It has neither a name of its client's nor a `linger`: nobody can come back, so its work ends too. */
  readonly isPrivate: boolean
  clients: number
  closing: boolean
  /** Who began it, where that is counted. */
  readonly sender: string | undefined
  lingerTimer: Fiber.Fiber<void> | undefined
  session: Session.Session | undefined
}

const make = Effect.gen(function*() {
  const adapters = yield* AdapterRegistry
  const folders = yield* Folders
  const ids = yield* IdGenerator
  const journal = yield* Journal
  const native = yield* NativeSessions
  const timetable = yield* Timetable.current
  const settings = yield* RelayConfig
  const recorder = yield* Recorder
  const traces = yield* Traces.make
  const audit = yield* Audit.Audit
  const checkpoints = yield* Checkpoints
  const entries = new Map<SessionId, Entry>()
  const marks = SessionMarks.make(settings.state_dir)
  const watchers = new Set<(session_id: SessionId | undefined) => void>()
  const tell = (session_id: SessionId | undefined) => {
    for (const watcher of [...watchers]) watcher(session_id)
  }
  let isDraining = false
  let tools: RelayTools | undefined
  const fibers = yield* FiberSet.make<void>()
  const fork = yield* FiberSet.runtime(fibers)<IdGenerator | RelayConfig>()

  /** A conversation of a terminal goes on where it was held. */
  const folderOf = Effect.fnUntraced(function*({ folder, native_session_id, tool }: Handshake) {
    if (folder !== undefined || native_session_id === undefined) return undefined
    const found = yield* Effect.option(native.find(adapters.nameOf(tool ?? "claude"), native_session_id))
    return Option.map(found, ({ summary }) => summary.folder).pipe(Option.getOrUndefined)
  })

  const openSession = Effect.fn("SessionRegistry.open")(
    function*(id: SessionId, handshake: Handshake, clients: () => number, principal: PrincipalFields) {
      const kept = yield* journal.find(id)
      const own = Option.isNone(kept) ? yield* folderOf(handshake) : undefined
      const wanted = yield* resolveHandshake(
        { ...handshake, ...(own !== undefined && { folder: own }) },
        kept
      )
      // The id of a kept session's conversation is as its agent told it.
      const { native_session_id: _, ...asked } = wanted
      yield* checkHandshake({ ...asked, ...handshake, tool: wanted.tool }, settings)
      const adapter = yield* adapters.get(wanted.tool)
      yield* demandOpening(principal, handshake, adapter.terminal === true)
      const folder = yield* folders.resolve(wanted.folder)
      yield* demandWithin(principal, { session_id: id, folder, tool: adapter.tool })
      if (handshake.relay_tools === true && tools === undefined) {
        return yield* new BadHandshake({
          reason: "this relay has no tools for agents: start it with --fronts mcp, or leave `relay_tools` out"
        })
      }
      const opened = yield* journal.open(id, { ...wanted, folder })
      const offered = wanted.relay_tools === true ? tools : undefined
      const own_tools = offered === undefined ? undefined : yield* Effect.acquireRelease(
        Effect.sync(() => offered.serverFor(id)),
        () => Effect.sync(() => offered.end(id))
      )
      const { permission_modes } = settings
      const spec = {
        ...wanted,
        folder,
        fresh_uuid: yield* ids.uuid,
        // The relay's own note of it may be of a conversation the agent never wrote.
        begins_anew: handshake.native_session_id === undefined,
        ...(own_tools !== undefined && { mcp_servers: [...wanted.mcp_servers ?? [], own_tools] }),
        keeps_mode: handshake.permission_mode === undefined,
        keeps_model: handshake.model === undefined,
        ...(permission_modes.length > 0 && { allowed_modes: permission_modes })
      }
      const session = yield* Session.open(id, adapter, spec, opened, clients, native)
      yield* recorder.record(session.log, {
        since: session.since,
        env: wanted.env,
        secrets: wanted.snowflake?.token === undefined ? [] : [wanted.snowflake.token]
      })
      yield* traces.trace(session.log, session.since)
      return session
    }
  )

  /** A session's whole life. */
  const live = (id: SessionId, handshake: Handshake, entry: Entry, principal: PrincipalFields) =>
    openSession(id, handshake, () => entry.clients, principal).pipe(
      // Also when the relay ends while it opens: nobody waits for what will not come.
      Effect.onExit((exit) => {
        if (Exit.isSuccess(exit)) return Effect.void
        // Who comes now tries again.
        entry.closing = true
        const { cause } = exit
        return Deferred.failCause(entry.opened, Cause.hasInterruptsOnly(cause) ? Cause.fail(ending) : cause)
      }),
      Effect.tap((session) => {
        entry.session = session
        session.log.unsafeOnSummary(() => tell(id))
        tell(id)
        return Deferred.succeed(entry.opened, session)
      }),
      Effect.flatMap((session) => session.over),
      Effect.raceFirst(Deferred.await(entry.abandoned)),
      Effect.ensuring(Effect.sync(() => void (entry.closing = true))),
      Effect.scoped,
      Effect.ensuring(Effect.andThen(
        Effect.sync(() => {
          entries.delete(id)
          tell(id)
        }),
        Deferred.succeed(entry.gone, undefined)
      )),
      Effect.exit,
      Effect.asVoid
    )

  /** In one step, so that clients who come at once open one session. */
  const create = (
    id: SessionId,
    handshake: Handshake,
    sender: string | undefined,
    principal: PrincipalFields
  ): Entry => {
    const entry: Entry = {
      session_id: id,
      opened: Deferred.makeUnsafe(),
      abandoned: Deferred.makeUnsafe(),
      gone: Deferred.makeUnsafe(),
      linger: Math.min(handshake.linger ?? settings.linger, settings.max_linger),
      isPrivate: handshake.session_id === undefined && handshake.linger === undefined,
      clients: 0,
      closing: false,
      sender,
      lingerTimer: undefined,
      session: undefined
    }
    entries.set(id, entry)
    fork(live(id, handshake, entry, principal))
    return entry
  }

  const leave = (entry: Entry) =>
    Effect.sync(() => {
      entry.clients -= 1
      tellClients(entry)
      if (entry.clients > 0 || entry.closing) return
      entry.lingerTimer = fork(
        entry.isPrivate || (entry.linger === 0 && isIdle(entry))
          ? Effect.sync(() => abandon(entry))
          : outstay(entry)
      )
    })

  const tellClients = ({ session }: Entry) => session !== undefined && tell(session.id)

  const isIdle = ({ session }: Entry) => session === undefined || session.activity.isIdle()

  const abandon = (entry: Entry) => {
    if (entry.clients > 0) return
    // Nobody can see what would come of it.
    if (entry.isPrivate) timetable.removeOf(entry.session_id)
    // From this moment on who comes waits for a new one.
    entry.closing = true
    doneSoon(entry.abandoned, Effect.void)
  }

  /** Wait until it has been idle for its whole `linger`. */
  const outstay = (entry: Entry): Effect.Effect<void> =>
    Deferred.await(entry.opened).pipe(
      Effect.flatMap(({ activity: { untilBusy, untilIdle } }) =>
        Effect.andThen(
          untilIdle,
          Effect.raceFirst(Effect.sleep(Duration.seconds(entry.linger)), untilBusy)
        )
      ),
      // Who wanted it is told why it could not be opened.
      Effect.ignore,
      Effect.flatMap(() => isIdle(entry) ? Effect.sync(() => abandon(entry)) : outstay(entry))
    )

  const enter = (entry: Entry) =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        entry.clients += 1
        tellClients(entry)
        const { lingerTimer } = entry
        entry.lingerTimer = undefined
        return lingerTimer === undefined ? Effect.void : Effect.asVoid(Fiber.interrupt(lingerTimer))
      }),
      () => leave(entry)
    )

  const checkRoom = (sender: string | undefined) =>
    Effect.suspend(() => {
      const { max_sessions, max_sessions_per_sender } = settings
      if (isDraining) {
        return ending
      }
      if (entries.size >= max_sessions) {
        return new TooManySessions({
          reason:
            `${max_sessions} sessions are live: end one, or start the relay with a higher --max-sessions`
        })
      }
      if (sender === undefined) return Effect.void
      const own = [...entries.values()].filter((entry) => entry.sender === sender).length
      return own < max_sessions_per_sender ? Effect.void : new TooManySessions({
        reason: `${own} live sessions are yours: end one, or start the relay with a higher `
          + "--max-sessions-per-sender"
      })
    })

  /** The session that goes on with this conversation already: there is only one at a time. */
  const sessionWith = Effect.fnUntraced(function*(handshake: Handshake) {
    const { fork, history, native_session_id, session_id, tool = "claude" } = handshake
    if (native_session_id === undefined || fork === true) return undefined
    const isIts = (summary: SessionSummary) =>
      summary.native_session_id === native_session_id && summary.tool === adapters.nameOf(tool)
    const live = all().find(({ log }) => isIts(log.summary()))
    if (live !== undefined && session_id !== undefined && session_id !== live.id) {
      return yield* new ConversationInUse({
        reason: `the session "${live.id}" has this conversation open: attach to it with its \`session_id\``
      })
    }
    if (live !== undefined) return live.id
    if (session_id !== undefined || history === undefined) return undefined
    // Its log has what was said through the relay before.
    return (yield* journal.list).find(({ summary }) => isIts(summary))?.summary.session_id
  })

  /** The audit is told who gave the command, and whether they might. */
  const noted = (command: ClientCommand, session_id: SessionId, isAllowed: boolean) =>
    Effect.map(Sender, (by) => {
      if (!Audit.isNoted(command)) return
      const deed = { session_id, command: command.type, ...Audit.deedOf(command) }
      if (isAllowed) audit.write("command", by, deed)
      else audit.writeOfStranger("forbidden", by, { session_id, command: command.type })
    })

  /** As limits see it. */
  const placeOf = ({ folder, session_id, tool }: SessionSummary) => ({ session_id, folder, tool })

  const join: SessionRegistry["Service"]["join"] = Effect.fn("SessionRegistry.join")(function*(
    handshake: Handshake
  ): Effect.fn.Return<Joined, JoinError, Scope.Scope> {
    const principal = yield* Principal
    if (handshake.native_session_id !== undefined) {
      yield* demandReach(principal, "relay", "a conversation of a terminal (`native_session_id`)")
    }
    const id = (yield* sessionWith(handshake)) ?? handshake.session_id ?? SessionId.make(yield* ids.uuid)
    let found = entries.get(id)
    while (found?.closing === true) {
      yield* Deferred.await(found.gone)
      found = entries.get(id)
    }
    const sender = senderOf(yield* Sender)
    const doesNothing = !doing.some((scope) => may(principal, scope))
    if (found === undefined) {
      if (doesNothing) yield* demand(principal, "prompt", "opening a session that is not live")
      yield* checkRoom(sender)
    }
    if (found === undefined && handshake.must_exist === true && Option.isNone(yield* journal.find(id))) {
      return yield* new SessionNotFound({ session_id: id })
    }
    // Another may have come while it was looked for.
    const present = entries.get(id)
    if (present?.closing === true || (present === undefined && isDraining)) return yield* join(handshake)
    const entry = present ?? create(id, handshake, sender, principal)
    // Who only looks keeps nothing alive.
    if (!doesNothing) yield* enter(entry)
    const session = yield* Deferred.await(entry.opened)
    yield* demandWithin(principal, placeOf(session.log.summary()))
    const { folder, tool } = session.log.summary()
    const { drivers } = session
    const key = yield* ClientKey
    const by = yield* Sender
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => drivers.enter(key, by)),
      (client) => Effect.sync(() => drivers.leave(client))
    )
    /** One that was carried out before is acknowledged again, whoever drives now. */
    const give = (command: ClientCommand) =>
      Effect.flatMap(Sender, (by): Effect.Effect<void, NotDriving> => {
        const isKnown = session.knows(command)
        const refusal = drivers.admit(client, command.type, by)
        return refusal === undefined || isKnown ? session.submit(command, refusal) : Effect.fail(refusal)
      }).pipe(Effect.provideService(Driving, client))
    audit.write(present === undefined ? "open" : "attach", yield* Sender, {
      session_id: session.id,
      tool,
      folder
    })
    const joined: Joined = {
      session,
      attached: present !== undefined,
      submit: (command) =>
        demandCommand(principal, command, session.isTerminal).pipe(
          Effect.onExit((exit) => noted(command, session.id, Exit.isSuccess(exit))),
          Effect.andThen(give(command))
        )
    }
    return joined
  })

  /** The session is there, as far as the principal can tell. */
  const isThere = Effect.fnUntraced(function*(session_id: SessionId) {
    const live = entries.get(session_id)?.session
    const summary = live === undefined
      ? Option.map(yield* journal.find(session_id), ({ summary }) => summary)
      : Option.some(live.log.summary())
    const principal = yield* Principal
    return Option.isSome(summary) && isWithin(principal, placeOf(summary.value))
  })

  const read: SessionRegistry["Service"]["read"] = Effect.fnUntraced(function*(session_id, after_seq) {
    if (!(yield* isThere(session_id))) return undefined
    const live = entries.get(session_id)?.session
    return live?.log.batches(after_seq) ?? (yield* journal.read(session_id, after_seq))
  })

  const forget = Effect.fn("SessionRegistry.forget")(function*(session_id: SessionId) {
    const entry = entries.get(session_id)
    const { limits } = yield* Principal
    if (limits !== undefined && !(yield* isThere(session_id))) {
      return yield* new SessionNotFound({ session_id })
    }
    if (entry !== undefined) {
      // Who comes from now on waits for what will be there then.
      entry.closing = true
      doneSoon(entry.abandoned, Effect.void)
      yield* Deferred.await(entry.gone)
    }
    const wasKept = yield* journal.forget(session_id)
    marks.forget(session_id)
    timetable.removeOf(session_id)
    yield* checkpoints.forget(session_id)
    tell(session_id)
    if (!wasKept && entry === undefined) return yield* new SessionNotFound({ session_id })
  })

  const change = Effect.fn("SessionRegistry.change")(
    function*(session_id: SessionId, change: SessionChange) {
      if (!(yield* isThere(session_id))) return yield* new SessionNotFound({ session_id })
      yield* Effect.try({
        try: () => marks.change(session_id, change),
        catch: (cause) => new JournalFailed({ folder: settings.state_dir ?? "", reason: messageOf(cause) })
      })
      tell(session_id)
    }
  )

  const all = () => [...entries.values()].flatMap(({ session }) => session ?? [])

  /** As they were listed last: most stay as they are. */
  const closedLines = new WeakMap<object, SessionListing>()

  /** Thousands of lines are made with pauses. */
  const list = Effect.gen(function*() {
    const kept = yield* journal.list
    const principal = yield* Principal
    const pause = makePause()
    const own = all()
    const live = new Set(own.map(({ id }) => id))
    const lines = [...entries.values()].flatMap(({ clients, session }): ReadonlyArray<SessionListing> =>
      session === undefined || !isWithin(principal, session.log.summary())
        ? []
        : [{ ...listedLive(session.log.summary(), clients), ...marks.get(session.id) }]
    )
    for (const session of kept) {
      const { session_id } = session.summary
      const line = closedLines.get(session) ?? { ...listedClosed(session.summary), ...session.marks }
      closedLines.set(session, line)
      const changed = marks.known(session_id)
      if (!live.has(session_id) && isWithin(principal, line)) {
        lines.push(changed === undefined ? line : { ...listedClosed(session.summary), ...changed })
      }
      yield* pause
    }
    return lines
  })

  const listing = (session_id: SessionId): Effect.Effect<SessionListing | undefined> =>
    Effect.suspend(() => {
      const entry = entries.get(session_id)
      return entry?.session !== undefined
        ? Effect.succeed(listedLive(entry.session.log.summary(), entry.clients))
        : Effect.map(
          journal.find(session_id),
          Option.match({ onNone: () => undefined, onSome: ({ summary }) => listedClosed(summary) })
        )
    }).pipe(
      Effect.zipWith(Principal, (line, principal) =>
        line !== undefined && isWithin(principal, line) ? { ...line, ...marks.get(session_id) } : undefined)
    )

  const watch = (onChange: (session_id: SessionId | undefined) => void) => {
    watchers.add(onChange)
    return () => void watchers.delete(onChange)
  }

  const drain = (seconds: number) =>
    Effect.suspend(() => {
      isDraining = true
      return Effect.forEach(all(), (session) => session.drain(seconds), { discard: true })
    })

  const idle = Effect.callback<void>((resume) => {
    const look = () => {
      if (all().every(({ log }) => log.turn() === undefined)) resume(Effect.void)
    }
    // Who hears of a change is in the middle of making it.
    const stop = watch(() => queueMicrotask(look))
    look()
    return Effect.sync(stop)
  })

  // Not `FiberSet.clear`: that waits for one to end before it tells the next.
  const closeAll = Effect.suspend(() => {
    isDraining = true
    tell(undefined)
    return Fiber.interruptAll([...fibers])
  })

  return SessionRegistry.of({
    offerTools: (offered) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => void (tools = offered)),
        () => Effect.sync(() => void (tools = undefined))
      )),
    join,
    drain,
    isDraining: () => isDraining,
    idle,
    closeAll,
    forget,
    change,
    watch,
    listing,
    list,
    read,
    defaultFolder: folders.resolve(".").pipe(Effect.orElseSucceed(() => undefined)),
    all,
    live: (id) => entries.get(id)?.session
  })
})
