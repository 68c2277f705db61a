/**
 * AgentFindings: which agents can be used on this machine, for `ai-relay doctor` and for pages that offer agents.
 *
 * A check starts every agent's program once or twice, so its results are kept for a minute.
 */
import { Context, Effect, type FileSystem, Layer, Option, type Path } from "effect"
import type { AgentFacts } from "../../adapters/AgentDescriptor.js"
import { knownAgents } from "../../adapters/agents.js"
import { generic as terminal } from "../../adapters/generic/descriptor.js"
import * as ProcessSupervisor from "../process/ProcessSupervisor.js"
import { RelayConfig } from "../RelayConfig.js"
import * as PtySupervisor from "../terminal/PtySupervisor.js"
import { type Finding, probe } from "./AgentProbe.js"

export class AgentFindings extends Context.Service<AgentFindings, {
  /** All known agents, in the order they are offered, `generic` last. */
  readonly all: Effect.Effect<ReadonlyArray<Finding>>
}>()("ai-relay/services/AgentFindings") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

const goodFor = "1 minute"

const generic = { tool: terminal.tool, name: terminal.name }

const terminals: Effect.Effect<Finding> = PtySupervisor.isAvailable.pipe(
  Effect.as({ ...generic, installed: true, logged_in: true }),
  Effect.catch(({ message }) => Effect.succeed({ ...generic, installed: false, advice: message }))
)

/** The known agents and the operator's, which win if names are equal. */
const agentsOf = (own: ReadonlyArray<AgentFacts>): ReadonlyArray<AgentFacts> => {
  const byName = new Map(knownAgents.map((agent) => [agent.tool, agent]))
  for (const agent of own) byName.set(agent.tool, { ...byName.get(agent.tool), ...agent })
  return [...byName.values()]
}

/** Checks now, for these agents besides the known ones. */
export const examine = (
  own: ReadonlyArray<AgentFacts>
): Effect.Effect<ReadonlyArray<Finding>, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const agents = yield* Effect.forEach(agentsOf(own), probe, { concurrency: 4 })
    return [...agents, yield* terminals]
  }).pipe(Effect.provide(ProcessSupervisor.layer()))

const make = Effect.gen(function*() {
  const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const settings = yield* Effect.serviceOption(RelayConfig)
  const own = Option.match(settings, { onNone: () => [], onSome: ({ acp_agents }) => acp_agents })
  const all = yield* Effect.cachedWithTTL(Effect.provide(examine(own), context), goodFor)
  return AgentFindings.of({ all })
})
