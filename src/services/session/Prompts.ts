/**
 * Prompts: the session's turns. A prompt starts a turn, or waits in the queue for the running one to end.
 *
 * Each turn has a fiber that waits for its end or for an interrupt. A turn that cannot be delivered to the agent ends with an
 * error and the next prompt runs; an agent that is gone or does not stop ends the session. A terminal has no turns: its
 * prompts are typed one after the other, and an interrupt stops the one being typed.
 */
import { Cause, Deferred, Effect, type Fiber, Schema } from "effect"
import type { AgentCommand, AgentSession } from "../../adapters/Adapter.js"
import { AgentFailed, CommandRefused, type SendError } from "../../adapters/AdapterError.js"
import { doneSoon } from "../../adapters/doneSoon.js"
import {
  type ClientCommand,
  type CommandOf,
  type ErrorCode,
  type StopReason,
  textOf,
  type UserMessage
} from "../../schema/index.js"
import type { BudgetGuard } from "../budget/BudgetGuard.js"
import type { VendorLimit } from "../budget/VendorLimit.js"
import type { IdGenerator } from "../IdGenerator.js"
import { whyFailed } from "../internalError.js"
import type { EventLog } from "../log/EventLog.js"
import type { Settings } from "../RelayConfig.js"
import type { Table } from "../schedule/Timetable.js"
import { sizeOf } from "./commandSize.js"
import type { Drivers, NotDriving } from "./Drivers.js"
import * as Ending from "./Ending.js"
import type {
  AnswerUnfit,
  InputForbidden,
  PermissionBroker,
  PermissionNotPending
} from "./PermissionBroker.js"
import type { Rewinds } from "./Rewinds.js"
import { Sender } from "./Sender.js"
import type { Turn, Turns } from "./Turn.js"

/** A queue of commands for the agent, delivered one at a time. Commands that only concern the relay do not pass through it. */
export interface Lane {
  readonly isBusy: () => boolean
  /** Completes when all commands that are waiting now have been delivered. */
  readonly passed: Effect.Effect<void>
}

/** The parts of a session that prompts and commands work on. */
export interface Parts {
  readonly tool: string
  readonly agent: AgentSession
  readonly broker: PermissionBroker["Service"]
  readonly guard: BudgetGuard
  /** How many clients follow the session. */
  readonly clients: () => number
  readonly drivers: Drivers
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly ids: IdGenerator["Service"]
  readonly limit: VendorLimit
  readonly log: EventLog["Service"]
  /** Completing it ends the session. */
  readonly over: Deferred.Deferred<void>
  /** Says why, if somebody ends it whose agent could go on. */
  readonly endsBy: (ending: Ending.Ending) => void
  /** `message_id`s that were executed before the relay was restarted. */
  readonly seen: ReadonlyArray<string>
  /** Runs before a turn begins; if it fails, the prompt does. */
  readonly prepare?: Effect.Effect<void, SendError> | undefined
  /** Delivers commands to the agent one at a time. */
  readonly lane: Lane
  /** Stops the agent and keeps the session. Absent: the agent's conversations cannot be continued in a terminal. */
  readonly handOver?: Effect.Effect<void, SendError> | undefined
  readonly takeOver?: Effect.Effect<void, SendError> | undefined
  /** Rewinds to before a turn, and undoes that. */
  readonly rewinds: Pick<Rewinds, "rewind" | "undo">
  readonly settings: Settings
  readonly timetable: Table
  readonly turns: Turns
}

