/**
 * Session: one conversation with one agent; an actor that outlives its clients' sockets.
 *
 * Commands enter through a bounded inbox and are handled one at a time by one fiber. Those for the agent go on into a lane of
 * their own, so that an interrupt or an answer never waits behind them. The agent's output goes straight into the log
 * (`SessionSink`). Each turn has a fiber of its own. Closing the scope stops the turn, the agent and everything it started,
 * and logs how they ended.
 */
import { Clock, Context, Deferred, Effect, Exit, FiberSet, Queue, Random, Scope, Semaphore } from "effect"
import {
  type Adapter,
  type AgentExit,
  type AgentSpec,
  EventSink,
  PermissionGate
} from "../../adapters/Adapter.js"
import { BadHandshake, ConversationGone, type OpenError } from "../../adapters/AdapterError.js"
import { doneSoon } from "../../adapters/doneSoon.js"
import type {
  BodyOf,
  ClientCommand,
  EventBody,
  PermissionRequest,
  SessionId,
  Usage
} from "../../schema/index.js"
import * as Audit from "../access/Audit.js"
import { tellingOverwrites } from "../access/overwriteDiff.js"
import { AgentHold, SessionHold } from "../budget/AgentHold.js"
import * as BudgetBook from "../budget/BudgetBook.js"
import * as BudgetGuard from "../budget/BudgetGuard.js"
import * as VendorLimit from "../budget/VendorLimit.js"
import { completesWithin } from "../completesWithin.js"
import { IdGenerator } from "../IdGenerator.js"
import type { Opened } from "../journal/Journal.js"
import * as EventLog from "../log/EventLog.js"
import { makeMemory } from "../log/EventStore.js"
import type { SessionSummary } from "../log/SessionSummary.js"
import * as NativeAgent from "../native/NativeAgent.js"
import type { NativeSessions } from "../native/NativeSessions.js"
import * as Metrics from "../observe/Metrics.js"
import { decide } from "../policy/Policy.js"
import { RelayConfig } from "../RelayConfig.js"
import * as plan from "../schedule/plan.js"
import * as Timetable from "../schedule/Timetable.js"
import { Checkpoints } from "../workspace/Checkpoints.js"
import * as Activity from "./Activity.js"
import * as Commands from "./Commands.js"
import { sizeOf } from "./commandSize.js"
import * as Drivers from "./Drivers.js"
import * as Ending from "./Ending.js"
import { leftOpen } from "./leftOpen.js"
import { pastTurns, toTold } from "./pastTurns.js"
import * as PermissionBroker from "./PermissionBroker.js"
import * as Rewinds from "./Rewinds.js"
import { Sender } from "./Sender.js"
import * as SessionSink from "./SessionSink.js"
import * as Turn from "./Turn.js"

export interface Session {
  readonly id: SessionId
  readonly log: EventLog.EventLog["Service"]
  /** Whether the session is a terminal, where input takes effect at once. */
  readonly isTerminal: boolean
  /** The last `seq` from before this opening; 0 for a new session. */
  readonly since: number
  /**
   * Puts a command into the inbox, after waiting while that is full. Its effects appear in the log, together with the `Sender`
   * for answers to permission requests. With a `refusal` the command is acknowledged if it was executed before, else refused.
   */
  readonly submit: (command: ClientCommand, refusal?: Drivers.NotDriving) => Effect.Effect<void>
  /** Whether a command with this `message_id` was executed, or is about to be. */
  readonly knows: (command: ClientCommand) => boolean
  /** Decides which client may send commands. */
  readonly drivers: Drivers.Drivers
  /** Lets no new turn begin and tells clients; the running turn may go on for this many seconds. */
  readonly drain: (seconds: number) => Effect.Effect<void>
  /** Completes when the session is over: the agent is gone, or a client sent `end`. */
  readonly over: Effect.Effect<void>
  /** Called before its scope is closed by somebody who does not wait for its work: clients are told why. */
  readonly endsBy: (ending: Ending.Ending) => void
  /** `session_start` for a client that attaches now. */
  readonly describe: () => BodyOf<"session_start">
  /** Requests without an answer, oldest first; each is the same object as long as it is open. */
  readonly pending: () => ReadonlyArray<PermissionRequest>
  /** Lengths of its queues. */
  readonly load: () => Load
  /** The turns it can be rewound to. */
  readonly rewinds: Pick<Rewinds.Rewinds, "list" | "preview">
  /** Idle means: no turn runs, no prompt or command waits, and no question is open. */
  readonly activity: Pick<Activity.Activity, "isIdle" | "untilIdle" | "untilBusy">
}

