/**
 * NativeAgent: an agent whose conversation people also continue in a terminal.
 *
 * It stands between session and adapter and makes sure that there is only one writer: while a terminal has the conversation
 * open, the agent is not started and gets no prompts. Turns from elsewhere are added to the log, each once, before the session
 * goes on, and the agent is then restarted, because it does not know of them. While it only follows (`following`), it logs
 * what the terminal writes as it happens.
 *
 * If the agent's own daemon has the conversation open for the terminal, the session can join it (`joined`): both sides send
 * prompts and answers, and the daemon reports everything to both in the same order, so nothing has to be added later.
 */
import { Deferred, Duration, Effect, Exit, FiberSet, Latch, Option, Schedule, Scope, Semaphore } from "effect"
import {
  type Adapter,
  type AgentCommand,
  type AgentExit,
  type AgentSession,
  type AgentSpec,
  type Capabilities,
  EventSink,
  PermissionGate
} from "../../adapters/Adapter.js"
import {
  CommandRefused,
  ConversationGone,
  ConversationInUse,
  type OpenError,
  type SendError
} from "../../adapters/AdapterError.js"
import type { NativeHolder, NativeRecord, NativeStore } from "../../adapters/native/NativeStore.js"
import * as NativeTurns from "../../adapters/native/NativeTurns.js"
import { endOfLines } from "../../adapters/native/readLines.js"
import { status } from "../../adapters/wire/statusEvent.js"
import type { EventBody } from "../../schema/index.js"
import type { EventLog } from "../log/EventLog.js"
import * as knownPrompts from "../log/knownPrompts.js"
import { makePause } from "../makePause.js"
import { isOrphan } from "../process/families.js"
import { type ContinueWith, continueWith, type FoundNative, type NativeSessions } from "./NativeSessions.js"

export interface NativeAgent {
  /** The agent for the session, whichever process is behind it. */
  readonly agent: AgentSession
  /** Logs the earlier conversation; runs after `session_start` and before anything else. */
  readonly tellHistory: Effect.Effect<void>
  /** Runs before a prompt: logs turns from elsewhere; fails while somebody else has the conversation open. */
  readonly prepare: Effect.Effect<void, SendError>
  /** Stops the agent and follows the conversation. */
  readonly handOver: Effect.Effect<void, SendError>
  /** Starts the agent again. */
  readonly takeOver: Effect.Effect<void, SendError>
  /**
   * Continues from before a turn: in a copy of the conversation that ends there, if the agent supports that
   * and the turn is found; otherwise in a new conversation that is given the earlier messages as text. The
   * old conversation stays unchanged.
   */
  readonly rewind: (to: RewindTo) => Effect.Effect<RewoundConversation, SendError>
  /** Continues a conversation that was left by `rewind`. */
  readonly goBackTo: (native_session_id: string) => Effect.Effect<void, SendError>
}

export interface RewindTo {
  /** The text the turn began with, and its time in seconds since 1970. */
  readonly prompt: string
  readonly ts: number
  /** The messages before it, for an agent that must be given them; "" if there are none. */
  readonly told: string
}

export interface RewoundConversation {
  /**
   * `copy`: it ends before the turn; `told`: a new one that is given the earlier messages; `new`: there were
   * no earlier messages.
   */
  readonly conversation: "copy" | "told" | "new"
  /** Its id, if the agent has reported it. */
  readonly native_session_id?: string
  /** The conversation that was left. */
  readonly before?: string
}

interface Options {
  readonly adapter: Adapter
  readonly spec: AgentSpec
  readonly log: EventLog["Service"]
  readonly native: NativeSessions["Service"]
  readonly store: NativeStore
  /** The conversation's id as last reported by the agent. */
  readonly toldId: () => string | undefined
  /** The conversation was rewound and nothing was said since: how, and the messages up to there. */
  readonly rewound?: { readonly conversation: RewoundConversation["conversation"]; readonly told: string }
  /** For agents whose conversation ids are chosen by the caller. */
  readonly freshUuid: Effect.Effect<string>
}

const recent = { turns: 50, bytes: 4 * 1024 * 1024 }
/** Bytes of a file read again to find what is new in it. */
const overlap = 64 * 1024
const firstWindow = 1024 * 1024
const lookEvery = Duration.millis(250)
/** How often to look for a terminal while the agent opens the conversation. */
const holdEvery = Duration.seconds(1)
/** How often to look whether the agent of a killed relay has ended. */
const lookAgain = Duration.millis(100)
/** An agent writes the end of a turn after it has reported it. */
const settleAfter = Duration.millis(400)
/** An agent that does not mark the end of a turn has ended it when it is quiet for this long, in ms. */
const quietMs = 3000
const mostSeen = 20_000

