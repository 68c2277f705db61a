/**
 * metricsText: what `GET /metrics` says: what was counted (`Metrics`), and how things stand at this moment: live sessions,
 * what waits in them, and the process itself. It is put together when somebody asks.
 */
import { type Context, Effect, Metric } from "effect"
import { volumeByTool } from "../services/observe/Metrics.js"
import { type Family, fromEffect, type Sample, toText } from "../services/observe/prometheus.js"
import type { Load, Session } from "../services/session/Session.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"

const sumBy = (loads: ReadonlyArray<Load>, valueOf: (load: Load) => number): ReadonlyArray<Sample> => {
  const sums = new Map<string, number>()
  for (const load of loads) sums.set(load.tool, (sums.get(load.tool) ?? 0) + valueOf(load))
  return [...sums].map(([tool, value]) => ({ labels: { tool }, value }))
}

const isRunning = ({ log }: Session) => log.turn() !== undefined

const sessionFamilies = (sessions: ReadonlyArray<Session>): ReadonlyArray<Family> => {
  const loads = sessions.map((session) => session.load())
  const loadsIf = (running: boolean) => sessions.filter((s) => isRunning(s) === running).map((s) => s.load())
  const gauge = (name: string, help: string, samples: ReadonlyArray<Sample>): Family => ({
    name: `ai_relay_${name}`,
    type: "gauge",
    help,
    samples
  })
  const inState = (state: string, running: boolean) =>
    sumBy(loadsIf(running), () => 1).map(({ labels, value }) => ({ labels: { ...labels, state }, value }))
  const slowest = loads.reduce((most, { lag }) => Math.max(most, lag), 0)
  return [
    gauge("sessions", "Live sessions.", [...inState("running", true), ...inState("idle", false)]),
    gauge(
      "inbox_commands",
      "Commands of clients that wait to be handled.",
      sumBy(loads, ({ inbox }) => inbox)
    ),
    gauge("queued_prompts", "Prompts that wait for a turn to end.", sumBy(loads, ({ queued }) => queued)),
    gauge("pending_permissions", "Permissions nobody has answered.", sumBy(loads, ({ pending }) => pending)),
    gauge(
      "lag_events",
      "Events the slowest client of each session has not taken.",
      sumBy(loads, ({ lag }) => lag)
    ),
    gauge("lag_events_max", "The same, of the slowest client of all.", [{ labels: {}, value: slowest }])
  ]
}

const eventFamilies = (context: Context.Context<never>): ReadonlyArray<Family> => {
  const volumes = [...volumeByTool(context)]
  return (["events", "bytes"] as const).map((what) => ({
    name: what === "events" ? "ai_relay_events_total" : "ai_relay_event_bytes_total",
    type: "counter",
    help: what === "events" ? "Events logged." : "Bytes of the events logged, as clients get them.",
    samples: volumes.map(([tool, volume]) => ({ labels: { tool }, value: volume[what] }))
  }))
}

/** Under the names every process's metrics have. */
const processFamilies = (): ReadonlyArray<Family> => {
  const one = (name: string, type: Family["type"], help: string, value: number): Family => ({
    name,
    type,
    help,
    samples: [{ labels: {}, value }]
  })
  const { system, user } = process.cpuUsage()
  const { active, idle } = performance.eventLoopUtilization()
  return [
    one("process_cpu_seconds_total", "counter", "CPU time of the relay itself.", (system + user) / 1e6),
    one("process_resident_memory_bytes", "gauge", "Memory of the relay itself.", process.memoryUsage.rss()),
    one(
      "process_start_time_seconds",
      "gauge",
      "When the relay started.",
      Math.round(performance.timeOrigin) / 1000
    ),
    one("ai_relay_loop_busy_seconds_total", "counter", "Time the event loop has worked.", active / 1000),
    one("ai_relay_loop_idle_seconds_total", "counter", "Time the event loop has waited.", idle / 1000)
  ]
}

export const metricsText = Effect.map(
  Effect.zip(SessionRegistry, Effect.context<never>()),
  ([registry, context]) => {
    const counted = Metric.snapshotUnsafe(context)
    return toText([
      ...sessionFamilies(registry.all()),
      ...eventFamilies(context),
      ...fromEffect(counted, "ai_relay_"),
      ...fromEffect(counted, "gen_ai."),
      ...processFamilies()
    ])
  }
)
