/**
 * connect: starts a Codex process, initializes it and makes sure that it can reach its model.
 *
 * Codex ignores API keys in its environment. A key from the client's handshake is used for this session; a
 * key from the relay's environment only if Codex has no login of its own, so that a stray key never bills a
 * subscriber. Keys are passed in memory and never written to `auth.json`.
 */
import { type Duration, Effect, Exit, Option, Redacted, Schema, Scope } from "effect"
import type { AgentSpec, Credentials } from "../Adapter.js"
import { AgentFailed, AuthRequired, type CommandNotFound } from "../AdapterError.js"
import type { JsonRpcError } from "../wire/JsonRpc.js"
import type { JsonRpcPeer, RequestTimedOut } from "../wire/JsonRpcPeer.js"
import { inMemory } from "./CodexLaunch.js"
import { codex } from "./descriptor.js"

/** Codex answers within a second; this limit is for one that hangs. */
export const patience: Duration.Input = "30 seconds"

/** Variables that hold a key, the more specific one first. */
const keyNames = ["CODEX_API_KEY", "OPENAI_API_KEY"]

const clientInfo = { name: "ai-relay", title: "AI Relay", version: "1" }

const Account = Schema.Struct({
  account: Schema.NullishOr(Schema.Unknown),
  requiresOpenaiAuth: Schema.optional(Schema.Boolean)
})
const isLoggedOut = Schema.is(
  Account.check(
    Schema.makeFilter(({ account, requiresOpenaiAuth }) =>
      (account === null || account === undefined) && requiresOpenaiAuth === true
    )
  )
)

type Start<R> = (
  credentials: ReadonlyArray<string>
) => Effect.Effect<JsonRpcPeer, CommandNotFound | AgentFailed, R | Scope.Scope>

type RequestFailed = JsonRpcError | RequestTimedOut | AgentFailed

/** A startup request failed: Codex cannot be used. */
export const toAgentFailed = (error: RequestFailed): AgentFailed =>
  error._tag === "AgentFailed" ? error : new AgentFailed({ tool: "Codex", reason: error.message })

/** Send `initialize`; tells whether Codex lacks a login. */
export const greet = Effect.fnUntraced(function*(peer: JsonRpcPeer) {
  yield* peer.request("initialize", {
    clientInfo,
    // Without it Codex asks the user no questions and has no plan mode.
    capabilities: { experimentalApi: true, requestAttestation: false }
  }, { within: patience })
  yield* peer.notify("initialized")
  return isLoggedOut(yield* peer.request("account/read", {}, { within: patience }))
}, Effect.mapError(toAgentFailed))

const logIn = (peer: JsonRpcPeer, key: Redacted.Redacted) =>
  peer.request("account/login/start", { type: "apiKey", apiKey: Redacted.value(key) }, { within: patience })
    .pipe(
      Effect.catchTag(
        "JsonRpcError",
        ({ reason }) =>
          new AuthRequired({ tool: "Codex", advice: `It refused the API key: ${reason}. ${codex.login}` })
      ),
      Effect.catchTag("RequestTimedOut", toAgentFailed)
    )

/** The client's own key. */
const keyOf = ({ env = {} }: AgentSpec): Option.Option<Redacted.Redacted> =>
  Option.fromNullishOr(keyNames.map((name) => env[name]).find((key) => key !== undefined && key !== "")).pipe(
    Option.map((key) => Redacted.make(key))
  )

const relayKey = (credentials: Credentials["Service"]) =>
  Effect.map(Effect.forEach(keyNames, (name) => credentials.get("codex", name)), Option.firstSomeOf)

/** The missing login is for the default provider, but this thread uses another. */
const hasOtherProvider = ({ config, modelProvider }: AgentSpec) =>
  modelProvider !== undefined || config?.["model_provider"] !== undefined

export const connect = Effect.fnUntraced(function*<R>(
  spec: AgentSpec,
  start: Start<R>,
  credentials: Credentials["Service"]
) {
  const clientKey = keyOf(spec)
  if (Option.isSome(clientKey)) return yield* startWithKey(start, clientKey.value)

  const trial = yield* Scope.fork(yield* Effect.scope)
  const peer = yield* Scope.provide(start([]), trial)
  const isLoggedIn = !(yield* greet(peer))
  if (isLoggedIn || hasOtherProvider(spec)) return peer
  const key = yield* relayKey(credentials)
  if (Option.isNone(key)) return yield* new AuthRequired({ tool: "Codex", advice: codex.login })
  yield* Scope.close(trial, Exit.void)
  return yield* startWithKey(start, key.value)
})

const startWithKey = Effect.fnUntraced(function*<R>(start: Start<R>, key: Redacted.Redacted) {
  const peer = yield* start(inMemory)
  if (yield* greet(peer)) yield* logIn(peer, key)
  return peer
})
