/** `GET /metrics` of the whole relay, over real HTTP, with an agent that needs no process. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Metric } from "effect"
import { Relay, RelayServer } from "../../src/index.js"
import { type Family, toText } from "../../src/services/observe/prometheus.js"
import { connect } from "../support/client.js"

const options = { host: "127.0.0.1", port: 0, roots: [process.cwd()] }
const layer = Relay.layer(options)

const scrape = (port: number) =>
  Effect.promise(async () => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    assert.strictEqual(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
    return response.text()
  })

/** The value of one sample, by its name and labels as they are written. */
const valueOf = (text: string, sample: string): number | undefined => {
  const line = text.split("\n").find((line) => line.startsWith(`${sample} `))
  return line === undefined ? undefined : Number(line.slice(sample.length + 1))
}

const replay = { tool: "replay", folder: "test/fixtures/replay", command: ["two-permissions.ndjson"] }

describe("GET /metrics", () => {
  it.live("counts nothing of another relay in the same process, unless the app gives both one registry", () =>
    Effect.gen(function*() {
      const build = (registry?: Context.Service.Shape<typeof Metric.MetricRegistry>) =>
        Layer.build(
          registry === undefined
            ? Relay.layer(options)
            : Relay.layer(options).pipe(Layer.provide(Layer.succeed(Metric.MetricRegistry, registry)))
        )
      const run = (relay: Context.Context<RelayServer>) =>
        Effect.promise(async () => {
          const { address } = Context.get(relay, RelayServer)
          const client = await connect(`ws://127.0.0.1:${address.port}`, replay)
          const { request_id } = await client.waitFor("permission_request")
          client.send({ type: "permission_response", request_id, behavior: "deny" })
          client.send({ type: "interrupt" })
          await client.waitFor("turn_end")
          await client.close()
        })
      const told = (relay: Context.Context<RelayServer>) =>
        Effect.map(
          scrape(Context.get(relay, RelayServer).address.port),
          (text) =>
            text.split("\n").filter((line) => /^ai_relay_(turns|events|agent_starts)_total/.test(line))
        )
      const [one, other] = [yield* build(), yield* build()]
      yield* run(other)
      assert.deepStrictEqual(yield* told(one), [])
      assert.strictEqual((yield* told(other)).length, 3)
      const registry = new Map()
      const [first, second] = [yield* build(registry), yield* build(registry)]
      yield* run(second)
      assert.strictEqual((yield* told(first)).length, 3)
    }).pipe(Effect.scoped))

  it.live("counts sessions, turns, events, permissions and clients, by tool", () =>
    Effect.gen(function*() {
      const { address } = yield* RelayServer
      const before = yield* scrape(address.port)
      const client = yield* Effect.promise(() => connect(`ws://127.0.0.1:${address.port}`, replay))
      const first = yield* Effect.promise(() => client.waitFor("permission_request"))
      const during = yield* scrape(address.port)
      assert.strictEqual(valueOf(during, "ai_relay_sessions{tool=\"replay\",state=\"running\"}"), 1)
      assert.strictEqual(valueOf(during, "ai_relay_pending_permissions{tool=\"replay\"}"), 1)
      assert.strictEqual(valueOf(during, "ai_relay_connections"), 1)
      client.onEvent(({ request_id, type }) => {
        if (type === "permission_request") {
          client.send({ type: "permission_response", request_id, behavior: "allow" })
        }
      })
      client.send({ type: "permission_response", request_id: first.request_id, behavior: "allow" })
      const end = yield* Effect.promise(() => client.waitFor("turn_end"))
      const after = yield* scrape(address.port)
      const more = (sample: string) => (valueOf(after, sample) ?? 0) - (valueOf(before, sample) ?? 0)
      assert.strictEqual(more(`ai_relay_turns_total{tool="replay",stop_reason="${end.stop_reason}"}`), 1)
      assert.isAtLeast(more("ai_relay_events_total{tool=\"replay\"}"), end.seq)
      assert.isAbove(more("ai_relay_event_bytes_total{tool=\"replay\"}"), end.seq * 50)
      assert.strictEqual(more("ai_relay_turn_seconds_count{tool=\"replay\"}"), 1)
      assert.strictEqual(more("ai_relay_turn_seconds_bucket{tool=\"replay\",le=\"+Inf\"}"), 1)
      assert.isAtLeast(
        more("ai_relay_permission_wait_seconds_count{tool=\"replay\",outcome=\"allow\"}"),
        1
      )
      // A person took a moment; a sum that is no number is none.
      const waited = more("ai_relay_permission_wait_seconds_sum{tool=\"replay\",outcome=\"allow\"}")
      assert.isAbove(waited, 0)
      assert.isBelow(waited, 60)
      assert.isAtLeast(
        more("ai_relay_permission_wait_seconds_bucket{tool=\"replay\",outcome=\"allow\",le=\"+Inf\"}"),
        1
      )
      assert.strictEqual(more("ai_relay_agent_starts_total{tool=\"replay\"}"), 1)
      assert.isAbove(valueOf(after, "process_resident_memory_bytes") ?? 0, 1e6)
      yield* Effect.promise(() => client.close())
    }).pipe(Effect.provide(layer)))

  it.live("is for those who may use the relay", () =>
    Effect.gen(function*() {
      const { address } = yield* RelayServer
      const response = yield* Effect.promise(() =>
        fetch(`http://127.0.0.1:${address.port}/metrics`, { headers: { origin: "https://evil.example" } })
      )
      assert.strictEqual(response.status, 403)
    }).pipe(Effect.provide(layer)))
})

describe("the text", () => {
  it("says what each metric is, and escapes what labels hold", () => {
    const family: Family = {
      name: "x_total",
      type: "counter",
      help: "Two\nlines.",
      samples: [{ labels: { a: "\"q\" \\ \n" }, value: 2 }, { labels: {}, value: Infinity }]
    }
    assert.strictEqual(
      toText([family, { ...family, name: "empty", samples: [] }]),
      "# HELP x_total Two lines.\n# TYPE x_total counter\nx_total{a=\"\\\"q\\\" \\\\ \\n\"} 2\nx_total +Inf\n"
    )
  })
})