export interface Load {
  readonly tool: string
  /** Commands in the inbox. */
  readonly inbox: number
  /** Prompts behind the running turn. */
  readonly queued: number
  /** Permissions without an answer. */
  readonly pending: number
  /** Events that its slowest client has not read. */
  readonly lag: number
}

interface Submission {
  readonly command: ClientCommand
  readonly by: Sender.Fields
  readonly client: Drivers.Client | undefined
  readonly refusal: Drivers.NotDriving | undefined
  /** Bytes it takes of the inbox; 0 for a small command. */
  readonly bytes: number
}

/** Commands that may wait in the inbox. */
const inboxSize = 64
/** Smaller commands, such as an interrupt or an answer, do not wait for room: their number limits them. */
const smallBytes = 64 * 1024
/** How long the end of a session waits for its turn to stop by itself, in ms. */
const lastWordsMs = 1000

/** Settles what the previous relay left open. */
const settleOld = (
  log: EventLog.EventLog["Service"],
  before: SessionSummary,
  usage: Usage | undefined
) => log.unsafeBatch(() => leftOpen(before, usage).forEach((event) => log.unsafeAppend(event)))

type Ports = EventSink | PermissionGate | Scope.Scope
/** Opens the agent, with a new conversation if the session's own is gone; that is told in the log. */
const openAgent = (
  adapter: Adapter,
  { begins_anew, keeps_mode, keeps_model, ...spec }: AgentSpec,
  sink: SessionSink.SessionSink
) => {
  /** One attempt; if it fails, whatever it started is ended before the next. */
  const attempt = (spec: AgentSpec) =>
    Effect.flatMap(
      Effect.scope,
      (scope) =>
        Effect.flatMap(Scope.fork(scope), (own) =>
          adapter.open(spec).pipe(
            Scope.provide(own),
            Effect.tapError(() => Scope.close(own, Exit.void))
          ))
    )

  const opening = begins_anew !== true ? attempt(spec) : attempt({ ...spec, begins_anew }).pipe(
    Effect.catchTag("ConversationGone", ({ native_session_id: gone, why }) => {
      const { native_session_id: _gone, ...fresh } = spec
      return Effect.tap(attempt(fresh), () => Effect.sync(() => sink.emit(conversationGone(gone, why))))
    })
  )
  // The last mode, or the model, which the agent may no longer have.
  return Effect.catchTag(opening, "BadHandshake", (refusal) => {
    const { model, permission_mode } = spec
    const isAbout = (field: string) => new RegExp(`\\b${field}\\b`).test(refusal.reason)
    if (keeps_mode === true && permission_mode !== undefined && isAbout("permission_mode")) {
      return openWithout("permission_mode")
    }
    return keeps_model === true && model !== undefined && isAbout("model")
      ? Effect.tap(openWithout("model"), () => Effect.sync(() => sink.emit(modelGone(model)))).pipe(
        Effect.catchTag("BadHandshake", () => Effect.fail(refusal))
      )
      : Effect.fail(refusal)
  })

  function openWithout(field: "model" | "permission_mode"): ReturnType<Adapter["open"]> {
    const { [field]: _gone, ...others } = spec
    const kept = { begins_anew, keeps_mode, keeps_model }
    const known = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined))
    return openAgent(adapter, { ...others, ...known }, sink)
  }
}

