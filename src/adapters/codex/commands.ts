/**
 * commands: what the relay sends to Codex: prompts, settings, interrupts, and requests forwarded for clients.
 *
 * An interrupt waits until its turn is live: sent earlier, Codex would refuse it and continue.
 */
import { Deferred, Effect, type Fiber, Match, Option, Result, Schedule, Schema } from "effect"
import type { RequestId } from "../../schema/Ids.js"
import type { AgentCommand, EventSink, Prompt } from "../Adapter.js"
import { type AgentFailed, CommandRefused, type SendError } from "../AdapterError.js"
import { doneSoon } from "../doneSoon.js"
import type { JsonRpcError } from "../wire/JsonRpc.js"
import type { JsonRpcPeer } from "../wire/JsonRpcPeer.js"
import { id, items, withFallback } from "../wire/lenient.js"
import { status } from "../wire/statusEvent.js"
import type { makeSettings } from "./settings.js"
import type { CodexState } from "./translate.js"
import { compactionOf, toUserInput } from "./userInput.js"

interface Parts {
  readonly peer: JsonRpcPeer
  readonly sink: EventSink["Service"]
  readonly state: CodexState
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly settings: ReturnType<typeof makeSettings>
}

export type Commands = ReturnType<typeof makeCommands>

/** Codex's queue is full: it says "retry later". */
export const overloaded = -32001
const isOverloaded = (error: JsonRpcError | AgentFailed) =>
  error._tag === "JsonRpcError" && error.code === overloaded
const later = Schedule.max([Schedule.jittered(Schedule.exponential("200 millis")), Schedule.recurs(5)])

/** For optional requests. */
const briefly = { within: "2 seconds" } as const

const readTurn = Schema.decodeUnknownOption(Schema.Struct({ turn: Schema.Struct({ id }) }))
const readTerminals = Schema.decodeUnknownEffect(Schema.Struct({
  data: withFallback(items(Schema.Struct({ itemId: id, processId: id })), [])
}))

const toRefusal = (error: JsonRpcError | AgentFailed): SendError =>
  error._tag === "AgentFailed" ? error : new CommandRefused({ reason: `Codex refuses: ${error.reason}` })

