/**
 * Metrics: a relay's counters by agent, as Effect metrics. They are in the `Metric.MetricRegistry` of its context, so that two
 * relays in one process count separately.
 *
 * Turns, permissions and agents are counted as they happen. Events and their bytes are too many for that: they are summed here,
 * one addition per batch, and read on request. Metrics contain nothing that anyone said.
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

const turns = count("turns_total", "Turns that ended, by stop reason.")
const turnSeconds = seconds(
  "turn_seconds",
  "From the start of a turn to its end.",
  [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800]
)
const permissionSeconds = seconds(
  "permission_wait_seconds",
  "How long agents waited for answers, by outcome.",
  [0.5, 1, 2, 5, 10, 30, 60, 300, 1800]
)
const agentStarts = count("agent_starts_total", "Agents that were started.")
const agentFailures = count("agent_start_failures_total", "Agents that could not be started, by reason.")
const agentExits = count(
  "agent_exits_total",
  "Agents that exited: stopped by the relay, finished, or failed."
)
const tokens = count("tokens_total", "Tokens used by turns, as reported by agents.")
const cost = count("cost_usd_total", "Cost of turns in US dollars, as reported by agents.")

const connections = Metric.gauge("ai_relay_connections", {
  description: "Connected WebSocket clients."
})

/** Counts one more client while the scope is open. */
export const countingConnection = Effect.acquireRelease(
  Metric.modify(connections, 1),
  () => Metric.modify(connections, -1)
)

/** Events of all sessions of one agent since the relay started. */
export interface Volume {
  events: number
  bytes: number
}

/** One for each registry of the relay's other metrics. */
const perRegistry = <A>(make: () => A) => {
  const all = new WeakMap<object, A>()
  return (context: Context.Context<never>): A => {
    const registry = Context.get(context, Metric.MetricRegistry)
    const known = all.get(registry) ?? make()
    all.set(registry, known)
    return known
  }
}

const volumesIn = perRegistry(() => new Map<string, Volume>())

/** What was appended to all event stores of the relay in this context. */
export const volumeByTool = (context: Context.Context<never>): ReadonlyMap<string, Readonly<Volume>> =>
  volumesIn(context)

/** Models that are counted by name. */
const modelsIn = perRegistry(() => new Set<string>())
const mostModels = 200
const longestModel = 200

/** A model's name, which an agent or a client chooses: more than some, or longer ones, are counted together. */
const countedModel = (model: string | undefined, context: Context.Context<never>): string | undefined => {
  if (model === undefined) return undefined
  const known = modelsIn(context)
  if (known.has(model)) return model
  if (known.size >= mostModels || model.length > longestModel) return "other"
  known.add(model)
  return model
}

/** Begins and ends turns; `end` gives false if none was running. */
interface Countable {
  readonly begin: (start: BodyOf<"turn_start">, raw?: Uint8Array) => unknown
  readonly end: (end: BodyOf<"turn_end">, raw?: Uint8Array) => boolean
}

/** Counters for sessions of one agent, in the registry of `context`. */
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
    /** The same store, counting what is appended. */
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

    /** The same turns, counting durations and costs by the model in use at their end. */
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
            const counted = countedModel(model(), context)
            countUsage(counted, end)
            genAi.countTurn({
              tool,
              model: counted,
              seconds,
              usage: end.usage ?? {},
              error: end.stop_reason === "error" ? "turn_failed" : undefined
            }, context)
          }
          return ended
        }
      }
    },

    /** The same gate, counting how long answers take. */
    answers: (gate: PermissionGate["Service"]): PermissionGate["Service"] => ({
      ...gate,
      request: (ask, raw) =>
        Effect.map(Effect.timed(gate.request(ask, raw)), ([waited, outcome]) => {
          const answer = outcome.behavior === "cancelled" ? outcome.reason : outcome.behavior
          add(permissionSeconds, { outcome: answer }, Duration.toSeconds(waited))
          return outcome
        })
    }),

    /** Counts starts of agents, and failed starts by reason. */
    start: <A, E extends { readonly _tag: string }, R>(
      start: Effect.Effect<A, E, R>
    ): Effect.Effect<A, E, R> =>
      start.pipe(
        Effect.tap(() => Effect.sync(() => add(agentStarts, {}))),
        Effect.tapError(({ _tag }) => Effect.sync(() => add(agentFailures, { reason: _tag })))
      ),

    /** Counts an agent's exit. */
    exited: (how: "stopped" | "finished" | "failed"): void => add(agentExits, { how })
  }
}