const modelGone = (model: string): EventBody => ({
  type: "status",
  status: "model_gone",
  text:
    `The agent refuses this session's model "${model}", so it uses its own: choose another one with set_model.`,
  metadata: { gone: model }
})

/** The event that says a new conversation begins: earlier events are in the session's log, but the agent does not know them. */
const conversationGone = (gone?: string, why?: string): EventBody => ({
  type: "status",
  status: "conversation_gone",
  text: `${
    why === undefined
      ? "The agent no longer has the conversation of this session"
      : `The agent could not continue the conversation of this session (${why})`
  }, so a new one begins: it does not know what was said before.`,
  ...(gone !== undefined && { metadata: { gone, ...(why !== undefined && { why }) } })
})

/** The same log, which also writes certain events to the audit log. */
const noting = (
  audit: Audit.AuditFields,
  log: EventLog.EventLog["Service"]
): EventLog.EventLog["Service"] => ({
  ...log,
  unsafeAppend: (event, ...more) => {
    Audit.note(audit, log.session_id, event)
    log.unsafeAppend(event, ...more)
  }
})

export const open = Effect.fnUntraced(function*(
  id: SessionId,
  adapter: Adapter,
  spec: AgentSpec,
  opened?: Opened,
  clients: () => number = () => 1,
  native?: NativeSessions["Service"]
) {
  const settings = yield* RelayConfig
  const ids = yield* IdGenerator
  const { tool } = adapter
  const counting = Metrics.counting(tool, yield* Effect.context<never>())
  const events = counting.events(opened?.store ?? makeMemory(settings.retain_bytes))
  const audit = yield* Audit.Audit
  const log = noting(audit, yield* EventLog.make(id, { ...opened, store: events }))
  /** Commands in the inbox, and the one being carried out. */
  const submitted = new Set<object>()
  const activity = Activity.make(() =>
    submitted.size === 0 && turns.current() === undefined && commands.queued() === 0
    && broker.pending().length === 0
  )
  const ownTurns = yield* Turn.make.pipe(
    Effect.provideService(EventLog.EventLog, log),
    Effect.zipWith(
      Clock.Clock,
      (turns, clock) => Turn.notifying(activity.changed, counting.turns(clock, turns, () => guard.model()))
    )
  )
  const clock = yield* Clock.Clock
  const broker = yield* PermissionBroker.make(
    `${settings.permission_timeout} seconds`,
    activity.changed,
    (ask) =>
      settings.policy === undefined
        ? { verdict: "ask" }
        : decide(settings.policy, ask, {
          agent: tool,
          folder: spec.folder,
          now: clock.currentTimeMillisUnsafe()
        })
  )
    .pipe(
      Effect.provideService(EventLog.EventLog, log)
    )
  const fork = yield* FiberSet.makeRuntime<never>()
  const drivers = Drivers.make({
    settings,
    log,
    ids,
    clock,
    isTerminal: () => agent.started.capabilities.terminal,
    fork
  })
  const over = yield* Deferred.make<void>()
  let ending: Ending.Ending | undefined
  const endsBy = (why: Ending.Ending) => void (ending ??= why)
  // If the opening is interrupted, everything it started is ended.
  const agentScope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  /** Commands the agent takes one after the other. */
  const lane = yield* Queue.unbounded<Effect.Effect<void>>()
  let inLane = 0
  const hold = new AgentHold()
  const guard = BudgetGuard.make({
    book: yield* BudgetBook.current,
    owner: { session_id: id, tool, folder: spec.folder, model: spec.model },
    at_cap: settings.budget_at_cap,
    log,
    broker,
    ids,
    hold,
    turns: () => turns,
    fork: (effect) => void fork(effect),
    over
  })
  yield* Effect.addFinalizer(() => Effect.sync(guard.close))
  const random = yield* Random.Random
  const timetable = yield* Timetable.current
  const limit = VendorLimit.make({
    session_id: id,
    on_limit: spec.on_limit ?? "stop",
    log,
    timetable,
    now: () => clock.currentTimeMillisUnsafe(),
    random: () => random.nextDoubleUnsafe()
  })
  let goingBack: Rewinds.Conversation | undefined
  const { keeps, open: openCheckpoints } = yield* Checkpoints
  const rewinds = yield* Rewinds.make({
    tool,
    log,
    keeps_files: adapter.works_on_files === true && keeps(spec.folder),
    checkpoints: adapter.works_on_files === true
      ? openCheckpoints(
        id,
        spec.folder,
        (text) => log.unsafeAppend({ type: "status", status: "checkpoints", text })
      )
      : undefined,
    emit: (event) => sink.emit(event),
    conversation: () => goingBack
  })
  const turns = rewinds.watching(limit.watching(guard.counting(ownTurns)), fork)
  if (spec.budget !== undefined) {
    const reason = guard.lower(spec.budget)
    if (reason !== undefined) return yield* new BadHandshake({ reason })
  }

  const sink = yield* SessionSink.make({ turns, guard, limit, onTurn: (turn) => fork(commands.watch(turn)) })
    .pipe(
      Effect.provideService(EventLog.EventLog, log)
    )
  const store = native === undefined ? undefined : yield* native.store(tool)
  /** A client may name any conversation there is: one of a folder that is not ours is not gone on with. */
  const isNamed = native !== undefined && spec.native_session_id !== undefined && spec.begins_anew !== true
  const checked: AgentSpec = isNamed ? { ...spec, may_tell: native.isVisible } : spec
  // The relay or the agent ended between a rewind and the next prompt.
  const rewound = opened?.summary.rewound
  const opening: Effect.Effect<
    Partial<NativeAgent.NativeAgent> & Pick<NativeAgent.NativeAgent, "agent">,
    OpenError,
    Ports
  > = native === undefined || store === undefined
    ? Effect.gen(function*() {
      const { native_session_id } = spec
      if (isNamed && native_session_id !== undefined && (yield* native.isHidden(tool, native_session_id))) {
        return yield* new ConversationGone({ tool, native_session_id })
      }
      return { agent: yield* openAgent(adapter, checked, sink) }
    })
    : NativeAgent.open({
      adapter: { ...adapter, open: (spec) => openAgent(adapter, spec, sink) },
      spec: checked,
      log,
      native,
      store,
      ...(rewound !== undefined && spec.begins_anew === true && {
        rewound: { conversation: rewound, told: toTold(yield* pastTurns(log)) }
      }),
      toldId: sink.native_session_id,
      freshUuid: ids.uuid
    })
  const { agent, goBackTo, handOver, prepare, rewind, takeOver, tellHistory = Effect.void } = yield* opening
    .pipe(
      Effect.provide(
        Context.make(EventSink, sink).pipe(
          Context.add(PermissionGate, tellingOverwrites(spec.folder, counting.answers(broker))),
          Context.add(Scope.Scope, agentScope),
          Context.add(SessionHold, hold)
        )
      ),
      counting.start,
      Effect.onError((cause) => Scope.close(agentScope, Exit.failCause(cause)))
    )
  if (rewind !== undefined && goBackTo !== undefined) goingBack = { rewind, goBackTo }
  const commands = Commands.make({
    tool,
    agent,
    broker,
    clients,
    drivers,
    fork,
    guard,
    ids,
    lane: {
      isBusy: () => inLane > 0,
      passed: Effect.suspend(() => {
        const passed = Deferred.makeUnsafe<void>()
        Queue.offerUnsafe(lane, Effect.asVoid(Deferred.succeed(passed, undefined)))
        return Deferred.await(passed)
      })
    },
    limit,
    log,
    over,
    endsBy,
    handOver,
    prepare: rewinds.beforeTurn(prepare),
    rewinds,
    takeOver,
    seen: opened?.summary.acknowledged ?? [],
    settings,
    timetable,
    turns
  })

  fork(rewinds.warm)

  let exit: AgentExit | undefined
  const exited = yield* Deferred.make<void>()
  fork(Effect.map(agent.exit, (how) => {
    exit = how
    doneSoon(exited, Effect.void)
    doneSoon(over, Effect.void)
  }))

  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      const why = exit === undefined ? ending : undefined
      if (why !== undefined && turns.current() !== undefined) log.unsafeAppend(Ending.toError(why))
      yield* commands.withdrawAll(exit === undefined ? why : "agent_ended")
      const crashed = exit !== undefined && exit.exit_code !== 0 && !agent.started.capabilities.terminal
      const failed = crashed || (exit !== undefined && turns.current() !== undefined)
      counting.exited(exit === undefined ? "stopped" : exit.exit_code === 0 ? "finished" : "failed")
      guard.release()
      const running = turns.current()
      if (exit === undefined && running !== undefined) {
        // The agent may not read its input at all, so this has a deadline.
        fork(Effect.ignore(agent.send({ type: "interrupt" })))
        const ended = Effect.raceFirst(Deferred.await(running.ended), Deferred.await(exited))
        yield* completesWithin(ended, lastWordsMs)
      }
      yield* Scope.close(agentScope, Exit.void)
      yield* completesWithin(Deferred.await(exited), lastWordsMs)
      yield* broker.cancelAll("session_end")
      sink.settleCalls()
      if (failed && exit !== undefined) log.unsafeAppend(toFailure(adapter.tool, exit))
      turns.end({ type: "turn_end", stop_reason: failed ? "error" : "cancelled" })
      log.unsafeAppend(toSessionEnd(exit, why))
      yield* log.close
    })
  )

  const describeSchedules = () => {
    const schedules = plan.listed(timetable, id)
    return schedules.length === 0 ? {} : { schedules }
  }

  const describe = (): BodyOf<"session_start"> => {
    const { metadata, native_session_id, ...started } = agent.started
    const native = sink.native_session_id() ?? native_session_id
    const { front, parent } = spec
    const isNew = (opened?.summary.last_seq ?? 0) === 0 && (front !== undefined || parent !== undefined)
    const opened_by = isNew
      ? { ...(front !== undefined && { front }), ...(parent !== undefined && { session_id: parent }) }
      : opened?.summary.opened_by
    return {
      type: "session_start",
      metadata: {
        tool: adapter.tool,
        folder: spec.folder,
        ...(spec.model !== undefined && { model: spec.model }),
        ...started,
        ...(native !== undefined && { native_session_id: native }),
        ...(opened_by !== undefined && { opened_by }),
        ...guard.describe(),
        ...limit.describe(),
        ...describeSchedules(),
        ...drivers.describe(),
        rewind: rewinds.can(),
        last_seq: log.lastSeq(),
        pending_permissions: broker.pending(),
        ...metadata,
        ...sink.settings()
      }
    }
  }

  const room = yield* Semaphore.make(settings.max_queued_bytes)
  const forget = (submission: Submission) =>
    Effect.sync(() => {
      submitted.delete(submission)
      activity.changed()
    })
  const leave = (submission: Submission) =>
    Effect.andThen(submission.bytes === 0 ? Effect.void : room.release(submission.bytes), forget(submission))
  const inbox = yield* Queue.bounded<Submission>(inboxSize)
  const intoLane = (handle: Effect.Effect<void>) =>
    Effect.sync(() => {
      inLane += 1
      const leaveLane = Effect.sync(() => void (inLane -= 1))
      Queue.offerUnsafe(lane, Effect.ensuring(handle, leaveLane))
    })
  yield* Effect.forkScoped(Effect.forever(Effect.flatten(Queue.take(lane))))
  yield* Queue.take(inbox).pipe(
    Effect.flatMap((submission) =>
      Effect.suspend(() => {
        const { by, client, command, refusal } = submission
        const isForAgent = commands.isForAgent(command)
        const handle = (isForAgent && inLane >= inboxSize
          ? commands.refuse(command)
          : commands.handle(command, refusal)).pipe(
            Effect.provideService(Sender, by),
            Effect.provideService(Drivers.Driving, client),
            Effect.ensuring(leave(submission))
          )
        return isForAgent && inLane < inboxSize ? intoLane(handle) : handle
      })
    ),
    Effect.forever,
    Effect.forkScoped
  )
  if (opened !== undefined) settleOld(log, opened.summary, guard.settle(opened.summary.open_turn))
  sink.start(describe())
  // Agents that save no conversations do not report an id.
  const { resume, terminal } = agent.started.capabilities
  const hasPast = opened !== undefined && opened.summary.turns > 0
  if (hasPast && spec.native_session_id === undefined && !resume && !terminal) sink.emit(conversationGone())
  yield* tellHistory
  sink.release()

  const session: Session = {
    id,
    log,
    isTerminal: agent.started.capabilities.terminal,
    since: opened?.summary.last_seq ?? 0,
    knows: commands.knows,
    drivers,
    submit: (command, refusal) =>
      Effect.flatMap(Effect.all([Sender, Drivers.Driving]), ([by, client]) => {
        const size = sizeOf(command)
        const bytes = size <= smallBytes ? 0 : Math.min(size, settings.max_queued_bytes)
        const submission = { command, by, bytes, client, refusal }
        submitted.add(submission)
        activity.changed()
        // A client that leaves while waiting for room withdraws the command.
        return Effect.uninterruptibleMask((restore) =>
          Effect.asVoid(Effect.andThen(
            bytes === 0
              ? Effect.void
              : Effect.onInterrupt(restore(room.take(bytes)), () => forget(submission)),
            Effect.onInterrupt(restore(Queue.offer(inbox, submission)), () => leave(submission))
          ))
        )
      }),
    activity,
    drain: (seconds) => Effect.andThen(commands.stopTurns, log.append(toDraining(seconds))),
    over: Deferred.await(over),
    endsBy,
    describe,
    rewinds,
    pending: broker.pending,
    load: () => ({
      tool,
      inbox: Queue.sizeUnsafe(inbox),
      queued: commands.queued(),
      pending: broker.pending().length,
      lag: log.lag()
    })
  }
  return session
})

