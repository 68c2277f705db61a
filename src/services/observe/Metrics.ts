/**
 * Metrics: what a relay counts, by tool, as Effect metrics. They are in the `Metric.MetricRegistry` of the context it runs in, so
 * that two relays of one process count apart.
 *
 * Turns, permissions and agents are counted as they happen. Events and their bytes are so many that they are added up
 * here, one addition per batch, and read when somebody asks. Nothing that anyone said is in a metric.
 */
import { type Clock, Context, Duration, Effect, Metric } from "effect"
import type { PermissionGate } from "../../adapters/Adapter.js"
import type { BodyOf } from "../../schema/index.js"
import type { EventStore } from "../log/EventStore.js"
import * as genAi from "./genAi.js"

const count = (name: string, description: string) =>
  Metric.counter(`ai_relay_${name}`, { description, incremental: true })
const seconds = (name: string, description: string, boundaries: ReadonlyArray<number>) =>
  Metric.histogram(`ai_relay_${name}`, {
    description,
    boundaries: Metric.boundariesFromIterable(boundaries)
  })

const turns = count("turns_total", "Turns that ended, by how they did.")
const turnSeconds = seconds(
  "turn_seconds",
  "From the start of a turn to its end.",
  [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800]
)
const permissionSeconds = seconds(
  "permission_wait_seconds",
  "How long an agent waited for an answer, by what it was.",
  [0.5, 1, 2, 5, 10, 30, 60, 300, 1800]
)
const agentStarts = count("agent_starts_total", "Agents that were started.")
const agentFailures = count("agent_start_failures_total", "Agents that could not be started, by why.")
const agentExits = count(
  "agent_exits_total",
  "Agents that are gone: stopped by the relay, finished, or failed."
)
const tokens = count("tokens_total", "Tokens of turns, as far as agents tell.")
const cost = count("cost_usd_total", "What turns cost in US dollars, as far as agents tell.")

const connections = Metric.gauge("ai_relay_connections", {
  description: "WebSocket clients that are connected."
})

/** One more client, for as long as the scope lives. */
export const countingConnection = Effect.acquireRelease(
  Metric.modify(connections, 1),
  () => Metric.modify(connections, -1)
)

/** Events of all sessions with one tool, since the relay started. */
export interface Volume {
  events: number
  bytes: number
}

/** By the registry that the other metrics of the same relay are in. */
const volumes = new WeakMap<object, Map<string, Volume>>()
const volumesIn = (context: Context.Context<never>): Map<string, Volume> => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const known = volumes.get(registry) ?? new Map<string, Volume>()
  volumes.set(registry, known)
  return known
}

/** What was appended to all event stores of the relay that runs in this context. */
export const volumeByTool = (context: Context.Context<never>): ReadonlyMap<string, Readonly<Volume>> =>
  volumesIn(context)

/** What begins and ends turns; `end` is false when none ran. */
interface Countable {
  readonly begin: (start: BodyOf<"turn_start">, raw?: Uint8Array) => unknown
  readonly end: (end: BodyOf<"turn_end">, raw?: Uint8Array) => boolean
}

/** Counts for sessions with one tool, in the registry of `context`. */
export const counting = (tool: string, context: Context.Context<never>) => {
  type Labels = Readonly<Record<string, string>>
  const add = <State>(metric: Metric.Metric<number, State>, labels: Labels, value = 1) =>
    Metric.withAttributes(metric, { tool, ...labels }).updateUnsafe(value, context)

  const countUsage = (model: string | undefined, { usage = {} }: BodyOf<"turn_end">) => {
    const kinds = ["input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens"] as const
    const labels = { model: model ?? "" }
    for (const kind of kinds) {
      if (usage[kind] !== undefined) {
        add(tokens, { ...labels, kind: kind.replace("_tokens", "") }, usage[kind])
      }
    }
    if (usage.cost_usd !== undefined) add(cost, labels, usage.cost_usd)
  }

  return {
    /** The same store, and what is appended to it is counted. */
    events: (store: EventStore): EventStore => {
      const known = volumesIn(context)
      const volume = known.get(tool) ?? { events: 0, bytes: 0 }
      known.set(tool, volume)
      return {
        ...store,
        append: (batch, isPreviewOnly) => {
          volume.events += batch.ends.length
          volume.bytes += batch.bytes.length
          store.append(batch, isPreviewOnly)
        }
      }
    },

    /** The same turns, and how long they took and what they cost is counted, by the model that works when they end. */
    turns: <Turns extends Countable>(
      clock: Clock.Clock,
      own: Turns,
      model: () => string | undefined = () => undefined
    ): Turns => {
      let began = 0
      return {
        ...own,
        begin: (start: BodyOf<"turn_start">, raw?: Uint8Array) => {
          began = clock.currentTimeMillisUnsafe()
          return own.begin(start, raw)
        },
        end: (end: BodyOf<"turn_end">, raw?: Uint8Array) => {
          const ended = own.end(end, raw)
          if (ended) {
            add(turns, { stop_reason: end.stop_reason })
            const seconds = (clock.currentTimeMillisUnsafe() - began) / 1000
            add(turnSeconds, {}, seconds)
            countUsage(model(), end)
            genAi.countTurn({
              tool,
              model: model(),
              seconds,
              usage: end.usage ?? {},
              error: end.stop_reason === "error" ? "turn_failed" : undefined
            }, context)
          }
          return ended
        }
      }
    },

    /** The same gate, and how long answers take is counted. */
    answers: (gate: PermissionGate["Service"]): PermissionGate["Service"] => ({
      ...gate,
      request: (ask, raw) =>
        Effect.map(Effect.timed(gate.request(ask, raw)), ([waited, outcome]) => {
          const answer = outcome.behavior === "cancelled" ? outcome.reason : outcome.behavior
          add(permissionSeconds, { outcome: answer }, Duration.toSeconds(waited))
          return outcome
        })
    }),

    /** The start of an agent is counted, or why it failed. */
    start: <A, E extends { readonly _tag: string }, R>(
      start: Effect.Effect<A, E, R>
    ): Effect.Effect<A, E, R> =>
      start.pipe(
        Effect.tap(() => Effect.sync(() => add(agentStarts, {}))),
        Effect.tapError(({ _tag }) => Effect.sync(() => add(agentFailures, { reason: _tag })))
      ),

    /** An agent is gone. */
    exited: (how: "stopped" | "finished" | "failed"): void => add(agentExits, { how })
  }
}
