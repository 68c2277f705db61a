/**
 * Commands: what a session does with each command of its clients.
 *
 * A prompt starts a turn or waits for the running one; everything else takes effect at once. A terminal has no turns:
 * its prompts and interrupts are handed over at once. A command that cannot be carried out is answered with an `error`
 * event and changes nothing; one that was executed before (same `message_id`) is only acknowledged.
 */
import { Cause, type Context, Deferred, Effect, type Fiber, Match, Schema } from "effect"
import type { AgentCommand, AgentSession } from "../adapters/Adapter.js"
import { AgentFailed, CommandRefused, type SendError } from "../adapters/AdapterError.js"
import {
  type ClientCommand,
  type CommandOf,
  type ErrorCode,
  RequestId,
  type StopReason,
  textOf,
  type UserMessage
} from "../schema/index.js"
import type { EventLog } from "./EventLog.js"
import type { IdGenerator } from "./IdGenerator.js"
import type { PermissionBroker, PermissionNotPending } from "./PermissionBroker.js"
import type { Settings } from "./RelayConfig.js"
import type { Turn, Turns } from "./Turn.js"

/** What a session is made of; commands work on these. */
export interface Parts {
  readonly tool: string
  readonly agent: AgentSession
  readonly broker: Context.Tag.Service<PermissionBroker>
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  readonly ids: Context.Tag.Service<IdGenerator>
  readonly log: Context.Tag.Service<EventLog>
  /** Completing it ends the session. */
  readonly over: Deferred.Deferred<void>
  /** `message_id`s that were executed before the relay was restarted. */
  readonly seen: ReadonlyArray<string>
  readonly settings: Settings
  readonly turns: Turns
}

export interface Commands {
  readonly handle: (command: ClientCommand) => Effect.Effect<void>
  /** Wait for a turn to end, or to be interrupted; then start the next prompt. */
  readonly watch: (turn: Turn) => Effect.Effect<void>
  /** Tell of every prompt that is still queued that it will not run. */
  readonly withdrawAll: Effect.Effect<void>
}

/** A fault of the relay's own. What it was is in the relay's log, not on the wire. */
class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", { tool: Schema.String }) {
  override get message() {
    return `the relay could not hand this to ${this.tool}, by a fault of its own: please report it with what the relay logged`
  }
}

type HandingError = SendError | CommandFailed
type Refusal = HandingError | PermissionNotPending

const codeOf = ({ _tag }: Refusal): ErrorCode =>
  _tag === "AgentFailed" ? "agent_failed" : _tag === "CommandFailed" ? "internal" : "bad_command"

const didNotStop = (seconds: number) =>
  `it did not stop within ${seconds} s of the interrupt, so it was ended. Open the session again to go on.`

/** `message_id`s and prompts' `uuid`s remembered per session. */
const remembered = 10_000