export interface Prompts {
  /** Starts a turn with the prompt, queues it, or steers the running turn with it; acknowledges it. */
  readonly prompt: (message: UserMessage) => Effect.Effect<void, DeliveryError | Overloaded>
  readonly cancelQueued: (command: CommandOf<"cancel_queued">) => Effect.Effect<void, DeliveryError>
  /** Stop the running turn. */
  readonly interrupt: Effect.Effect<void, DeliveryError>
  /** Delivers a command to the agent. */
  readonly send: (command: AgentCommand) => Effect.Effect<void, DeliveryError>
  readonly acknowledge: (command: ClientCommand, status: AckStatus) => Effect.Effect<void>
  /** Reports that a command could not be carried out. */
  readonly complain: (command: ClientCommand | undefined, failure: Refusal) => Effect.Effect<void>
  /** Waits for a turn to end or to be interrupted, then starts the next prompt. */
  readonly watch: (turn: Turn) => Effect.Effect<void>
  /** From now on no turn begins: new prompts are refused, queued ones stay queued. */
  readonly stopTurns: Effect.Effect<void>
  /** Starts the next prompt, if nothing prevents it. */
  readonly startNext: Effect.Effect<void>
  /** Whether a turn runs or is about to. */
  readonly isBusy: () => boolean
  /** How many prompts wait for the running turn to end. */
  readonly queued: () => number
  /** Withdraws all queued prompts and says so for each, and why. */
  readonly withdrawAll: (ending?: Ending.Ending) => Effect.Effect<void>
}

type AckStatus = "sent" | "queued" | "duplicate" | "cancelled"

/** An internal error of the relay. Details go to the relay's log, never to the client. */
class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  tool: Schema.String,
  why: Schema.String
}) {
  override get message() {
    return `the relay could not deliver this to ${this.tool} because ${this.why}`
  }
}

