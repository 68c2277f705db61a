/**
 * descriptors: the replay of a recorded session, and the demo. Neither needs an agent.
 */
import type { AgentDescriptor } from "../AgentDescriptor.js"

const none = { install: "", login: "", edits_input: true } as const

export const replay: AgentDescriptor = {
  tool: "replay",
  name: "Replay",
  ...none,
  adapter: () => import("./ReplayAdapter.js")
}

export const demo: AgentDescriptor = {
  tool: "demo",
  name: "Demo",
  ...none,
  adapter: () => import("./DemoAdapter.js")
}
