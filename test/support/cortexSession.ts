/** cortexSession: a session with Cortex, played against our own server over real HTTP. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Exit, Layer, Result, Scope, Stream } from "effect"
import { Credentials } from "../../src/adapters/Adapter.js"
import { AgentAdapter } from "../../src/adapters/AgentDescriptor.js"
import * as CortexAdapter from "../../src/adapters/cortex/CortexAdapter.js"
import {
  type BodyOf,
  decodeFrame,
  type EventType,
  type RelayEvent,
  SessionId
} from "../../src/schema/index.js"
import * as EnvironmentCredentials from "../../src/services/access/EnvironmentCredentials.js"
import { IdGenerator } from "../../src/services/IdGenerator.js"
import { defaults, RelayConfig } from "../../src/services/RelayConfig.js"
import * as Session from "../../src/services/session/Session.js"
import { type CortexServer, startCortexServer } from "./cortexServer.js"
import { specOf } from "./fakeAdapter.js"

/** What the relay's environment holds in these tests. */
export const pat = "pat-of-the-relay"

export const layerCredentials = Layer.succeed(
  Credentials,
  EnvironmentCredentials.make({ ...defaults(), cortex_token_env: ["TEAM_PAT"] }, {
    SNOWFLAKE_PAT: pat,
    AWS_SECRET_ACCESS_KEY: "not for you"
  })
)

export const serverOf = Effect.acquireRelease(
  Effect.promise(startCortexServer),
  (server) => Effect.promise(server.close)
)

const read = (events: Stream.Stream<RelayEvent>) => Stream.runCollect(events)

/** Open a session; `snowflake` is what its handshake says besides the URL. */
export const openSession = Effect.fnUntraced(function*(
  server: CortexServer,
  { snowflake, ...handshake }: { readonly snowflake?: object; readonly [field: string]: unknown } = {}
) {
  const adapter = yield* Effect.provide(
    AgentAdapter,
    CortexAdapter.layer({ cortex_hosts: [server.host] }).pipe(Layer.provide(layerCredentials))
  )
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const spec = specOf({
    model: "claude-sonnet-4-5",
    ...handshake,
    snowflake: { account_url: server.url, ...snowflake }
  })
  const session = yield* Session.open(SessionId.make("cortex"), adapter, { ...spec, tool: "cortex" }).pipe(
    Scope.provide(scope)
  )
  const { log } = session

  /** Send a frame, as a client spells it. */
  const send = (frame: object) => session.submit(Result.getOrThrow(decodeFrame(JSON.stringify(frame))))

  /** The next event of this type; `after` skips those up to that `seq`. */
  const next = <Type extends EventType>(type: Type, after = 0) =>
    log.tail(after).pipe(
      Stream.filter((event): event is RelayEvent & BodyOf<Type> => event.type === type),
      Stream.runHead,
      Effect.flatMap(Effect.fromOption),
      Effect.orDie
    )

  /** Wait until it has streamed this piece. */
  const said = (text: string) =>
    log.tail(0).pipe(
      Stream.takeUntil((event) => event.type === "stream_event" && event.text === text),
      Stream.runDrain
    )

  /** Send a prompt; the events until its turn has ended. */
  const turn = (prompt: object | string) =>
    Effect.gen(function*() {
      const after = log.lastSeq()
      yield* send(typeof prompt === "string" ? { text: prompt } : prompt)
      return yield* read(Stream.takeUntil(log.tail(after), ({ type }) => type === "turn_end"))
    })

  /** Close the session; all that was logged. */
  const close = Effect.andThen(Scope.close(scope, Exit.void), read(log.tail(0)))
  return { session, log, send, next, said, turn, close }
})

export const layerSession = Layer.mergeAll(
  NodeHttpClient.layerNodeHttp,
  IdGenerator.layerTest,
  RelayConfig.layer({ interrupt_timeout: 5 })
)

export const ofType = <Type extends EventType>(events: ReadonlyArray<RelayEvent>, type: Type) =>
  events.filter((event): event is RelayEvent & BodyOf<Type> => event.type === type)