/** It is the agent of a relay that was killed, not a terminal. */
const isLeftBehind = (holder: NativeHolder | undefined): boolean =>
  holder?.pid !== undefined && isOrphan(holder.pid)

const asleep: Capabilities = {
  images: true,
  steer: false,
  set_model: false,
  permission_modes: [],
  resume: true,
  terminal: false
}

export const inUseText = (
  store: Pick<NativeStore, "name">,
  { by, pid, waiting_for }: NativeHolder,
  canJoin = false
): string => {
  const orShared = canJoin ? ", or share it with the terminal with `if_open`: \"join\"" : ""
  const who = pid === undefined ? store.name : `${store.name} (process ${pid})`
  return by === "background"
    ? `the conversation runs as a background agent of ${store.name}: wait for it, or stop it there`
    : by === "unknown"
    ? `${who} is running in this folder and may have the conversation open: quit it there, or open the conversation with `
      + "`if_open`: \"follow\""
    : `the conversation is open in ${who}${
      waiting_for === undefined ? "" : `, which waits for ${waiting_for}`
    }: quit it there, or open it with \`if_open\`: "follow"${orShared}`
}

export const open = Effect.fnUntraced(function*(options: Options) {
  const { adapter, freshUuid, log, native, rewound, spec, store, toldId } = options
  const sink = yield* EventSink
  const gate = yield* PermissionGate
  const scope = yield* Effect.scope
  const later = yield* FiberSet.makeRuntime<never>()
  const exited = yield* Deferred.make<AgentExit>()
  let current: { readonly agent: AgentSession; readonly scope: Scope.Closeable } | undefined
  /** What the agent reported when it was last started. */
  let started: AgentSession["started"] | undefined
  let rules: AgentSession["native"]
  let isFollowing = false
  /** Open while the conversation is followed: before that nothing is read and no timer runs. */
  const following = Latch.makeUnsafe()
  const setFollowing = (is: boolean) => {
    isFollowing = is
    if (is) Latch.openUnsafe(following)
    else Latch.closeUnsafe(following)
  }
  let isJoined = false
  /** The agent's own command continues it, because this session handed it over. */
  let isHandedOver = false
  let where: FoundNative | undefined
  /** How much of the file is in the log: up to this size and time; `lines` is the end of its last whole line. */
  let seen:
    | {
      readonly size: number
      readonly lines: number
      readonly ino: number
      readonly mtime: number
      readonly ts: number
    }
    | undefined
  const seenKeys = new Set<string>()
  let turns = NativeTurns.make({ origin: "terminal" })

  /** Runs one step at a time, so that none sees another half done. */
  const turnstile = yield* Semaphore.make(1)
  const alone = turnstile.withPermits(1)

  /** After a rewind, this is the conversation until the agent reports another. */
  let moved: { readonly from: string | undefined; readonly to: string | undefined } | undefined
  /** Text that the agent must be told before the next prompt. */
  let untold = ""

  const nativeId = () =>
    moved !== undefined && moved.from === toldId()
      ? moved.to
      : toldId() ?? started?.native_session_id ?? (spec.fork === true ? undefined : spec.native_session_id)

  // --- the agent's process -----------------------------------------------------------------------------------------

  /** The agent's output while the earlier history is still being logged. */
  let held: Array<() => void> | undefined
  /** A client that names a conversation gets of its past what the agent itself repeats, unless it asks for the history. */
  const wantsHistory = spec.history !== undefined && spec.history !== "none" && spec.history !== false
  let isPastLogged = spec.begins_anew === true || wantsHistory
  /** A restarted agent repeats the conversation; the log has it, with what was said in a terminal. */
  const isRepeated = ({ metadata }: EventBody) =>
    isPastLogged && metadata?.["replay"] === true && !sink.inTurn() && log.summary().turns > 0
  /** The sink; also reads the conversation's file after each turn. */
  const heard: EventSink["Service"] = {
    ...sink,
    emit: (event, raw, encoding) => {
      if (held !== undefined) return void held.push(() => heard.emit(event, raw, encoding))
      if (isRepeated(event)) return
      sink.emit(event, raw, encoding)
      if (event.type === "turn_end") settleSoon()
    },
    splice: (event, text, raw) => {
      if (held !== undefined) return void held.push(() => heard.splice(event, text, raw))
      sink.splice(event, text, raw)
    }
  }
  const release = () => {
    const early = held ?? []
    held = undefined
    for (const tell of early) tell()
  }

  const start = (spec: AgentSpec): Effect.Effect<void, OpenError> =>
    Effect.gen(function*() {
      const inner = yield* Scope.fork(scope)
      // The agent would delete it at this start too.
      if (where !== undefined) yield* native.removeLeftovers(where)
      const agent = yield* adapter.open(spec).pipe(
        Effect.provideService(EventSink, heard),
        Effect.provideService(PermissionGate, gate),
        Effect.provideService(Scope.Scope, inner),
        Effect.onError((cause) => Scope.close(inner, Exit.failCause(cause)))
      )
      current = { agent, scope: inner }
      started = agent.started
      rules = agent.native
      setFollowing(false)
      isHandedOver = false
      isJoined = spec.join !== undefined
      const ended = Effect.flatMap(agent.exit, (how): Effect.Effect<unknown> =>
        current?.agent !== agent
          ? Effect.void
          : isJoined
          ? alone(part)
          : Deferred.succeed(exited, how))
      yield* Effect.forkIn(ended, scope)
    })

  const stop = Effect.suspend(() => {
    const old = current
    current = undefined
    return old === undefined ? Effect.void : Scope.close(old.scope, Exit.void)
  })

  /**
   * Opens the same conversation again, because the previous process has not seen all of it; at `join`, the
   * daemon that has it.
   */
  const startAgain = (join?: string) =>
    Effect.suspend(() => {
      isPastLogged = true
      const id = nativeId()
      const { fork: _, native_session_id: __, ...rest } = spec
      return start({
        ...rest,
        ...(id !== undefined && { native_session_id: id }),
        ...(join !== undefined && { join })
      })
    }).pipe(
      Effect.mapError((error) =>
        new CommandRefused({
          reason: `${store.name} could not continue the conversation: ${error.message}`
        })
      )
    )

  // --- the conversation's file -------------------------------------------------------------------------------------

  /** An agent that must be asked is asked only if something may have been said elsewhere. */
  const { ask } = store

  const locate = Effect.gen(function*() {
    const id = nativeId()
    if (id === undefined || ask !== undefined) return where
    const stamp = where?.file.id === id ? native.files.stamp(where.file.path) : undefined
    if (where !== undefined && stamp !== undefined) {
      where = { ...where, file: { ...where.file, stamp } }
      return where
    }
    where = yield* native.locate(store.tool, id, spec.folder)
    return where
  })

  const holderOf = ({ file, summary }: FoundNative) => store.holder(file, summary.folder)

  /** Who has the conversation open, once any agent that a killed relay left behind has ended. */
  const settledHolder = (found: FoundNative) =>
    Effect.repeat(Effect.sync(() => holderOf(found)), {
      while: isLeftBehind,
      schedule: Schedule.spaced(lookAgain),
      times: 50
    })

  /** Who has opened it, once somebody does. */
  const untilHeld = (found: FoundNative): Effect.Effect<NativeHolder> =>
    Effect.sync(() => holderOf(found)).pipe(
      Effect.delay(holdEvery),
      Effect.flatMap((by) => by === undefined || isLeftBehind(by) ? untilHeld(found) : Effect.succeed(by))
    )

  const append = (events: ReadonlyArray<NativeTurns.TimedEvent>) =>
    Effect.callback<void>((resume) => {
      const hasRoom = log.unsafeBatch(() => events.forEach(({ event, ts }) => log.unsafeAppendAt(event, ts)))
      if (hasRoom) resume(Effect.void)
      else log.unsafeOnceDrained(() => setImmediate(() => resume(Effect.void)))
    })

  const tellTurn = (records: ReadonlyArray<NativeRecord>, marks: Readonly<Record<string, unknown>>) =>
    Effect.suspend(() => {
      const assembler = NativeTurns.make(marks)
      const told = records.flatMap((record) => assembler.push(record))
      return append([...told, ...assembler.finish()])
    })

  const remember = (records: ReadonlyArray<NativeRecord>, { file: { path, stamp } }: FoundNative) => {
    for (const { key } of records) seenKeys.add(key)
    for (const key of seenKeys) {
      if (seenKeys.size <= mostSeen) break
      seenKeys.delete(key)
    }
    const { ino, mtime, size } = stamp
    const lines = ask === undefined ? endOfLines(native.files, path, size) : size
    seen = { size, lines, ino, mtime, ts: Math.max(seen?.ts ?? 0, records.at(-1)?.ts ?? 0) }
  }

  const hasChanged = ({ file: { stamp } }: FoundNative) =>
    stamp.size !== seen?.size || stamp.ino !== seen.ino || stamp.mtime !== seen.mtime

  const prompted = (turns: ReadonlyArray<ReadonlyArray<NativeRecord>>) =>
    turns.flatMap((records) => {
      const [first] = records
      return first?.prompt === undefined ? [] : [{ records, ts: first.ts, prompt: first.prompt }]
    })

  /** It was logged live. */
  const isTold = (records: ReadonlyArray<Pick<NativeRecord, "key">>) => {
    const hasTold = current?.agent.hasTold
    return hasTold !== undefined && records.some(({ key }) => hasTold(key))
  }

  /** Turns that are not in the log yet, and how much of the file was read to find them. */
  const findFresh = (found: FoundNative) =>
    Effect.gen(function*() {
      const { size } = found.file.stamp
      const known = log.summary().known_prompts ?? []
      for (
        let bytes = seen !== undefined
          ? Math.max(0, size - seen.lines) + overlap
          // The last known records are near the end.
          : known.length > 0
          ? overlap
          : firstWindow;;
        bytes *= 4
      ) {
        const { complete, records, undated } = yield* native.history(found, bytes)
        const all = NativeTurns.byTurn(records)
        const those = prompted(complete ? all : all.slice(1)).filter(({ records }) => !isTold(records))
        const lastSeen = undated === true ?
          -1 :
          all.findLastIndex((turn) => turn.some(({ key }) => seenKeys.has(key)))
        if (lastSeen !== -1) {
          const later = prompted(all.slice(lastSeen + 1)).filter(({ records }) => !isTold(records))
          return { fresh: later.slice(knownPrompts.knownOf(later, known, true)), records }
        }
        const place = undated === true
          ? knownPrompts.knownUndated(those.map(({ prompt }) => prompt), known)
          : knownPrompts.knownOf(those, known)
        const isWhole = complete || bytes >= size
        // The known records are further back: without one of them the first new turn may be a part.
        const isKnown = seen === undefined
          ? place > 0 || known.length === 0
          : seenKeys.size === 0 || undated === true
        if (!isKnown && !isWhole) continue
        const since = seen?.ts ?? (known.length > 0 ? 0 : log.summary().last_active_at)
        const fresh = those.slice(place).filter(({ ts }) => undated === true || ts > since)
        return { fresh, records }
      }
    })

  /** Logs turns that are not in the log yet; gives their number. */
  const takeIn = (found: FoundNative) =>
    Effect.gen(function*() {
      const { fresh, records } = yield* findFresh(found)
      const pause = makePause()
      for (const { records } of fresh) {
        yield* tellTurn(records, { origin: "terminal" })
        yield* pause
      }
      remember(records, found)
      return fresh.length
    })

  /** After a turn of the relay's own: its records count as known, so that the next prompt has nothing to read. */
  const settle = Effect.gen(function*() {
    if (isFollowing || ask !== undefined || log.turn() !== undefined) return
    const found = yield* locate
    if (found === undefined || !hasChanged(found)) return
    const { fresh, records } = yield* findFresh(found)
    // Turns from elsewhere are logged before a prompt: the agent must restart to know of them.
    if (fresh.length === 0) remember(records, found)
  }).pipe(
    Effect.catchCause((cause) => Effect.logError("a conversation could not be read", cause))
  )
  let isSettling = false
  const settleSoon = () => {
    if (isSettling) return
    isSettling = true
    later(Effect.delay(
      Effect.suspend(() => {
        isSettling = false
        return alone(settle)
      }),
      settleAfter
    ))
  }

  // --- following ---------------------------------------------------------------------------------------------------

  /** In another file, or one that was rewritten, positions are unknown. */
  const followWindow = ({ file: { stamp } }: FoundNative) =>
    seen === undefined || stamp.ino !== seen.ino || stamp.size < seen.size - 4 * overlap
      ? Number.POSITIVE_INFINITY
      : Math.max(0, stamp.size - seen.lines) + 4 * overlap

  let lastGrowth = 0
  const look = Effect.gen(function*() {
    const found = yield* locate
    if (found === undefined || ask !== undefined) return
    if (!hasChanged(found)) {
      if (turns.hasAnswer() && native.files.now() - lastGrowth > quietMs) {
        yield* append(turns.finish("end_turn"))
      }
      return
    }
    const { records } = yield* native.history(found, followWindow(found))
    // Anything before the remembered records was logged long ago.
    const first = Math.max(0, records.findIndex(({ key }) => seenKeys.has(key)))
    const fresh = records.slice(first).filter((record) => !seenKeys.has(record.key) && !isTold([record]))
    remember(records, found)
    if (isHandedOver) yield* native.removeLeftovers(found)
    if (fresh.length === 0) return
    lastGrowth = native.files.now()
    yield* append(fresh.flatMap((record) => turns.push(record)))
  })

  let toldHolder: string | undefined
  const tellHolder = Effect.gen(function*() {
    if (ask !== undefined) return
    const found = yield* locate
    const holder = found && holderOf(found)
    const now = holder === undefined ? "" : `${holder.pid} ${holder.state} ${holder.waiting_for}`
    if (now === toldHolder) return
    const before = toldHolder
    toldHolder = now
    if (holder === undefined) {
      if (before === undefined) return
      yield* append(turns.finish())
      return sink.emit(status(
        "released",
        `${store.name} was quit in the terminal: the next prompt continues the conversation here.`,
        { drive: "following" }
      ))
    }
    const joins = found !== undefined && store.join?.(found.file) !== undefined
    const open = { ...holder, ...(joins && { join: true }) }
    sink.emit(
      holder.state === "waiting"
        ? status(
          "waiting",
          `${store.name} is waiting in the terminal: ${holder.waiting_for ?? "for an answer"}`,
          {
            open,
            reason: "in_use"
          }
        )
        : status("open_elsewhere", `${store.name} has the conversation open in a terminal.`, { open })
    )
  })

  // Handing the agent over first logs its last output; taking over in the meantime ends the following.
  const step = Effect.suspend(() => isFollowing ? Effect.andThen(look, tellHolder) : Effect.void)

  const follow = Effect.gen(function*() {
    for (;;) {
      yield* Latch.await(following)
      yield* Effect.sleep(lookEvery)
      if (isFollowing) yield* alone(step)
    }
  })
  yield* Effect.forkIn(
    Effect.catchCause(follow, (cause) => Effect.logError("following ended", cause)),
    scope
  )

  // --- what the session asks for -----------------------------------------------------------------------------------

  const inUse = (holder: NativeHolder) =>
    new CommandRefused({ reason: inUseText(store, holder), code: "in_use" })

  /** The daemon is gone or has released it: everything it reported is in the log. */
  const part = Effect.gen(function*() {
    yield* stop
    isJoined = false
    setFollowing(true)
    turns = NativeTurns.make({ origin: "terminal" })
    const found = yield* locate
    if (found !== undefined) remember((yield* native.history(found, firstWindow)).records, found)
    toldHolder = ""
    sink.emit(status(
      "released",
      `${store.name} has closed the conversation: the next prompt continues it here.`,
      { drive: "following" }
    ))
  })

  /** Joins the daemon that has the conversation open for the terminal. */
  const joinAt = (address: string) =>
    Effect.gen(function*() {
      // Half of the turn was logged from the file: joining now would log all of it again.
      if (turns.isOpen() && !turns.hasAnswer()) {
        return yield* new CommandRefused({
          reason: `${store.name} is working in the terminal: wait for the end of its turn`,
          code: "in_use"
        })
      }
      held = []
      yield* Effect.ensuring(
        Effect.gen(function*() {
          yield* startAgain(address)
          yield* look
          yield* append(turns.finish("end_turn"))
        }),
        Effect.sync(release)
      )
      tellDriving()
    })

  const tellDriving = () => {
    const { capabilities } = started ?? {}
    sink.emit(status("taken_over", undefined, {
      drive: isJoined ? "joined" : "own",
      ...(capabilities !== undefined && { capabilities })
    }))
  }

  /** The conversation as its agent reports it now. */
  const askAgain = Effect.gen(function*() {
    const id = nativeId()
    if (ask === undefined || id === undefined) return
    yield* ask.forget
    where = Option.getOrUndefined(yield* Effect.option(native.find(store.tool, id)))
  })

  const takeOver = Effect.gen(function*() {
    if (!isFollowing) return
    yield* askAgain
    const found = yield* locate
    const holder = found && (yield* settledHolder(found))
    const address = holder && found && store.join?.(found.file)
    if (address !== undefined) return yield* joinAt(address)
    if (holder !== undefined) return yield* inUse(holder)
    setFollowing(false)
    if (ask !== undefined && found !== undefined) yield* takeIn(found)
    yield* look
    yield* append(turns.finish())
    yield* Effect.tapError(startAgain(), () => Effect.sync(() => setFollowing(true)))
    tellDriving()
  })

  const prepare = Effect.gen(function*() {
    if (isFollowing) return yield* takeOver
    if (ask !== undefined || isJoined) return
    const found = yield* locate
    if (found === undefined) return
    const holder = yield* settledHolder(found)
    if (holder !== undefined) return yield* inUse(holder)
    if (!hasChanged(found)) return
    if ((yield* takeIn(found)) === 0) return
    sink.emit(status(
      "reloaded",
      `The conversation with ${store.name} was continued in a terminal: the new turns are added, and the agent is restarted.`
    ))
    yield* stop
    yield* startAgain()
  })

  const onward = (): ContinueWith | undefined => {
    const id = nativeId()
    return id === undefined ? undefined : continueWith(store, id, where?.summary.folder ?? spec.folder)
  }

  const handOver = Effect.gen(function*() {
    const onto = onward()
    if (onto === undefined) {
      return yield* new CommandRefused({
        reason: `${store.name} has no conversation to continue yet: send a prompt first`
      })
    }
    const wasDriving = !isFollowing
    if (log.turn() !== undefined && wasDriving) {
      return yield* new CommandRefused({
        reason: "a turn is running: wait for its end or interrupt it, then hand over"
      })
    }
    setFollowing(true)
    isJoined = false
    isHandedOver = true
    turns = NativeTurns.make({ origin: "terminal" })
    yield* stop
    // Only now is everything it said written to disk.
    const found = ask === undefined ? yield* locate : undefined
    if (found !== undefined) {
      if (wasDriving) yield* takeIn(found)
      const { records } = yield* native.history(found, firstWindow)
      if (wasDriving) remember(records, found)
      const copy = store.keepCopy === true ? yield* native.keepCopy(found) : undefined
      toldHolder = ""
      return sink.emit(status("handed_over", `Continue in a terminal: ${onto.shell}`, {
        continue_with: onto,
        drive: "following",
        ...(copy !== undefined && { copy })
      }))
    }
    sink.emit(
      status("handed_over", `Continue in a terminal: ${onto.shell}`, {
        continue_with: onto,
        drive: "following"
      })
    )
  })

  // --- going back --------------------------------------------------------------------------------------------------

  /** Where a copy must end to leave out the turn; "" if the turn was the first. */
  const placeBefore = ({ prompt, ts }: RewindTo) =>
    Effect.gen(function*() {
      const found = ask === undefined && store.forksAt === true ? yield* locate : undefined
      if (found === undefined) return undefined
      const { records } = yield* native.history(found, Number.POSITIVE_INFINITY)
      const hash = knownPrompts.hashOf(prompt)
      const at = records.findLastIndex((record) =>
        record.prompt !== undefined && knownPrompts.hashOf(record.prompt) === hash
        && Math.abs(record.ts - ts) <= knownPrompts.latest
      )
      if (at === -1) return undefined
      const before = records.slice(0, at)
      return before.some((record) => record.prompt !== undefined) ? before.at(-1)?.anchor : ""
    })

  /** Continue in another conversation. If the new one cannot be opened, the current one stays. */
  const moveTo = (other: AgentSpec) =>
    Effect.gen(function*() {
      const [from, before] = [toldId(), nativeId()]
      yield* stop
      where = undefined
      yield* start(other).pipe(
        Effect.tapError(() => Effect.ignore(startAgain())),
        Effect.mapError((error) =>
          new CommandRefused({ reason: `${store.name} could not continue from there: ${error.message}` })
        )
      )
      seen = undefined
      seenKeys.clear()
      moved = {
        from,
        to: other.fork === true || other.native_session_id === undefined
          ? started?.native_session_id
          : other.native_session_id
      }
      return before
    })

  const notHere = () =>
    new CommandRefused({
      reason:
        `${store.name} is not running here, and the conversation is only followed: send take_over, then rewind`,
      code: "in_use"
    })

  const rewind = (to: RewindTo) =>
    Effect.gen(function*() {
      if (isFollowing) return yield* notHere()
      const id = nativeId()
      const place = to.told === "" ? "" : id === undefined ? undefined : yield* placeBefore(to)
      const { fork: _, fork_at: __, native_session_id: ___, history: ____, ...plain } = spec
      const fresh = { ...plain, fresh_uuid: yield* freshUuid }
      const isCopy = place !== undefined && place !== "" && id !== undefined
      const before = yield* moveTo(
        isCopy ? { ...fresh, native_session_id: id, fork: true, fork_at: place, begins_anew: false } : fresh
      )
      untold = isCopy || place === "" ? "" : to.told
      const rewound: RewoundConversation = {
        conversation: isCopy ? "copy" : place === "" ? "new" : "told",
        ...(moved?.to !== undefined && { native_session_id: moved.to }),
        ...(before !== undefined && { before })
      }
      return rewound
    })

  const goBackTo = (native_session_id: string) =>
    Effect.gen(function*() {
      if (isFollowing) return yield* notHere()
      const { fork: _, fork_at: __, history: ___, ...plain } = spec
      yield* moveTo({ ...plain, native_session_id, begins_anew: false })
      untold = ""
    })

  /**
   * A prompt is sent after the text the agent does not know yet; text that could not be sent goes with the
   * next prompt.
   */
  const send = (agent: AgentSession, command: AgentCommand): ReturnType<AgentSession["send"]> => {
    if (untold === "" || command.type !== "user_message") return agent.send(command)
    const text = untold
    untold = ""
    return agent.send({ ...command, content: [{ type: "text", text }, ...command.content] }).pipe(
      Effect.tapError(() => Effect.sync(() => void (untold = text)))
    )
  }

  // --- opening -------------------------------------------------------------------------------------------------------

  // A resumed session does not need to ask the agent for it.
  const wantsIt = ask === undefined || wantsHistory || spec.follow === true
  // A conversation that began again is in no file before the first prompt.
  const isThere = rewound === undefined || rewound.conversation === "copy"
  const asked = spec.native_session_id === undefined || !wantsIt || !isThere
    ? undefined
    : Option.getOrUndefined(yield* Effect.option(native.find(store.tool, spec.native_session_id)))
  const chosen = spec.begins_anew === true ? undefined : spec.native_session_id
  // Some agents continue any conversation, in whatever folder they are started.
  if (chosen !== undefined && asked === undefined && (yield* native.isHidden(store.tool, chosen))) {
    return yield* new ConversationGone({ tool: store.name, native_session_id: chosen })
  }
  const holder = asked && (yield* settledHolder(asked))
  const { if_open = "refuse" } = spec
  const wantsCopy = spec.fork === true || (holder !== undefined && if_open === "fork")
  if (wantsCopy && !store.forks) {
    return yield* new ConversationInUse({
      reason: `${store.name} cannot continue a copy of a conversation: quit it in the terminal, or follow it`
    })
  }
  const address = holder === undefined || asked === undefined ? undefined : store.join?.(asked.file)
  const joins = address !== undefined && if_open === "join" && !wantsCopy && spec.follow !== true
  if (holder !== undefined && !wantsCopy && !joins && spec.follow !== true && if_open !== "follow") {
    return yield* new ConversationInUse({ reason: inUseText(store, holder, address !== undefined) })
  }
  if (ask !== undefined && (spec.follow === true || (holder !== undefined && if_open === "follow"))) {
    return yield* new ConversationInUse({
      reason:
        `conversations with ${store.name} in a terminal cannot be followed: quit it there, then open the conversation`
    })
  }
  setFollowing(
    asked !== undefined && (spec.follow === true || (holder !== undefined && !wantsCopy && !joins))
  )
  const { fork: _, ...plain } = spec
  /** Earlier messages are read before the agent may write them again. */
  const before = wantsHistory ? asked : undefined
  where = wantsCopy ? undefined : asked
  if (rewound !== undefined && asked === undefined) {
    const { native_session_id: _left, ...fresh } = plain
    yield* start(fresh)
    moved = { from: toldId(), to: started?.native_session_id }
    untold = rewound.told
  } else if (!isFollowing && (wantsCopy || joins || asked === undefined)) {
    yield* start(wantsCopy ? { ...spec, fork: true } : joins ? { ...plain, join: address } : plain)
  } else if (!isFollowing && asked !== undefined) {
    // An agent may wait for a terminal that opened it a moment after we looked.
    const taken = yield* Effect.raceFirst(Effect.as(start(plain), undefined), untilHeld(asked))
    if (taken !== undefined && (if_open !== "follow" || ask !== undefined)) {
      return yield* new ConversationInUse({ reason: inUseText(store, taken) })
    }
    setFollowing(taken !== undefined)
  }
  yield* Effect.addFinalizer(() => Deferred.succeed(exited, { stderr: [] }))

  const tellPast = (past: FoundNative) =>
    Effect.gen(function*() {
      const isAll = spec.history === "all"
      let before: string | undefined
      log.unsafeAppend(status("history", undefined, { state: "begin" }))
      if (isAll) {
        const { records } = yield* native.history(past, Number.POSITIVE_INFINITY)
        const pause = makePause()
        for (const turn of NativeTurns.byTurn(records)) {
          if (isTold(turn)) continue
          yield* tellTurn(turn, {})
          yield* pause
        }
      } else {
        const page = yield* native.page(past, recent)
        before = page.before
        for (const turn of splitTurns(page.events)) {
          if (!isTold(keysOf(turn))) yield* append(turn)
        }
      }
      log.unsafeAppend(status("history", undefined, {
        state: "end",
        complete: before === undefined,
        ...(before !== undefined && { before })
      }))
    })

  const tellHistory = Effect.gen(function*() {
    const hasPast = log.summary().turns > 0
    if (before !== undefined && !hasPast) yield* tellPast(before)
    const found = yield* locate
    if (found === undefined) return
    if (hasPast) yield* takeIn(found)
    else if (ask === undefined) {
      const { records } = yield* native.history(found, firstWindow)
      remember(records, found)
    }
    if (isFollowing) yield* tellHolder
  }).pipe(
    // The conversation can be continued anyway.
    Effect.catchDefect((defect) => Effect.logError("a history could not be read", defect))
  )

  const agent: AgentSession = {
    started: {
      get cmd() {
        return started?.cmd ?? []
      },
      get native_session_id() {
        return nativeId() ?? ""
      },
      get resumed() {
        return spec.native_session_id !== undefined
      },
      capabilities: {
        get images() {
          return (started?.capabilities ?? asleep).images
        },
        get steer() {
          return (started?.capabilities ?? asleep).steer
        },
        get set_model() {
          return (started?.capabilities ?? asleep).set_model
        },
        get permission_modes() {
          return (started?.capabilities ?? asleep).permission_modes
        },
        get resume() {
          return (started?.capabilities ?? asleep).resume
        },
        terminal: false
      },
      get metadata() {
        const onto = onward()
        return {
          ...started?.metadata,
          drive: isFollowing ? "following" : isJoined ? "joined" : "own",
          can_fork: store.forks,
          ...(onto !== undefined && { continue_with: onto })
        }
      }
    },
    get native() {
      return rules ?? { harmless: {} }
    },
    send: (command) =>
      Effect.suspend(() =>
        current === undefined
          ? new CommandRefused({
            reason:
              `${store.name} is not running here, and the conversation is only followed: send a prompt or take_over`,
            code: "in_use"
          })
          : send(current.agent, command)
      ),
    exit: Deferred.await(exited)
  }
  const made: NativeAgent = {
    agent,
    tellHistory: alone(tellHistory),
    prepare: alone(prepare),
    handOver: alone(handOver),
    takeOver: alone(takeOver),
    rewind: (to) => alone(rewind(to)),
    goBackTo: (native_session_id) => alone(goBackTo(native_session_id))
  }
  return made
})

/** The keys of a turn's records, as far as it was logged. */
const keysOf = (turn: ReadonlyArray<NativeTurns.TimedEvent>): ReadonlyArray<Pick<NativeRecord, "key">> =>
  turn.flatMap(({ event }) => {
    const key = event.type === "turn_start" ? event.metadata?.["native_key"] : undefined
    return typeof key === "string" ? [{ key }] : []
  })

/** A page's events by turn, so that each is logged in one piece. */
const splitTurns = (events: ReadonlyArray<NativeTurns.TimedEvent>) => {
  const turns: Array<Array<NativeTurns.TimedEvent>> = []
  for (const event of events) {
    const last = turns.at(-1)
    if (last === undefined || event.event.type === "turn_start") turns.push([event])
    else last.push(event)
  }
  return turns
}
