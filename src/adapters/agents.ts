/**
 * agents: every agent the relay knows by name. To add one, write its folder and add its descriptor here; one that speaks the
 * Agent Client Protocol is a row in `acp/presets.ts`.
 */
import type { AcpAgent, OwnAgent } from "./acp/AcpAgent.js"
import { acp, toDescriptor } from "./acp/descriptor.js"
import { presets } from "./acp/presets.js"
import { withRegistry } from "./acp/registryFile.js"
import type { AgentDescriptor, AgentFacts } from "./AgentDescriptor.js"
import { claude } from "./claude/descriptor.js"
import { codex } from "./codex/descriptor.js"
import { cortex } from "./cortex/descriptor.js"
import { generic } from "./generic/descriptor.js"
import { demo, replay } from "./replay/descriptors.js"
import { settableByAll } from "./variables.js"

/** Those with an adapter of their own. */
const ownAdapter: ReadonlyArray<AgentDescriptor> = [claude, codex, cortex]

/** Those that can be there or not, in the order they are offered: what `doctor` looks for. */
export const knownAgents: ReadonlyArray<AgentFacts> = [...ownAdapter, ...presets]

/** All that a handshake's `tool` can name, with the operator's agents among them (`withRegistry`). */
export const agentsWith = (
  own: ReadonlyArray<OwnAgent>,
  rows: ReadonlyArray<AcpAgent> = presets
): ReadonlyArray<AgentDescriptor> => [
  generic,
  ...withRegistry(rows, own).map(toDescriptor),
  acp,
  ...ownAdapter,
  replay,
  demo
]

/** The same without the operator's. */
export const agents = agentsWith([])

/** Every further name of an agent, with the one it stands for: `{"claude-code": "claude"}`. */
export const aliases: Readonly<Record<string, string>> = Object.fromEntries(
  agents.flatMap(({ aliases = [], tool }) => aliases.map((alias) => [alias, tool]))
)

const byName: ReadonlyMap<string, AgentDescriptor> = new Map(
  agents.flatMap((agent) => [agent.tool, ...agent.aliases ?? []].map((name) => [name, agent]))
)

/** By `tool` or another of its names; undefined for a program the relay does not know. */
export const agentNamed = (tool: string): AgentDescriptor | undefined => byName.get(tool)

/** Which variables a handshake's `env` may set for this `tool`; a program the relay does not know gets what any may have. */
export const settableBy = (tool: string): ReadonlyArray<string> => [
  ...settableByAll,
  ...agentNamed(tool)?.settable ?? []
]