export const makeCommands = ({ fork, peer, settings, sink, state }: Parts) => {
  const { turns } = state
  const threadId = () => state.thread ?? ""

  /** Send a request; `take` gets the result in the step that reads it. */
  const ask = (method: string, params: object, take: (result: unknown) => void) =>
    Effect.suspend(() => {
      const answered = Deferred.makeUnsafe<void, JsonRpcError | AgentFailed>()
      return peer.post(method, params, (answer) => {
        if (Result.isSuccess(answer)) take(answer.success)
        doneSoon(answered, Effect.asVoid(Effect.fromResult(answer)))
      }).pipe(Effect.andThen(Deferred.await(answered)))
    }).pipe(Effect.retry({ while: isOverloaded, schedule: later }))

  // --- turns ---------------------------------------------------------------------------------------------------

  const begin = (kind: "asked" | "next", start: Effect.Effect<void, JsonRpcError | AgentFailed>) =>
    Effect.suspend(() => {
      turns.ask(kind)
      return Effect.mapError(Effect.tapError(start, () => Effect.sync(turns.refused)), toRefusal)
    })

  const startTurn = ({ content, uuid }: Prompt) =>
    Effect.suspend(() => {
      const taken = settings.pending()
      const params = {
        threadId: threadId(),
        input: toUserInput(content),
        clientUserMessageId: uuid,
        ...taken
      }
      return begin(
        "asked",
        ask("turn/start", params, (result) => {
          settings.taken(taken)
          turns.answered(Option.getOrUndefined(readTurn(result))?.turn.id)
        })
      )
    })

  const compact = (instructions: string) => {
    if (instructions !== "") {
      return new CommandRefused({ reason: "Codex accepts no instructions for /compact: send it alone" })
    }
    return begin(
      "next",
      ask("thread/compact/start", { threadId: threadId() }, () => {
        state.compaction.isManual = true
      })
    )
  }

  const liveTurn = Effect.callback<string | undefined>((resume) =>
    turns.whenLive((id) => resume(Effect.succeed(id)))
  )

  const steer = ({ content, uuid }: Pick<Prompt, "content"> & { readonly uuid?: string }) =>
    Effect.flatMap(liveTurn, (expectedTurnId): Effect.Effect<void, SendError> => {
      if (expectedTurnId === undefined) {
        return new CommandRefused({ reason: "the turn has just ended: send the prompt again" })
      }
      const input = toUserInput(content)
      const params = {
        threadId: threadId(),
        expectedTurnId,
        input,
        ...(uuid !== undefined && { clientUserMessageId: uuid })
      }
      return Effect.mapError(ask("turn/steer", params, () => {}), toRefusal)
    })

  /** A line for the model in the running turn; whether it arrives or not, the wait is short. */
  const say = (text: string) =>
    steer({ content: [{ type: "text", text }] }).pipe(Effect.timeout(briefly.within), Effect.ignore)

  const prompt = (message: Prompt): Effect.Effect<void, SendError> => {
    const instructions = compactionOf(message.content)
    if (message.when === "steer" && instructions === undefined) return steer(message)
    if (instructions === undefined) return startTurn(message)
    return message.when === "steer"
      ? new CommandRefused({ reason: "a running turn cannot be compacted: send /compact when it has ended" })
      : compact(instructions)
  }

  /** Codex would keep these running; commands it no longer knows have ended already. */
  const endCommands = Effect.fnUntraced(function*(ids: ReadonlyArray<string>) {
    const { data } = yield* Effect.flatMap(
      peer.request("thread/backgroundTerminals/list", { threadId: threadId() }, briefly),
      readTerminals
    )
    for (const id of ids) {
      const processId = data.find(({ itemId }) => itemId === id)?.processId
      const end = { threadId: threadId(), processId }
      yield* processId === undefined
        ? Effect.sync(() => state.tools.stopOne(id, state.thread).forEach((event) => sink.emit(event)))
        : peer.post("thread/backgroundTerminals/terminate", end, () => {})
    }
  }, (ended) => Effect.ignore(ended))

  /** Stop the turn as soon as it is live; does not wait for it. */
  const stop = () =>
    turns.whenLive((turnId) => {
      if (turnId === undefined) return
      state.isStopping = true
      const commands = state.tools.foregroundCommands(state.thread)
      fork(Effect.ignore(peer.post("turn/interrupt", { threadId: threadId(), turnId }, () => {})))
      if (commands.length > 0) fork(endCommands(commands))
    })

  // --- requests of clients -------------------------------------------------------------------------------------

  const pass = (request_id: RequestId, method: string, params: unknown) =>
    peer.post(method, params ?? {}, (answer, line) =>
      sink.emit({
        type: "control_response",
        request_id,
        ...(Result.isSuccess(answer)
          ? { status: "ok", content: answer.success }
          : { status: "error", text: answer.failure.message })
      }, line))

  const send = Match.type<AgentCommand>().pipe(
    Match.withReturnType<Effect.Effect<void, SendError>>(),
    Match.discriminatorsExhaustive("type")({
      user_message: prompt,
      interrupt: () => Effect.sync(stop),
      set_model: ({ model }) =>
        Effect.sync(() => {
          settings.setModel(model)
          sink.emit(status("model", undefined, { model }))
        }),
      set_permission_mode: ({ mode }) =>
        Effect.sync(() => {
          settings.setMode(mode)
          sink.emit(status("permission_mode", undefined, { permission_mode: mode }))
        }),
      control_request: ({ request: { subtype, ...params }, request_id }) => pass(request_id, subtype, params),
      raw_request: ({ method, params, request_id }) => pass(request_id, method, params),
      control_response: ({ response: { request_id } }) =>
        new CommandRefused({ reason: `Codex is not waiting for an answer to the request "${request_id}"` }),
      resize: () => new CommandRefused({ reason: "Codex does not run in a terminal here" }),
      stdin: () => new CommandRefused({ reason: "Codex does not run in a terminal here" })
    })
  )

  return { say, send, stop }
}