const toDraining = (seconds: number): BodyOf<"status"> => ({
  type: "status",
  status: "draining",
  text: `The relay is shutting down: the running turn may go on for ${seconds} s, and no new one begins.`,
  metadata: { seconds }
})

const lastLines = (exit: AgentExit) => exit.stderr.length > 0 ? { stderr: exit.stderr } : {}

const howItEnded = ({ exit_code, signal }: AgentExit) =>
  signal !== undefined
    ? `signal ${signal}`
    : exit_code !== undefined
    ? `exit code ${exit_code}`
    : "no exit code"

const toFailure = (tool: string, exit: AgentExit): BodyOf<"error"> => ({
  type: "error",
  code: "agent_failed",
  text: `${tool} stopped unexpectedly (${howItEnded(exit)}). ${
    exit.stderr.at(-1) ?? "It printed no reason."
  } Open the session again to continue.`,
  metadata: { fatal: true, ...lastLines(exit) }
})

const toSessionEnd = (
  exit: AgentExit | undefined,
  why: Ending.Ending | undefined
): BodyOf<"session_end"> => ({
  type: "session_end",
  ...(exit?.exit_code !== undefined && { exit_code: exit.exit_code }),
  ...(why !== undefined && { text: Ending.toEnd(why) }),
  metadata: {
    ...(why !== undefined && { reason: why }),
    ...(exit?.signal !== undefined && { signal: exit.signal }),
    ...(exit !== undefined && exit.exit_code !== 0 && lastLines(exit))
  }
})
