/**
 * agents: every agent the relay knows by name. To add one, write its folder and add its descriptor here; for
 * one that speaks the Agent Client Protocol, add a row to `acp/presets.ts`.
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

/** Agents with an adapter of their own. */
const ownAdapter: ReadonlyArray<AgentDescriptor> = [claude, codex, cortex]

/** Agents that may or may not be installed, in display order; `doctor` checks these. */
export const knownAgents: ReadonlyArray<AgentFacts> = [...ownAdapter, ...presets]

/** Every agent a handshake's `tool` can name, including the operator's (`withRegistry`). */
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

/** The same without the operator's agents. */
export const agents = agentsWith([])

/** Every alias with the agent it stands for: `{"claude-code": "claude"}`. */
export const aliases: Readonly<Record<string, string>> = Object.fromEntries(
  agents.flatMap(({ aliases = [], tool }) => aliases.map((alias) => [alias, tool]))
)

const byName: ReadonlyMap<string, AgentDescriptor> = new Map(
  agents.flatMap((agent) => [agent.tool, ...agent.aliases ?? []].map((name) => [name, agent]))
)

/** Looks up by `tool` or alias; undefined for a program the relay does not know. */
export const agentNamed = (tool: string): AgentDescriptor | undefined => byName.get(tool)

/** Variables a handshake's `env` may set for this `tool`; an unknown program gets those any agent may have. */
export const settableBy = (tool: string): ReadonlyArray<string> => [
  ...settableByAll,
  ...agentNamed(tool)?.settable ?? []
]
