/**
 * descriptor: agents that speak the Agent Client Protocol, all through one adapter: known agents, or any
 * program given by `command`.
 */
import type { AgentDescriptor } from "../AgentDescriptor.js"
import type { AcpAgent } from "./AcpAgent.js"

/** The descriptor for one row of the table. */
export const toDescriptor = (agent: AcpAgent): AgentDescriptor => ({
  ...agent,
  works_on_files: true,
  adapter: () => import("./AcpAdapter.js").then(({ layerOf }) => ({ layer: () => layerOf(agent) }))
})

export const acp: AgentDescriptor = {
  tool: "acp",
  name: "ACP agent",
  install: "Install it on the relay's machine, or correct `command`.",
  login: "Log in with its own command line on the relay's machine.",
  works_on_files: true,
  adapter: () => import("./AcpAdapter.js")
}
