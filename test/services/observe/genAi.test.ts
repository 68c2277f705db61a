import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Metric, Option, Tracer } from "effect"
import { metricsEndpointOf } from "../../../src/cli/tracing.js"
import { type BodyOf, type RelayEvent, SessionId } from "../../../src/schema/index.js"
import { counting } from "../../../src/services/observe/Metrics.js"
import { fromEffect, toText } from "../../../src/services/observe/prometheus.js"
import * as sessionSpans from "../../../src/services/observe/sessionSpans.js"

const usage = {
  input_tokens: 100,
  cached_input_tokens: 4000,
  cache_write_tokens: 50,
  output_tokens: 20,
  cost_usd: 0.5
}

interface Countable {
  readonly begin: (start: BodyOf<"turn_start">) => unknown
  readonly end: (end: BodyOf<"turn_end">) => boolean
}

describe("what turns use", () => {
  it.effect("is counted by agent and model, in the relay's names and in OpenTelemetry's", () =>
    Effect.gen(function*() {
      const clock = yield* Effect.clockWith(Effect.succeed)
      const turns = counting("claude", yield* Effect.context<never>()).turns<Countable>(
        clock,
        { begin: () => {}, end: () => true },
        () => "opus-9"
      )
      const before = yield* Metric.snapshot
      const sum = (text: string, sample: string) =>
        Number(text.split("\n").find((line) => line.startsWith(`${sample} `))?.split(" ").at(-1) ?? 0)
      const textOf = (metrics: ReadonlyArray<Metric.Metric.Snapshot>) =>
        toText([...fromEffect(metrics, "ai_relay_"), ...fromEffect(metrics, "gen_ai.")])
      turns.begin({ type: "turn_start" })
      turns.end({ type: "turn_end", stop_reason: "end_turn", usage })
      const after = textOf(yield* Metric.snapshot)
      const more = (sample: string) => sum(after, sample) - sum(textOf(before), sample)
      assert.strictEqual(more("ai_relay_cost_usd_total{tool=\"claude\",model=\"opus-9\"}"), 0.5)
      for (
        const [kind, value] of [["input", 100], ["output", 20], ["cached_input", 4000], ["cache_write", 50]]
      ) {
        assert.strictEqual(
          more(`ai_relay_tokens_total{tool="claude",model="opus-9",kind="${kind}"}`),
          Number(value)
        )
      }
      const names = "gen_ai_operation_name=\"invoke_agent\",gen_ai_provider_name=\"anthropic\","
        + "gen_ai_agent_name=\"claude\",gen_ai_request_model=\"opus-9\""
      // As the conventions count: what came out of the cache is input, too.
      const tokens = (type: string) => `gen_ai_client_token_usage_sum{${names},gen_ai_token_type="${type}"}`
      assert.strictEqual(more(tokens("input")), 4150)
      assert.strictEqual(more(tokens("output")), 20)
      assert.strictEqual(more(`gen_ai_client_operation_duration_count{${names}}`), 1)
    }))

  it.effect("is counted together for more models than there are, and for names of any length", () =>
    Effect.gen(function*() {
      const clock = yield* Effect.clockWith(Effect.succeed)
      const context = Context.add(yield* Effect.context<never>(), Metric.MetricRegistry, new Map())
      let model = ""
      const turns = counting("claude", context).turns<Countable>(
        clock,
        { begin: () => {}, end: () => true },
        () => model
      )
      for (let number = 0; number < 500; number++) {
        model = number % 2 === 0 ? `model-${number}` : "x".repeat(1000 + number)
        turns.begin({ type: "turn_start" })
        turns.end({ type: "turn_end", stop_reason: "end_turn", usage })
      }
      const costs = fromEffect(Metric.snapshotUnsafe(context), "ai_relay_")
      const lines = toText(costs).split("\n").filter((line) => line.startsWith("ai_relay_cost_usd_total{"))
      assert.lengthOf(lines, 201)
      assert.include(lines.join("\n"), "model=\"other\"} 150")
    }))

  it("is in the spans of turns, with the model that worked", () => {
    const spans: Array<Tracer.NativeSpan> = []
    const tracer = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    const { take } = sessionSpans.make(tracer, SessionId.make("s"))
    const say = (event: object) => take({ ts: 1, seq: 1, session_id: "s", ...event } as unknown as RelayEvent)
    say({ type: "session_start", metadata: { tool: "claude", model: "opus" } })
    say({ type: "turn_start", turn: 1 })
    say({ type: "status", status: "init", metadata: { model: "opus-9" } })
    say({ type: "turn_end", stop_reason: "end_turn", usage })
    const turn = spans.find(({ name }) => name === "turn")
    assert.deepInclude(Object.fromEntries(turn?.attributes ?? []), {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.provider.name": "anthropic",
      "gen_ai.request.model": "opus",
      "gen_ai.response.model": "opus-9",
      "gen_ai.usage.input_tokens": 4150,
      "gen_ai.usage.output_tokens": 20,
      "gen_ai.usage.cache_read.input_tokens": 4000,
      "gen_ai.usage.cache_creation.input_tokens": 50
    })
    assert.isTrue(Option.isSome(turn?.parent ?? Option.none()))
  })

  it("goes to a collector where the usual variables name one", () => {
    assert.isUndefined(metricsEndpointOf({}))
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318/" }
    assert.strictEqual(metricsEndpointOf(base), "http://c:4318/v1/metrics")
    assert.isUndefined(metricsEndpointOf({ ...base, OTEL_METRICS_EXPORTER: "none" }))
    assert.strictEqual(
      metricsEndpointOf({ ...base, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://m/x" }),
      "http://m/x"
    )
  })
})
