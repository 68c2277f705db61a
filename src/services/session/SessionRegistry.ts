/**
 * SessionRegistry: the live sessions, by id.
 *
 * Each session is one fiber, which opens the agent, lives until the conversation is over or nobody uses it, and closes.
 * Shutting down means interrupting all these fibers at once. A session without clients lives on for its `linger`, counted
 * from when it became idle, so that clients need not stay for work to be done.
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
import {
  type ClientCommand,
  type Handshake,
  isSessionId,
  type McpServer,
  SessionId
} from "../../schema/index.js"
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
  outside,
  Principal,
  type PrincipalFields
} from "../access/Principal.js"
import { IdGenerator } from "../IdGenerator.js"
import { Journal, JournalFailed, type SessionInUse, SessionNotFound } from "../journal/Journal.js"
import * as SessionMarks from "../journal/SessionMarks.js"
import type { SessionRecord } from "../journal/SessionRecord.js"
import type { Batch } from "../log/frames.js"
import { listedClosed, listedLive, type SessionListing } from "../log/SessionListing.js"
import type { SessionSummary } from "../log/SessionSummary.js"
import { makePause } from "../makePause.js"
import { NativeSessions } from "../native/NativeSessions.js"
import { Recorder } from "../observe/Recorder.js"
import * as Traces from "../observe/Traces.js"
import { RelayConfig } from "../RelayConfig.js"
import * as Timetable from "../schedule/Timetable.js"
import { Checkpoints } from "../workspace/Checkpoints.js"
import { batchesOf } from "./batchesOf.js"
import { ClientKey, Driving, type NotDriving } from "./Drivers.js"
import { resolveHandshake } from "./Reopening.js"
import { Sender } from "./Sender.js"
import * as Session from "./Session.js"

/** No more sessions can be opened now. */
export class TooManySessions
  extends Schema.TaggedError<TooManySessions>()("TooManySessions", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** Why a session could not be opened or joined. */
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

/** The relay's own tools for agents. */
export interface RelayTools {
  /** The MCP server for this session's agent, with a token of its own. */
  readonly serverFor: (session_id: SessionId) => McpServer
  /** Called when the session is over. */
  readonly end: (session_id: SessionId) => void
}

export interface Joined {
  readonly session: Session.Session
  /** Whether the session was already live. */
  readonly attached: boolean
  /** Submits a command to the session; fails if this client may not send it or another client drives. */
  readonly submit: (command: ClientCommand) => Effect.Effect<void, Forbidden | NotDriving>
}

/** Everything is done on behalf of the current `Principal`; sessions outside its limits do not exist for it. */
export class SessionRegistry extends Context.Service<SessionRegistry, {
  /**
   * Opens the session of this handshake, or attaches to it; closing the scope detaches. A client that may only view opens no
   * session and keeps none alive.
   */
  readonly join: (handshake: Handshake) => Effect.Effect<Joined, JoinError, Scope.Scope>
  /** Offers the relay's tools to agents whose session asks for them (`relay_tools`), while the scope is open. */
  readonly offerTools: (tools: RelayTools) => Effect.Effect<void, never, Scope.Scope>
  /** Lets no session open and no turn begin from now on; tells clients how many seconds running turns have. */
  readonly drain: (seconds: number) => Effect.Effect<void>
  readonly isDraining: () => boolean
  /** Completes when no turn runs. */
  readonly idle: Effect.Effect<void>
  /** Ends all sessions at once; waits until they are gone. */
  readonly closeAll: Effect.Effect<void>
  /** The folder of sessions that name none; undefined if that folder is not allowed. */
  readonly defaultFolder: Effect.Effect<string | undefined>
  /** All live sessions. */
  readonly all: () => ReadonlyArray<Session.Session>
  /** The live session with this id. */
  readonly live: (session_id: SessionId) => Session.Session | undefined
  /** The session's events after `after_seq`, including future ones if it is live. Undefined if there is no such session. */
  readonly read: (
    session_id: SessionId,
    after_seq: number
  ) => Effect.Effect<Stream.Stream<Batch> | undefined, JournalFailed>
  /** Ends the session if it is live, and deletes everything saved of it. */
  readonly forget: (
    session_id: SessionId
  ) => Effect.Effect<void, SessionNotFound | JournalFailed | SessionInUse>
  /** Renames or archives a session. */
  readonly change: (
    session_id: SessionId,
    change: SessionChange
  ) => Effect.Effect<void, SessionNotFound | JournalFailed>
  /**
   * Calls `onChange` with sessions whose listing was changed, added or removed; with undefined, and for the last time, when the
   * relay shuts down. Gives a function that stops it.
   */
  readonly watch: (onChange: (session_id: SessionId | undefined) => void) => () => void
  /** The listing of one session; undefined if there is no such session. */
  readonly listing: (session_id: string) => Effect.Effect<SessionListing | undefined>
  /** Live sessions, then saved ones, the most recently active first. */
  readonly list: Effect.Effect<ReadonlyArray<SessionListing>>
}>()("ai-relay/services/SessionRegistry") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

/** The sender that a session counts for: a token's name, else another machine's address; undefined: not counted. */
const senderOf = ({ address, token }: Sender.Fields): string | undefined =>
  token !== undefined
    ? `token ${token}`
    : address === undefined || isLoopback(address)
    ? undefined
    : peerOf(address)

/** The fields that limits of tokens are about. */
const placeOf = ({ folder, session_id, tool }: SessionSummary) => ({ session_id, folder, tool })

/** A session that never opened counts as being where it was to be opened. */
const placeOfKept = ({ handshake, summary }: SessionRecord) =>
  placeOf({
    ...summary,
    ...(summary.folder === "" && {
      folder: handshake.folder ?? "",
      tool: handshake.tool ?? ""
    })
  })

/** Scopes that allow doing something in a session. */
const doing = ["prompt", "approve", "terminal"] as const

export const shuttingDown = new TooManySessions({
  reason: "the relay is shutting down: connect again when it is back"
})

/** A live session and its users. */
interface Entry {
  readonly opened: Deferred.Deferred<Session.Session, JoinError>
  /** Completed when nobody has used it for `linger` seconds. */
  readonly abandoned: Deferred.Deferred<void>
  readonly gone: Deferred.Deferred<void>
  readonly linger: number
  readonly session_id: SessionId
  /** It has neither an id chosen by its client nor a `linger`: nobody can come back, so it ends with its client. */
  readonly isPrivate: boolean
  clients: number
  closing: boolean
  /** The sender it counts for. */
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

  /** The folder of the session; a conversation from a terminal continues in its own folder. */
  const folderOf = Effect.fnUntraced(function*({ folder, native_session_id, tool }: Handshake) {
    if (folder !== undefined || native_session_id === undefined) return undefined
    const found = yield* Effect.option(native.find(adapters.nameOf(tool ?? "claude"), native_session_id))
    return Option.map(found, ({ summary }) => summary.folder).pipe(Option.getOrUndefined)
  })

  const openSession = Effect.fnUntraced(
    function*(id: SessionId, handshake: Handshake, clients: () => number, principal: PrincipalFields) {
      const kept = yield* journal.find(id)
      // Before anything is said of it: what it is, and that it is there, is told to nobody who may not see it.
      if (Option.isSome(kept)) yield* demandWithin(principal, placeOfKept(kept.value))
      const own = Option.isNone(kept) ? yield* folderOf(handshake) : undefined
      const wanted = yield* resolveHandshake(
        { ...handshake, ...(own !== undefined && { folder: own }) },
        kept
      )
      // A saved session's native id was reported by its agent.
      const { native_session_id: _, ...asked } = wanted
      yield* checkHandshake({ ...asked, ...handshake, tool: wanted.tool }, settings)
      const adapter = yield* adapters.get(wanted.tool)
      yield* demandOpening(principal, handshake, adapter.terminal === true)
      if (principal.limits?.folders !== undefined) {
        // Where they may not look, nobody is told what there is.
        const there = yield* folders.leadsTo(wanted.folder)
        yield* demandWithin(principal, { session_id: id, folder: there, tool: adapter.tool })
      }
      const folder = yield* folders.resolve(wanted.folder)
      yield* demandWithin(principal, { session_id: id, folder, tool: adapter.tool })
      // What it was opened with was granted where it worked.
      if (Option.isSome(kept) && placeOfKept(kept.value).folder !== folder) {
        // A token for a session, and for no folder, is for that session where it is.
        const { limits } = principal
        if (limits?.sessions !== undefined && limits.folders === undefined) return yield* outside(principal)
        yield* demandOpening(principal, wanted, adapter.terminal === true)
      }
      if (handshake.relay_tools === true && tools === undefined) {
        return yield* new BadHandshake({
          reason:
            "this relay offers no tools to agents: start it with --fronts mcp, or leave `relay_tools` out"
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
        // The relay may have noted a conversation that the agent never saved.
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
      // Also if the relay shuts down during the opening, so that nobody waits forever.
      Effect.onExit((exit) => {
        if (Exit.isSuccess(exit)) return Effect.void
        // Clients that come now try again.
        entry.closing = true
        const { cause } = exit
        // Somebody has deleted it while it was being opened.
        const gone = isDraining ? shuttingDown : new SessionNotFound({ session_id: id })
        return Deferred.failCause(entry.opened, Cause.hasInterruptsOnly(cause) ? Cause.fail(gone) : cause)
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

  /** Synchronous, so that clients that arrive together open only one session. */
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
    // Nobody could see its result.
    if (entry.isPrivate) timetable.removeOf(entry.session_id)
    // From now on, clients wait for a new session.
    entry.closing = true
    doneSoon(entry.abandoned, Effect.void)
  }

  /** The last thing a session's agent has reported; a terminal may print forever. */
  const heard = ({ session }: Entry) =>
    session === undefined || session.isTerminal ? 0 : session.log.lastSeq()

  /** Waits until the session has been idle for its whole `linger`, and its agent's background tasks were silent. */
  const outstay = (entry: Entry): Effect.Effect<void> =>
    Deferred.await(entry.opened).pipe(
      Effect.flatMap(({ activity: { untilBusy, untilIdle } }) =>
        Effect.andThen(
          untilIdle,
          Effect.suspend(() => {
            const before = heard(entry)
            const silence = Effect.map(
              Effect.sleep(Duration.seconds(entry.linger)),
              () => heard(entry) === before
            )
            return Effect.raceFirst(silence, Effect.as(untilBusy, false))
          })
        )
      ),
      // Waiting clients are told why it could not be opened.
      Effect.orElseSucceed(() => true),
      Effect.flatMap((isSilent) =>
        isSilent && isIdle(entry) ? Effect.sync(() => abandon(entry)) : outstay(entry)
      )
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
        return shuttingDown
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
        reason: `you have ${own} live sessions: end one, or start the relay with a higher `
          + "--max-sessions-per-sender"
      })
    })

  /** The live session with this native conversation: only one may have it open. */
  const sessionWith = Effect.fnUntraced(function*(handshake: Handshake) {
    const { fork, history, native_session_id, session_id, tool = "claude" } = handshake
    if (native_session_id === undefined || fork === true) return undefined
    const isIts = (summary: Pick<SessionSummary, "native_session_id" | "tool">) =>
      summary.native_session_id === native_session_id && summary.tool === adapters.nameOf(tool)
    const live = all().find(({ log }) => isIts(log.summary()))
    if (live !== undefined && session_id !== undefined && session_id !== live.id) {
      return yield* new ConversationInUse({
        reason: `the session "${live.id}" has this conversation open: attach to it with its \`session_id\``
      })
    }
    if (live !== undefined) return live.id
    if (session_id !== undefined || history === undefined) return undefined
    // Its log has the part that went through the relay.
    return (yield* journal.list).find(({ listing }) => isIts(listing))?.listing.session_id
  })

  /** Writes to the audit log who sent the command, and whether that was allowed. */
  const noted = (command: ClientCommand, session_id: SessionId, isAllowed: boolean) =>
    Effect.map(Sender, (by) => {
      if (!Audit.isNoted(command)) return
      const deed = { session_id, command: command.type, ...Audit.deedOf(command) }
      if (isAllowed) audit.write("command", by, deed)
      else audit.writeOfStranger("forbidden", by, { session_id, command: command.type })
    })

  /** Where the session with this name is or was. */
  const whereIs = (session_id: SessionId) =>
    Effect.suspend(() => {
      const live = entries.get(session_id)?.session
      return live === undefined
        ? Effect.map(journal.find(session_id), Option.map(placeOfKept))
        : Effect.succeedSome(placeOf(live.log.summary()))
    })

  /** Refuses a session outside the limits before anything about it is revealed; one that must exist is not found. */
  const demandVisible = Effect.fnUntraced(
    function*(principal: PrincipalFields, session_id: SessionId, mustExist: boolean) {
      const found = Option.getOrUndefined(yield* whereIs(session_id))
      if (found !== undefined && isWithin(principal, found)) return
      const mayBegin = principal.limits?.sessions?.includes(session_id) ?? true
      if (mustExist && mayBegin) return yield* new SessionNotFound({ session_id })
      if (found !== undefined || !mayBegin) return yield* outside(principal)
    }
  )

  /** Writes to the audit log who wanted to be where their token does not reach. */
  const notedForbidden = (error: JoinError, { folder, session_id, tool }: Handshake) =>
    error._tag !== "Forbidden" ?
      Effect.void :
      Effect.map(Sender, (by) =>
        audit.writeOfStranger("forbidden", by, {
          ...(session_id !== undefined && { session_id }),
          ...(tool !== undefined && { tool }),
          ...(folder !== undefined && { folder })
        }))

  const join: SessionRegistry["Service"]["join"] = Effect.fnUntraced(function*(
    handshake: Handshake
  ): Effect.fn.Return<Joined, JoinError, Scope.Scope> {
    const principal = yield* Principal
    if (handshake.native_session_id !== undefined) {
      yield* demandReach(principal, "relay", "a conversation from a terminal (`native_session_id`)")
    }
    const id = (yield* sessionWith(handshake)) ?? handshake.session_id ?? SessionId.make(yield* ids.uuid)
    let found = entries.get(id)
    while (found?.closing === true) {
      yield* Deferred.await(found.gone)
      found = entries.get(id)
    }
    if (principal.limits !== undefined) yield* demandVisible(principal, id, handshake.must_exist === true)
    const sender = senderOf(yield* Sender)
    const doesNothing = !doing.some((scope) => may(principal, scope))
    if (found === undefined) {
      if (doesNothing) yield* demand(principal, "prompt", "opening a session that is not live")
      yield* checkRoom(sender)
    }
    if (found === undefined && handshake.must_exist === true && Option.isNone(yield* journal.find(id))) {
      return yield* journal.whyMissing(id)
    }
    // Another client may have opened it meanwhile.
    const present = entries.get(id)
    if (present?.closing === true || (present === undefined && isDraining)) return yield* join(handshake)
    const entry = present ?? create(id, handshake, sender, principal)
    // A client that may only view keeps nothing alive.
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
    /** A command that was already executed is acknowledged again, even if another client drives. */
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
  }, (joined, handshake) => Effect.tapError(joined, (error) => notedForbidden(error, handshake)))

  /** Whether the session exists for this principal. */
  const isThere = Effect.fnUntraced(function*(session_id: SessionId) {
    const place = yield* whereIs(session_id)
    const principal = yield* Principal
    return Option.isSome(place) && isWithin(principal, place.value)
  })

  const read: SessionRegistry["Service"]["read"] = Effect.fnUntraced(function*(session_id, after_seq) {
    if (!(yield* isThere(session_id))) return undefined
    const live = entries.get(session_id)?.session
    return live === undefined ? yield* journal.read(session_id, after_seq) : batchesOf(live.log, after_seq)
  })

  const forget = Effect.fnUntraced(function*(session_id: SessionId) {
    const entry = entries.get(session_id)
    const { limits } = yield* Principal
    if (limits !== undefined && !(yield* isThere(session_id))) {
      return yield* new SessionNotFound({ session_id })
    }
    if (entry !== undefined) {
      // Clients that come from now on wait for the next session.
      entry.closing = true
      entry.session?.endsBy("session_deleted")
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

  const change = Effect.fnUntraced(
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

  /** Made with pauses, since there may be thousands. */
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
    for (const { listing, marks: saved } of kept) {
      if (!live.has(listing.session_id) && isWithin(principal, listing)) {
        const newest = marks.known(listing.session_id) ?? saved
        lines.push(newest === undefined ? listing : { ...listing, ...newest })
      }
      yield* pause
    }
    return lines
  })

  const listing = (session_id: string): Effect.Effect<SessionListing | undefined> =>
    Effect.suspend(() => {
      if (!isSessionId(session_id)) return Effect.succeed(undefined)
      const entry = entries.get(session_id)
      return entry?.session !== undefined
        ? Effect.succeed(listedLive(entry.session.log.summary(), entry.clients))
        : Effect.map(
          journal.find(session_id),
          Option.match({ onNone: () => undefined, onSome: ({ summary }) => listedClosed(summary) })
        )
    }).pipe(
      Effect.zipWith(Principal, (line, principal) =>
        line !== undefined && isWithin(principal, line)
          ? { ...line, ...marks.get(line.session_id) }
          : undefined)
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
    // Called in the middle of a change.
    const stop = watch(() => queueMicrotask(look))
    look()
    return Effect.sync(stop)
  })

  // Not `FiberSet.clear`, which interrupts them one by one.
  const closeAll = Effect.suspend(() => {
    isDraining = true
    tell(undefined)
    for (const session of all()) session.endsBy("relay_stopped")
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
