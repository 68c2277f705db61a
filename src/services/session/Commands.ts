/**
 * Commands: carries out the commands of a session's clients.
 *
 * Prompts are passed to `Prompts`; everything else takes effect at once. A command that cannot be carried out is answered
 * with an `error` event and changes nothing. One that was executed before (same `message_id`) is only acknowledged.
 */
import { Clock, Deferred, Effect, Match, Predicate } from "effect"
import { type ClientCommand, type CommandOf, MessageId, RequestId } from "../../schema/index.js"
import * as NativeRequests from "../access/NativeRequests.js"
import * as plan from "../schedule/plan.js"
import { Driving, type NotDriving } from "./Drivers.js"
import * as Prompts from "./Prompts.js"
import { Sender } from "./Sender.js"

export interface Commands extends Pick<Prompts.Prompts, "queued" | "watch" | "stopTurns" | "withdrawAll"> {
  /** `refusal`: the command may not be carried out, only acknowledged if it was executed before. */
  readonly handle: (command: ClientCommand, refusal?: NotDriving) => Effect.Effect<void>
  /** Whether a command with this `message_id` was executed, or is about to be. */
  readonly knows: (command: ClientCommand) => boolean
  /** Whether the agent has to take it, which may take time: such commands wait in the lane, where interrupts and answers pass them. */
  readonly isForAgent: (command: ClientCommand) => boolean
  /** Refuses the command because too many wait for the agent. */
  readonly refuse: (command: ClientCommand) => Effect.Effect<void>
}

const notNative =
  "the relay cannot hand over conversations of this agent: `end` the session and continue with the agent's own "
  + "command"

/** How many `message_id`s, and `uuid`s of prompts, are remembered per session. */
const remembered = 10_000

const now = Effect.map(Clock.currentTimeMillis, (ms) => ms / 1000)

