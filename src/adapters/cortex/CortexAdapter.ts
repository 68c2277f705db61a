/**
 * CortexAdapter: talks to Snowflake Cortex over HTTPS: chat completions, Analyst and Agents.
 *
 * There is no process: a session is a conversation kept by the relay, and a turn is a request with a streamed
 * answer (`CortexTurn`). A `Dialect` interprets a service's messages. `CortexAccount` decides where requests
 * may go, and with which token, before anything is sent.
 */
import { Deferred, Duration, Effect, type Fiber, FiberSet, Layer, Match } from "effect"
import { HttpClient } from "effect/http"
import type { SnowflakeOptions } from "../../schema/index.js"
import {
  type AgentCommand,
  type AgentExit,
  type AgentSpec,
  Credentials,
  EventSink,
  type PermissionGate,
  type PermissionOutcome
} from "../Adapter.js"
import { BadHandshake, CommandRefused } from "../AdapterError.js"
import { type AdapterSettings, AgentAdapter } from "../AgentDescriptor.js"
import { interruptSoon } from "../doneSoon.js"
import { makeContextMeter } from "../wire/contextMeter.js"
import { makeAgent } from "./agent.js"
import { makeAnalyst, semanticsOf } from "./analyst.js"
import { chat } from "./chat.js"
import { toAccount } from "./CortexAccount.js"
import * as CortexQuery from "./CortexQuery.js"
import * as CortexTurn from "./CortexTurn.js"
import { cortex } from "./descriptor.js"
import type { Dialect } from "./Dialect.js"

/** Set by the relay's configuration only, never by clients. */
export type CortexOptions = Pick<AdapterSettings, "cortex_hosts">

export const layer = (options: CortexOptions) => Layer.effect(AgentAdapter, make(options))

type Mode = "chat" | "analyst" | "agent"

/** The handshake's mode, or the one its options imply. */
const modeOf = ({ mode, snowflake = {} }: AgentSpec): Mode =>
  mode ?? (snowflake.agent !== undefined ? "agent" : semanticsOf(snowflake).length > 0 ? "analyst" : "chat")

const toDialect = (
  mode: Mode,
  options: SnowflakeOptions,
  model: string | undefined
): Effect.Effect<Dialect, BadHandshake> => {
  const semantics = semanticsOf(options)
  switch (mode) {
    case "chat":
      return model === undefined
        ? new BadHandshake({
          reason: "`model` is missing: set it to one of Cortex's models, such as \"claude-sonnet-4-5\""
        })
        : Effect.succeed(chat)
    case "analyst":
      return semantics.length === 1
        ? Effect.succeed(makeAnalyst(semantics))
        : new BadHandshake({
          reason: "Analyst needs exactly one of `snowflake.semantic_view`, `semantic_model_file`, "
            + `\`semantic_model\` and \`semantic_models\`; the handshake has ${semantics.length}`
        })
    case "agent":
      return makeAgent(options)
  }
}

/** Seconds without a byte: an agent run may take 15 minutes and reports little while a query runs. */
const standardSilence: Record<Mode, number> = { chat: 120, analyst: 120, agent: 15 * 60 }

const toSilence = (seconds: number) => seconds === 0 ? Duration.infinity : Duration.seconds(seconds)

const refuse = (reason: string) => new CommandRefused({ reason })

const make = Effect.fnUntraced(function*({ cortex_hosts }: CortexOptions) {
  const client = yield* HttpClient.HttpClient
  const credentials = yield* Credentials

  const open = Effect.fnUntraced(function*(spec: AgentSpec) {
    const sink = yield* EventSink
    const { snowflake = {} } = spec
    if (spec.native_session_id !== undefined) {
      return yield* new BadHandshake({
        reason: "Cortex does not keep conversations to continue: leave out `native_session_id`"
      })
    }
    const account = yield* toAccount(snowflake, credentials, cortex_hosts)
    const mode = modeOf(spec)
    const model = snowflake.model ?? spec.model
    const dialect = yield* toDialect(mode, snowflake, model)
    const gone = yield* Deferred.make<AgentExit>()
    yield* Effect.addFinalizer(() => Deferred.succeed(gone, { stderr: [] }))
    const fork = yield* FiberSet.makeRuntime<EventSink | PermissionGate | HttpClient.HttpClient>().pipe(
      Effect.provideService(HttpClient.HttpClient, client)
    )
    const forkQuestion = yield* FiberSet.makeRuntime<never, PermissionOutcome>()

    const conversation: CortexTurn.Conversation = {
      account,
      dialect,
      silence: toSilence(snowflake.timeout ?? standardSilence[mode]),
      warn: makeContextMeter(),
      fork: forkQuestion,
      model,
      messages: []
    }
    let turn: Fiber.Fiber<void> | undefined

    const send = Match.type<AgentCommand>().pipe(
      Match.withReturnType<Effect.Effect<void, CommandRefused>>(),
      Match.discriminatorsExhaustive("type")({
        user_message: (prompt) =>
          Effect.sync(() => {
            turn = fork(CortexTurn.run(conversation, prompt))
          }),
        // The session creates this effect when the turn begins and runs it to end the turn.
        interrupt: () => Effect.suspend(() => turn === undefined ? Effect.void : interruptSoon(turn)),
        set_model: (command) =>
          Effect.sync(() => {
            conversation.model = command.model
            sink.emit({ type: "status", status: "model", metadata: { model: command.model } })
          }),
        set_permission_mode: () => refuse("Cortex has no permission modes"),
        control_request: () => refuse("Cortex supports no control requests"),
        raw_request: ({ method, params, request_id }) =>
          Effect.map(CortexQuery.toQuery(account, method, params), (query) => {
            fork(CortexQuery.answer(request_id, query))
          }),
        control_response: () => refuse("Cortex is not waiting for an answer to this request"),
        resize: () => refuse("Cortex does not run in a terminal"),
        stdin: () => refuse("Cortex does not run in a terminal")
      })
    )

    // Analyst chooses its own model; a stored agent has one.
    const takesModel = mode === "chat" || (mode === "agent" && snowflake.agent === undefined)
    return {
      started: {
        capabilities: {
          images: mode === "chat",
          steer: false,
          set_model: takesModel,
          permission_modes: [],
          resume: false,
          terminal: false
        },
        metadata: {
          mode,
          account_url: account.origin,
          ...(takesModel && model !== undefined && { model }),
          ...(mode === "agent" && snowflake.agent !== undefined && { agent: snowflake.agent })
        }
      },
      native: { harmless: { models: [], feedback: ["request_id", "positive", "feedback_message"] } },
      send,
      exit: Deferred.await(gone)
    }
  })

  return AgentAdapter.of({ tool: cortex.tool, open })
})