export const make = (parts: Parts): Commands => {
  const { broker, fork, log, over, settings, turns } = parts
  const { capabilities } = parts.agent.started
  const queued: Array<UserMessage> = []
  const seen = new Set(parts.seen.map((message_id) => `message ${message_id}`))

  const acknowledge = (command: ClientCommand, status: "sent" | "queued" | "duplicate" | "cancelled") =>
    log.append({
      type: "input_ack",
      status,
      ...(command.type === "user_message" && { text: textOf(command.content) }),
      ...(command.message_id !== undefined && { message_id: command.message_id })
    })

  const complain = (command: ClientCommand | undefined, failure: Refusal) =>
    log.append({
      type: "error",
      code: codeOf(failure),
      text: failure.message,
      ...(command?.message_id !== undefined && { message_id: command.message_id }),
      ...(failure._tag === "AgentFailed" && { metadata: { fatal: true } })
    })

  const refuse = (reason: string) => Effect.fail(new CommandRefused({ reason }))

  /** What fails in a way nobody foresaw fails this command alone: the session, and its other commands, go on. */
  const send = (command: AgentCommand): Effect.Effect<void, HandingError> =>
    parts.agent.send(command).pipe(Effect.catchAllDefect((defect) =>
      Effect.zipRight(
        Effect.logError(
          `The command ${command.type} could not be handed to ${parts.tool}.`,
          Cause.die(defect)
        ),
        new CommandFailed({ tool: parts.tool })
      )
    ))

  // --- turns ---------------------------------------------------------------------------------------------------

  const endTurn = (stop_reason: StopReason) =>
    Effect.sync(() => void turns.end({ type: "turn_end", stop_reason }))

  const stopOnInterrupt = (turn: Turn) =>
    send({ type: "interrupt" }).pipe(
      Effect.zipRight(broker.cancelAll("interrupted")),
      Effect.zipRight(Deferred.await(turn.ended)),
      Effect.timeoutFail({
        duration: `${settings.interrupt_timeout} seconds`,
        onTimeout: () => new AgentFailed({ tool: parts.tool, reason: didNotStop(settings.interrupt_timeout) })
      }),
      (stop) => Effect.zipRight(Deferred.await(turn.interrupt), stop)
    )

  const watch = (turn: Turn): Effect.Effect<void> => runTurn(turn, Effect.void, undefined)

  const runTurn = (turn: Turn, hand: Effect.Effect<void, HandingError>, prompt: UserMessage | undefined) =>
    hand.pipe(
      Effect.zipRight(Deferred.await(turn.ended)),
      Effect.raceFirst(stopOnInterrupt(turn)),
      Effect.catchTags({
        CommandRefused: (refusal) => Effect.zipRight(complain(prompt, refusal), endTurn("error")),
        CommandFailed: (failure) => Effect.zipRight(complain(prompt, failure), endTurn("error")),
        AgentFailed: (failure) =>
          Effect.zipRight(complain(prompt, failure), Effect.asVoid(Deferred.succeed(over, undefined)))
      }),
      Effect.zipRight(startNext)
    )

  const startNext: Effect.Effect<void> = Effect.suspend(() => {
    const prompt = turns.current() === undefined ? queued.shift() : undefined
    if (prompt === undefined) return Effect.void
    const { message_id } = prompt
    const turn = turns.begin({
      type: "turn_start",
      text: textOf(prompt.content),
      ...(message_id !== undefined && { message_id })
    })
    const handed = Effect.tapError(hand(prompt), () => Effect.sync(() => forget(prompt)))
    fork(runTurn(turn, Effect.zipRight(handed, acknowledge(prompt, "sent")), prompt))
    return Effect.void
  })

  const hand = (prompt: UserMessage) => Effect.flatMap(parts.ids.uuid, (uuid) => send({ uuid, ...prompt }))

  const interrupt = Effect.suspend((): Effect.Effect<void, HandingError> => {
    if (capabilities.terminal) return send({ type: "interrupt" })
    const turn = turns.current()
    return turn === undefined
      ? log.append({ type: "status", status: "idle", text: "Nothing to interrupt: no turn is running." })
      : Effect.asVoid(Deferred.succeed(turn.interrupt, undefined))
  })

  // --- commands ------------------------------------------------------------------------------------------------

  const prompt = (message: UserMessage): Effect.Effect<void, HandingError> => {
    if (!capabilities.images && message.content.some((block) => block.type === "image")) {
      return refuse(`${parts.tool} takes no images: send text only`)
    }
    // Nobody would end its turn.
    if (capabilities.terminal) return Effect.zipRight(hand(message), acknowledge(message, "sent"))
    const { when, ...later } = message
    if (turns.current() === undefined && queued.length === 0) {
      queued.push(later)
      return startNext
    }
    if (when === "steer" && capabilities.steer && turns.current() !== undefined) {
      return Effect.zipRight(hand(message), acknowledge(message, "sent"))
    }
    if (queued.length >= settings.max_queued) {
      return refuse(
        `${settings.max_queued} prompts are waiting already: wait for a turn to end, or cancel_queued one`
      )
    }
    if (when === "interrupt") queued.unshift(later)
    else queued.push(later)
    return Effect.zipRight(acknowledge(message, "queued"), when === "interrupt" ? interrupt : startNext)
  }

  const cancelQueued = (command: CommandOf<"cancel_queued">) => {
    const index = queued.findIndex((message) => message.message_id === command.message_id)
    const [message] = index === -1 ? [] : queued.splice(index, 1)
    return message === undefined
      ? refuse(
        `no queued prompt has the message_id "${command.message_id}": it was handed over already, or never sent`
      )
      : acknowledge(message, "cancelled")
  }

  const named = <Request extends CommandOf<"control_request" | "raw_request">>(request: Request) =>
    Effect.map(
      parts.ids.uuid,
      (uuid) => ({ ...request, request_id: request.request_id ?? RequestId.make(uuid) })
    )

  const setMode = (command: CommandOf<"set_permission_mode">) => {
    const modes = capabilities.permission_modes
    if (modes.includes(command.mode)) return send(command)
    return refuse(
      modes.length === 0
        ? `${parts.tool} has no permission modes`
        : `\`mode\` must be one of ${modes.join(", ")}`
    )
  }

  /** A native answer to a parked permission settles it like any other; the rest is the adapter's. */
  const controlResponse = (command: CommandOf<"control_response">) => {
    const { request_id, response, error } = command.response
    if (!broker.pending().some((ask) => ask.request_id === request_id)) return send(command)
    const behavior = response?.["behavior"] === "allow" ? "allow" : "deny"
    const updatedInput = response?.["updatedInput"] as Record<string, unknown> | undefined
    const message = response?.["message"] ?? error
    return broker.respond({
      type: "permission_response",
      request_id,
      behavior,
      ...(typeof updatedInput === "object" && { updatedInput }),
      ...(typeof message === "string" && { message }),
      ...(response?.["interrupt"] === true && { stop: true })
    })
  }

  const terminal = (command: CommandOf<"resize" | "stdin">) =>
    capabilities.terminal
      ? send(command)
      : refuse(`${parts.tool} is not a terminal: \`${command.type}\` is for tool "generic"`)

  const setModel = (command: CommandOf<"set_model">) =>
    capabilities.set_model
      ? send(command)
      : refuse(`${parts.tool} cannot change its model in a running session`)

  const carryOut = Match.type<ClientCommand>().pipe(
    Match.withReturnType<Effect.Effect<void, Refusal>>(),
    Match.discriminatorsExhaustive("type")({
      user_message: prompt,
      permission_response: broker.respond,
      interrupt: () => interrupt,
      set_model: setModel,
      set_permission_mode: setMode,
      control_request: (request) => Effect.flatMap(named(request), send),
      raw_request: (request) => Effect.flatMap(named(request), send),
      control_response: controlResponse,
      resize: terminal,
      stdin: terminal,
      cancel_queued: cancelQueued,
      end: () => Effect.asVoid(Deferred.succeed(over, undefined)),
      // Answered by the connection, which is what the client wants to know about.
      ping: () => Effect.void
    })
  )

  const namesOf = (command: ClientCommand): ReadonlyArray<string> =>
    command.type === "cancel_queued" ? [] : [
      ...command.message_id !== undefined ? [`message ${command.message_id}`] : [],
      ...command.type === "user_message" && command.uuid !== undefined ? [`uuid ${command.uuid}`] : []
    ]

  const remember = (names: ReadonlyArray<string>) => {
    for (const name of names) seen.add(name)
    for (const oldest of seen) {
      if (seen.size <= remembered) break
      seen.delete(oldest)
    }
  }

  /** It changed nothing, so it may be sent again. */
  const forget = (command: ClientCommand) => namesOf(command).forEach((name) => seen.delete(name))

  /** Prompts are acknowledged when they are handed over; other commands when they are done, if they are named. */
  const acknowledgeDone = (command: ClientCommand) =>
    command.message_id === undefined || command.type === "user_message" || command.type === "cancel_queued"
      ? Effect.void
      : acknowledge(command, "sent")

  const handle = (command: ClientCommand): Effect.Effect<void> => {
    const names = namesOf(command)
    if (names.some((name) => seen.has(name))) return acknowledge(command, "duplicate")
    remember(names)
    return carryOut(command).pipe(
      Effect.zipRight(acknowledgeDone(command)),
      Effect.catchAll((refusal) => {
        forget(command)
        return complain(command, refusal)
      })
    )
  }

  const withdrawAll = Effect.suspend(() =>
    Effect.forEach(queued.splice(0), (message) => acknowledge(message, "cancelled"), { discard: true })
  )

  return { handle, watch, withdrawAll }
}