export const make = (parts: Prompts.Parts): Commands => {
  const { broker, clients, drivers, over, timetable } = parts
  const { capabilities } = parts.agent.started
  const seen = new Set(parts.seen.map((message_id) => `message ${message_id}`))
  const { acknowledge, cancelQueued, complain, interrupt, isBusy, prompt, send, startNext, ...turns } =
    Prompts.make(
      parts,
      (prompt) => forget(prompt)
    )

  const named = <Request extends CommandOf<"control_request" | "raw_request">>(request: Request) =>
    Effect.map(
      parts.ids.uuid,
      (uuid) => ({ ...request, request_id: request.request_id ?? RequestId.make(uuid) })
    )

  /** Passes a native request on, after journaling what it is and who sent it. */
  const native = (command: NativeRequests.NativeCommand) =>
    Effect.gen(function*() {
      const request = NativeRequests.requestOf(command)
      const modes = capabilities.permission_modes
      const why = NativeRequests.objection(parts.tool, request, parts.agent.native, modes, parts.settings)
      if (why !== undefined) return yield* Prompts.refuse(why)
      const passed = yield* named(NativeRequests.withOwn(command, parts.agent.native))
      const by = yield* Sender
      yield* parts.log.append({
        type: "status",
        status: "native_request",
        text: request.method,
        metadata: {
          method: request.method,
          params: NativeRequests.journaled(request.params),
          request_id: passed.request_id,
          ...(Object.keys(by).length > 0 && { by })
        }
      })
      return yield* send(passed)
    })

  const setMode = (command: CommandOf<"set_permission_mode">) => {
    const modes = capabilities.permission_modes
    if (modes.includes(command.mode)) return send(command)
    return Prompts.refuse(
      modes.length === 0
        ? `${parts.tool} has no permission modes`
        : `\`mode\` must be one of ${modes.join(", ")}`
    )
  }

  /** A native answer to a waiting permission request settles it like any other answer; all else goes to the adapter. */
  const controlResponse = (command: CommandOf<"control_response">) => {
    const { request_id, response, error } = command.response
    if (!broker.pending().some((ask) => ask.request_id === request_id)) return send(command)
    const behavior = response?.["behavior"] === "allow" ? "allow" : "deny"
    const updatedInput = response?.["updatedInput"]
    const message = response?.["message"] ?? error
    return broker.respond({
      type: "permission_response",
      request_id,
      behavior,
      ...(Predicate.isObject(updatedInput) && { updatedInput }),
      ...(typeof message === "string" && { message }),
      ...(response?.["interrupt"] === true && { stop: true })
    })
  }

  const terminal = (command: CommandOf<"resize" | "stdin">) =>
    capabilities.terminal
      ? send(command)
      : Prompts.refuse(`${parts.tool} is not a terminal: \`${command.type}\` is for tool "generic"`)

  const setModel = (command: CommandOf<"set_model">) =>
    capabilities.set_model
      ? send(command)
      : Prompts.refuse(`${parts.tool} cannot change its model in a running session`)

  const addSchedule = ({ type: _, ...wanted }: CommandOf<"schedule">) =>
    Effect.gen(function*() {
      if (capabilities.terminal) {
        return yield* Prompts.refuse("a terminal takes no schedules: nobody would see what runs there")
      }
      const { token } = yield* Sender
      const maker = { schedule_id: yield* timetable.freshId, session_id: parts.log.session_id, token }
      const made = plan.add(timetable, parts.log, wanted, maker, yield* now)
      if (typeof made === "string") return yield* Prompts.refuse(made)
    })

  const noSchedule = (schedule_id: string) =>
    Prompts.refuse(`this session has no schedule "${schedule_id}": \`session_start\` lists its schedules`)

  /** Refuses while a turn runs: its changes would belong neither to the state before nor to the one after. */
  const whileIdle = (effect: Effect.Effect<void, Prompts.DeliveryError>) =>
    Effect.suspend(() =>
      isBusy()
        ? Prompts.refuse("a turn is running: wait for its end or interrupt it, then send this again")
        : effect
    )

  const orRefuse = (why: string | undefined) => why === undefined ? Effect.void : Prompts.refuse(why)

  /** Sends exactly the text that was shown under this id. If the session does not take it, the suggestion stays. */
  const answerSuggestion = (command: CommandOf<"suggestion_response">) =>
    Effect.gen(function*() {
      const { send: sends, suggestion_id } = command
      const client = yield* Driving
      const found = drivers.suggested(client, suggestion_id)
      if (typeof found === "string") return yield* Prompts.refuse(found)
      if (sends) {
        yield* prompt({
          type: "user_message",
          content: [{ type: "text", text: found.text }],
          message_id: MessageId.make(`suggestion-${suggestion_id}`)
        })
      }
      drivers.settleSuggestion(client, suggestion_id, sends)
    })

  const carryOut = Match.type<ClientCommand>().pipe(
    Match.withReturnType<Effect.Effect<void, Prompts.Refusal>>(),
    Match.discriminatorsExhaustive("type")({
      user_message: prompt,
      permission_response: broker.respond,
      interrupt: () => interrupt,
      set_model: setModel,
      set_permission_mode: setMode,
      control_request: native,
      raw_request: native,
      control_response: controlResponse,
      resize: terminal,
      stdin: terminal,
      cancel_queued: cancelQueued,
      hand_over: () => parts.handOver ?? Prompts.refuse(notNative),
      take_over: () => parts.takeOver ?? Prompts.refuse(notNative),
      set_budget: ({ budget }) => {
        const problem = parts.guard.lower(budget)
        return problem === undefined ? Effect.void : Prompts.refuse(problem)
      },
      set_on_limit: ({ on_limit }) => {
        parts.limit.setOnLimit(on_limit)
        return startNext
      },
      schedule: addSchedule,
      change_schedule: ({ paused, schedule_id }) =>
        Effect.flatMap(
          now,
          (time) =>
            plan.pause(timetable, () => parts.log, schedule_id, paused, time, parts.log.session_id) ===
                undefined
              ? noSchedule(schedule_id)
              : Effect.void
        ),
      remove_schedule: ({ schedule_id }) =>
        Effect.suspend(() =>
          plan.remove(timetable, () => parts.log, schedule_id, parts.log.session_id)
            ? Effect.void
            : noSchedule(schedule_id)
        ),
      rewind: (command) => whileIdle(parts.rewinds.rewind(command)),
      undo_rewind: (command) => whileIdle(parts.rewinds.undo(command)),
      drive: () => Effect.flatMap(Effect.flatMap(Driving, drivers.drive), orRefuse),
      drive_response: (answer) =>
        Effect.flatMap(Driving, (client) => orRefuse(drivers.respond(client, answer))),
      suggest: ({ text }) =>
        Effect.flatMap(Effect.flatMap(Driving, (client) => drivers.suggest(client, text)), orRefuse),
      suggestion_response: answerSuggestion,
      end: ({ if_alone = false }) =>
        if_alone && clients() > 1 ? Effect.void : Effect.suspend(() => {
          parts.limit.over("ended")
          parts.endsBy("session_ended")
          return Effect.asVoid(Deferred.succeed(over, undefined))
        }),
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

  /** The command changed nothing, so the client may send it again. */
  const forget = (command: ClientCommand) => namesOf(command).forEach((name) => seen.delete(name))

  /** Acknowledges a command that has a `message_id` and is done; prompts are acknowledged when they are delivered. */
  const acknowledgeDone = (command: ClientCommand) =>
    command.message_id === undefined || command.type === "user_message" || command.type === "cancel_queued"
      ? Effect.void
      : acknowledge(command, "sent")

  const knows = (command: ClientCommand) => namesOf(command).some((name) => seen.has(name))

  const handle: Commands["handle"] = (command, refusal) => {
    const names = namesOf(command)
    if (knows(command)) return acknowledge(command, "duplicate")
    if (refusal !== undefined) return complain(command, refusal)
    remember(names)
    return carryOut(command).pipe(
      Effect.andThen(acknowledgeDone(command)),
      Effect.catch((refusal) => {
        forget(command)
        return complain(command, refusal)
      })
    )
  }

  const isForAgent = (command: ClientCommand): boolean => {
    switch (command.type) {
      case "set_model":
      case "set_permission_mode":
      case "control_request":
      case "raw_request":
      case "resize":
      case "stdin":
      case "hand_over":
      case "take_over":
      case "rewind":
      case "undo_rewind":
        return true
      case "control_response":
        return !broker.pending().some((ask) => ask.request_id === command.response.request_id)
      case "user_message":
        return capabilities.terminal
          || (command.when === "steer" && capabilities.steer && parts.turns.current() !== undefined)
      default:
        return false
    }
  }

  const tooMany = "too many commands are waiting for the agent: send it again when those before it are done"
  const refuse = (command: ClientCommand) => complain(command, new Prompts.Overloaded({ reason: tooMany }))

  return { handle, knows, isForAgent, refuse, ...turns }
}
