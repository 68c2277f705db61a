/** Traces of a replayed session, as a collector gets them over HTTP. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, Stream } from "effect"
import { createServer, type IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"
import { endpointOf, layer, metricsEndpointOf, metricsLayer } from "../../src/cli/tracing.js"
import { Relay, SessionRegistry } from "../../src/index.js"

interface Value {
  readonly stringValue?: string
  readonly intValue?: number
  readonly arrayValue?: unknown
}
interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: Value }>
}
interface Export {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: Span["attributes"] }
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }>
  }>
}

/** A collector that keeps what it is sent. */
const collector = Effect.acquireRelease(
  Effect.callback<Collector>((resume) => {
    const got: Collector["got"] = []
    const server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk: Buffer) => (body += chunk.toString()))
      request.on("end", () => {
        got.push({ path: request.url ?? "", headers: request.headers, body: JSON.parse(body) as Export })
        response.end("{}")
      })
    })
    server.listen(0, "127.0.0.1", () =>
      resume(Effect.succeed({
        got,
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        close: () => {
          server.closeAllConnections()
          server.close()
        }
      })))
  }),
  ({ close }) => Effect.sync(close)
)
interface Collector {
  readonly got: Array<
    { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Export }
  >
  readonly url: string
  readonly close: () => void
}

/** Play a session to its end, allowing what it asks. */
const play = Effect.scoped(Effect.gen(function*() {
  const { session } = yield* (yield* SessionRegistry).join({
    tool: "replay",
    folder: "test/fixtures/replay",
    command: ["two-permissions.ndjson"]
  })
  yield* session.log.tail(0).pipe(
    Stream.tap((event) =>
      event.type === "permission_request"
        ? session.submit({ type: "permission_response", request_id: event.request_id, behavior: "allow" })
        : Effect.void
    ),
    Stream.takeUntil((event) => event.type === "turn_end" && event.turn === 2),
    Stream.runDrain
  )
}))

const attribute = ({ attributes }: Pick<Span, "attributes">, name: string) =>
  attributes.find(({ key }) => key === name)?.value

describe("traces", () => {
  it.live(
    "tell a collector of the session, its turn, its tool calls and its permissions",
    () =>
      Effect.gen(function*() {
        const { got, url } = yield* collector
        const env = {
          OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`,
          OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b",
          OTEL_SERVICE_NAME: "shop-relay"
        }
        const relay = Relay.layerSessions({ trace: true }).pipe(
          Layer.provide(layer(endpointOf(env) ?? "", env, "1.2.3"))
        )
        yield* Effect.provide(play, relay)

        assert.isNotEmpty(got)
        const resources = got.flatMap(({ body }) => body.resourceSpans)
        assert.strictEqual(got[0]?.path, "/v1/traces")
        assert.strictEqual(got[0]?.headers["x-key"], "a b")
        assert.strictEqual(attribute(resources[0]!.resource, "service.name")?.stringValue, "shop-relay")
        assert.strictEqual(attribute(resources[0]!.resource, "service.version")?.stringValue, "1.2.3")

        const spans = resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
        const named = (name: string) => spans.filter((span) => span.name === name)
        const [session] = named("session")
        const turns = named("turn")
        const idsOf = (some: ReadonlyArray<Span>) => some.map(({ spanId }) => spanId)
        const parentsOf = (some: ReadonlyArray<Span>) => some.map(({ parentSpanId }) => parentSpanId)
        assert.strictEqual(new Set(spans.map(({ traceId }) => traceId)).size, 1)
        assert.isEmpty(session!.parentSpanId ?? "")
        assert.strictEqual(attribute(session!, "gen_ai.agent.name")?.stringValue, "replay")
        assert.deepStrictEqual(parentsOf(turns), [session!.spanId, session!.spanId])
        const tools = spans.filter(({ name }) => name.startsWith("execute_tool "))
        assert.deepStrictEqual(parentsOf(tools), idsOf(turns))
        const permissions = named("permission")
        assert.deepStrictEqual(parentsOf(permissions), idsOf(tools))
        for (const permission of permissions) {
          assert.strictEqual(attribute(permission, "ai_relay.outcome")?.stringValue, "allow")
        }
        // Nothing else: the relay's own effects are no business of an operator.
        assert.strictEqual(spans.length, 1 + 2 + 2 + 2)
        for (const { endTimeUnixNano, startTimeUnixNano } of spans) {
          assert.isTrue(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano))
        }
      }),
    20_000
  )

  it.live("come with what was counted, by the names of the conventions", () =>
    Effect.gen(function*() {
      const { got, url } = yield* collector
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_METRICS_HEADERS: "x-key=m" }
      const relay = Relay.layerSessions({}).pipe(
        Layer.merge(metricsLayer(metricsEndpointOf(env) ?? "", env, "1.2.3")),
        // Where the relay counts and the exporter looks, as in the command.
        Layer.provide(Layer.sync(Metric.MetricRegistry, () => new Map()))
      )
      yield* Effect.provide(play, relay)
      const last = got.at(-1)
      assert.strictEqual(last?.path, "/v1/metrics")
      assert.strictEqual(last?.headers["x-key"], "m")
      const names = JSON.stringify(last?.body)
      for (const name of ["ai_relay_turns_total", "gen_ai.client.operation.duration"]) {
        assert.include(names, `"${name}"`)
      }
    }), 20_000)

  it.live("are no matter of the relay's when nobody listens", () =>
    Effect.gen(function*() {
      const { close, url } = yield* collector
      close()
      const relay = Relay.layerSessions({ trace: true }).pipe(
        Layer.provide(layer(`${url}/v1/traces`, {}, "1.2.3"))
      )
      yield* Effect.provide(play, relay)
    }), 20_000)
})

describe("endpointOf", () => {
  it("goes by the usual variables", () => {
    assert.isUndefined(endpointOf({}))
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" }
    assert.strictEqual(endpointOf(base), "http://collector:4318/v1/traces")
    assert.strictEqual(
      endpointOf({ ...base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://other/here" }),
      "http://other/here"
    )
    assert.isUndefined(endpointOf({ ...base, OTEL_SDK_DISABLED: "true" }))
    assert.isUndefined(endpointOf({ ...base, OTEL_TRACES_EXPORTER: "none" }))
  })
})