/** The prompt is valid but cannot be taken now. */
export class Overloaded extends Schema.TaggedError<Overloaded>()("Overloaded", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

export type DeliveryError = SendError | CommandFailed
export type Refusal =
  | DeliveryError
  | Overloaded
  | PermissionNotPending
  | AnswerUnfit
  | InputForbidden
  | NotDriving

const codes: Record<Refusal["_tag"], ErrorCode> = {
  AgentFailed: "agent_failed",
  AnswerUnfit: "bad_command",
  CommandFailed: "internal",
  CommandRefused: "bad_command",
  InputForbidden: "forbidden",
  NotDriving: "not_driving",
  Overloaded: "overloaded",
  PermissionNotPending: "bad_command"
}

const didNotStop = (seconds: number) =>
  `it did not stop within ${seconds} s of the interrupt, so it was ended. Open the session again to continue.`

/** How long an agent may take to accept a command, or to react to a prompt. */
const takesAtMost = { command: "30 seconds", prompt: "2 minutes" } as const

export const refuse = (reason: string) => Effect.fail(new CommandRefused({ reason }))

/** `onFailed` is called with a prompt that could not be delivered and changed nothing. */
export const make = (parts: Parts, onFailed: (prompt: UserMessage) => void): Prompts => {
  const { broker, fork, guard, limit, log, over, settings, turns } = parts
  const { capabilities } = parts.agent.started
  const queued: Array<UserMessage> = []
  const senders = new WeakMap<UserMessage, Sender.Fields>()
  let isStopping = false
  let isPreparing = false
  /** A prompt whose turn has not begun yet is to be stopped. */
  let stopsPrepared = false

  const acknowledge = (
    command: ClientCommand,
    status: AckStatus,
    metadata?: Readonly<Record<string, unknown>>
  ) =>
    log.append({
      type: "input_ack",
      status,
      ...(command.type === "user_message" && { text: textOf(command.content) }),
      ...(command.message_id !== undefined && { message_id: command.message_id }),
      ...(metadata !== undefined && { metadata })
    })

  const complain = (command: ClientCommand | undefined, failure: Refusal) =>
    log.append({
      type: "error",
      code: (failure._tag === "CommandRefused" ? failure.code : undefined) ?? codes[failure._tag],
      text: failure.message,
      ...(command?.message_id !== undefined && { message_id: command.message_id }),
      ...(failure._tag === "AgentFailed" && { metadata: { fatal: true } }),
      ...(failure._tag === "CommandRefused" && failure.metadata !== undefined &&
        { metadata: failure.metadata })
    })

  /** The failure of a command that was not accepted in time. A prompt that the agent has reacted to was accepted. */
  const notTaken = (command: AgentCommand, before: number): Effect.Effect<void, CommandRefused> =>
    command.type === "user_message" && log.lastSeq() > before
      ? Effect.void
      : new CommandRefused({
        reason: `${parts.tool} did not accept it within ${
          command.type === "user_message" ? takesAtMost.prompt : takesAtMost.command
        }: send it again; if that does not help, open the session again`
      })

  /** Delivers a command. An unexpected failure fails this command only; the session goes on. */
  const send = (command: AgentCommand): Effect.Effect<void, DeliveryError> =>
    Effect.suspend(() => {
      const before = log.lastSeq()
      return parts.agent.send(command).pipe(
        Effect.timeoutOrElse({
          duration: command.type === "user_message" ? takesAtMost.prompt : takesAtMost.command,
          orElse: () => notTaken(command, before)
        })
      )
    }).pipe(Effect.catchDefect((defect) =>
      Effect.andThen(
        Effect.logError(
          `The command ${command.type} could not be delivered to ${parts.tool}.`,
          Cause.die(defect)
        ),
        new CommandFailed({ tool: parts.tool, why: whyFailed(defect) })
      )
    ))

  // --- turns ---------------------------------------------------------------------------------------------------

  const endTurn = (stop_reason: StopReason) =>
    Effect.sync(() => void turns.end({ type: "turn_end", stop_reason }))

  /** Interrupts the agent. A stopped process must be resumed to receive it; without a prompt there is nothing to stop. */
  const interruptAgent = Effect.suspend(() => {
    guard.release()
    return guard.isAdmitting() ? Effect.void : send({ type: "interrupt" })
  })

  const stopOnInterrupt = (turn: Turn) =>
    interruptAgent.pipe(
      Effect.andThen(broker.cancelAll("interrupted")),
      Effect.andThen(Deferred.await(turn.ended)),
      Effect.timeoutOrElse({
        duration: `${settings.interrupt_timeout} seconds`,
        orElse: () =>
          Effect.fail(new AgentFailed({ tool: parts.tool, reason: didNotStop(settings.interrupt_timeout) }))
      }),
      (stop) => Effect.andThen(Deferred.await(turn.interrupt), stop)
    )

  const watch = (turn: Turn): Effect.Effect<void> => runTurn(turn, Effect.void, undefined)

  const runTurn = (
    turn: Turn,
    deliver: Effect.Effect<void, DeliveryError>,
    prompt: UserMessage | undefined,
    settle: Effect.Effect<void> = Effect.void
  ) =>
    deliver.pipe(
      Effect.andThen(Deferred.await(turn.ended)),
      // The turn may end before the agent has confirmed the prompt.
      Effect.raceFirst(Deferred.await(turn.ended)),
      Effect.raceFirst(stopOnInterrupt(turn)),
      Effect.catchTags({
        CommandRefused: (refusal) => Effect.andThen(complain(prompt, refusal), endTurn("error")),
        CommandFailed: (failure) => Effect.andThen(complain(prompt, failure), endTurn("error")),
        AgentFailed: (failure) =>
          Effect.andThen(complain(prompt, failure), Effect.asVoid(Deferred.succeed(over, undefined)))
      }),
      Effect.andThen(settle),
      Effect.andThen(startNext)
    )

  const startNext: Effect.Effect<void> = Effect.suspend(() => {
    const [first] = queued
    const isBusy = turns.current() !== undefined || isStopping || isPreparing
    if (first === undefined || isBusy || limit.isWaiting()) return Effect.void
    if (parts.prepare === undefined && !parts.lane.isBusy()) return begin()
    isPreparing = true
    // A model or mode that was chosen before the prompt applies to it.
    const passed = parts.lane.isBusy() ? parts.lane.passed : Effect.void
    const prepared = Effect.andThen(passed, parts.prepare ?? Effect.void).pipe(
      Effect.ensuring(Effect.sync(() => {
        isPreparing = false
      })),
      Effect.flatMap(() => begin(first)),
      Effect.catch((failure) => {
        stopsPrepared = false
        const place = queued.indexOf(first)
        if (place !== -1) queued.splice(place, 1)
        onFailed(first)
        return Effect.andThen(complain(first, failure), startNext)
      })
    )
    fork(prepared)
    return Effect.void
  })

  const begin = (prepared?: UserMessage): Effect.Effect<void> =>
    Effect.suspend(() => {
      const isStopped = stopsPrepared && prepared === queued[0]
      stopsPrepared = false
      const prompt = turns.current() === undefined && !isStopping ? queued.shift() : undefined
      if (prompt === undefined) return Effect.void
      const { message_id } = prompt
      const by = senders.get(prompt) ?? {}
      guard.nextTurnOf(by)
      limit.nextTurnOf(prompt, by)
      const turn = turns.begin({
        type: "turn_start",
        text: textOf(prompt.content),
        ...(message_id !== undefined && { message_id }),
        ...(by.schedule !== undefined && {
          metadata: { schedule: by.schedule, ...(by.resumes === true && { resumes: true }) }
        })
      })
      if (isStopped) doneSoon(turn.interrupt, Effect.void)
      let isTold = false
      const tell = (status: AckStatus) =>
        Effect.suspend(() => {
          isTold = true
          return acknowledge(prompt, status)
        })
      const failed = Effect.sync(() => {
        isTold = true
        onFailed(prompt)
      })
      const handed = Effect.tapError(deliver(prompt), () => failed)
      const run = Effect.flatMap(
        guard.admit,
        (mayRun) => mayRun ? Effect.andThen(handed, tell("sent")) : Effect.andThen(failed, holdBack(prompt))
      )
      // The turn ended before the agent accepted the prompt.
      const settle = Effect.suspend(() => {
        if (isTold) return Effect.void
        if (!Deferred.isDoneUnsafe(turn.interrupt)) return tell("sent")
        onFailed(prompt)
        return tell("cancelled")
      })
      fork(runTurn(turn, run, prompt, settle))
      return Effect.void
    })

  /** The budget is used up: this prompt and the queued ones do not run, and may be sent again later. */
  const holdBack = (prompt: UserMessage) =>
    Effect.suspend(() => {
      onFailed(prompt)
      queued.forEach(onFailed)
      turns.end({ type: "turn_end", stop_reason: "cancelled", metadata: { reason: "budget" } })
      return Effect.andThen(acknowledge(prompt, "cancelled"), withdrawAll())
    })

  const deliver = (prompt: UserMessage) => Effect.flatMap(parts.ids.uuid, (uuid) => send({ uuid, ...prompt }))

  /** Completed by an interrupt while a prompt is being typed at a terminal, which is then not entered. */
  let typing: Deferred.Deferred<void> | undefined

  const type = (message: UserMessage): Effect.Effect<void, DeliveryError> =>
    Effect.suspend(() => {
      const stopped = Deferred.makeUnsafe<void>()
      typing = stopped
      const sent = Effect.andThen(deliver(message), acknowledge(message, "sent"))
      const cancelled = Effect.flatMap(Deferred.await(stopped), () => {
        onFailed(message)
        return acknowledge(message, "cancelled")
      })
      return sent.pipe(
        Effect.raceFirst(cancelled),
        Effect.ensuring(Effect.sync(() => {
          if (typing === stopped) typing = undefined
        }))
      )
    })

  const interrupt = Effect.suspend((): Effect.Effect<void, DeliveryError> => {
    if (capabilities.terminal) {
      if (typing !== undefined) doneSoon(typing, Effect.void)
      return send({ type: "interrupt" })
    }
    const turn = turns.current()
    if (turn === undefined && isPreparing && queued.length > 0) {
      return Effect.sync(() => void (stopsPrepared = true))
    }
    if (turn === undefined && limit.over("cancelled")) return startNext
    return turn === undefined
      ? log.append({ type: "status", status: "idle", text: "Nothing to interrupt: no turn is running." })
      : Effect.asVoid(Deferred.succeed(turn.interrupt, undefined))
  })

  const prompt = (message: UserMessage): Effect.Effect<void, DeliveryError | Overloaded> =>
    Effect.flatMap(Sender, (by) => take(message, by))

  const take = (message: UserMessage, by: Sender.Fields): Effect.Effect<void, DeliveryError | Overloaded> => {
    if (isStopping) {
      return new Overloaded({ reason: "the relay is shutting down: send it again when it is back" })
    }
    if (!capabilities.images && message.content.some((block) => block.type === "image")) {
      return refuse(`${parts.tool} doesn't accept images: send text only`)
    }
    // Nobody would end its turn.
    if (capabilities.terminal) return type(message)
    const { when, ...later } = message
    senders.set(later, by)
    if (by.resumes === true) return resume(later)
    if (turns.current() === undefined && queued.length === 0 && !limit.isWaiting()) {
      queued.push(later)
      return startNext
    }
    if (when === "steer" && capabilities.steer && turns.current() !== undefined) {
      return Effect.andThen(deliver(message), acknowledge(message, "sent"))
    }
    if (queued.length >= settings.max_queued) {
      return new Overloaded({
        reason:
          `${settings.max_queued} prompts are already waiting: wait for a turn to end, or cancel_queued one`
      })
    }
    const waiting = queued.reduce((bytes, prompt) => bytes + sizeOf(prompt.content), 0)
    if (queued.length > 0 && waiting + sizeOf(later.content) > settings.max_queued_bytes) {
      return new Overloaded({
        reason:
          `prompts of ${waiting} bytes are already waiting, and at most ${settings.max_queued_bytes} may: `
          + "wait for a turn to end, cancel_queued one, or start the relay with a higher --max-queued-bytes"
      })
    }
    // A prompt that is being prepared counts as a running turn.
    if (when === "interrupt") queued.splice(isPreparing && turns.current() === undefined ? 1 : 0, 0, later)
    else queued.push(later)
    return Effect.andThen(acknowledge(message, "queued"), when === "interrupt" ? interrupt : startNext)
  }

  /** Sends a prompt again after a limit, before all queued ones; not if it was taken back or a budget is used up. */
  const resume = (prompt: UserMessage) =>
    Effect.suspend(() => {
      if (!limit.isWaiting()) return Effect.void
      const mayRun = !guard.isUsedUp()
      limit.over(mayRun ? "resumed" : "budget")
      if (mayRun) queued.unshift(prompt)
      return startNext
    })

  const cancelQueued = (command: CommandOf<"cancel_queued">) => {
    const index = queued.findIndex((message) => message.message_id === command.message_id)
    const [message] = index === -1 ? [] : queued.splice(index, 1)
    return message === undefined
      ? refuse(
        `no queued prompt has the message_id "${command.message_id}": it was already delivered, or never sent`
      )
      : acknowledge(message, "cancelled")
  }

  const withdrawAll: Prompts["withdrawAll"] = (ending) =>
    Effect.suspend(() =>
      Effect.forEach(
        queued.splice(0),
        (message) => acknowledge(message, "cancelled", ending && Ending.toWithdrawal(ending)),
        { discard: true }
      )
    )

  const stopTurns = Effect.sync(() => void (isStopping = true))

  return {
    prompt,
    cancelQueued,
    interrupt,
    send,
    acknowledge,
    complain,
    watch,
    startNext,
    isBusy: () => turns.current() !== undefined || isPreparing,
    queued: () => queued.length,
    stopTurns,
    withdrawAll
  }
}
