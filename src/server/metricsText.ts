/**
 * metricsText: the answer to `GET /metrics`: counters (`Metrics`) and current values of live sessions, their queues, and the
 * process. It is computed per request.
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
      "Client commands waiting to be handled.",
      sumBy(loads, ({ inbox }) => inbox)
    ),
    gauge("queued_prompts", "Prompts waiting for a turn to end.", sumBy(loads, ({ queued }) => queued)),
    gauge(
      "pending_permissions",
      "Permission requests waiting for an answer.",
      sumBy(loads, ({ pending }) => pending)
    ),
    gauge(
      "lag_events",
      "Events not yet read by the slowest client of each session, summed.",
      sumBy(loads, ({ lag }) => lag)
    ),
    gauge("lag_events_max", "Events not yet read by the slowest client of all.", [{
      labels: {},
      value: slowest
    }])
  ]
}

const eventFamilies = (context: Context.Context<never>): ReadonlyArray<Family> => {
  const volumes = [...volumeByTool(context)]
  return (["events", "bytes"] as const).map((what) => ({
    name: what === "events" ? "ai_relay_events_total" : "ai_relay_event_bytes_total",
    type: "counter",
    help: what === "events" ? "Events logged." : "Bytes of logged events, as sent to clients.",
    samples: volumes.map(([tool, volume]) => ({ labels: { tool }, value: volume[what] }))
  }))
}

/** Metrics of the process, under their conventional names. */
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
    one(
      "process_cpu_seconds_total",
      "counter",
      "CPU time of the relay process, in seconds.",
      (system + user) / 1e6
    ),
    one(
      "process_resident_memory_bytes",
      "gauge",
      "Resident memory of the relay process, in bytes.",
      process.memoryUsage.rss()
    ),
    one(
      "process_start_time_seconds",
      "gauge",
      "When the relay started, in Unix seconds.",
      Math.round(performance.timeOrigin) / 1000
    ),
    one(
      "ai_relay_loop_busy_seconds_total",
      "counter",
      "Time the event loop was busy, in seconds.",
      active / 1000
    ),
    one(
      "ai_relay_loop_idle_seconds_total",
      "counter",
      "Time the event loop was idle, in seconds.",
      idle / 1000
    )
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
