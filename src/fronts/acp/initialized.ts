/**
 * initialized: what the relay reports about itself to an editor. Needs no relay or agent and loads nothing.
 */

/** The result of `initialize`. */
export const initialized = (version: string) => ({
  protocolVersion: 1,
  agentInfo: { name: "ai-relay", title: "AI Relay", version },
  agentCapabilities: {
    loadSession: true,
    promptCapabilities: { image: true, embeddedContext: true },
    mcpCapabilities: { http: true, sse: true },
    sessionCapabilities: { list: {}, resume: {}, close: {}, delete: {} },
    _meta: { "ai-relay": { when: ["queue", "steer", "interrupt"] } }
  },
  authMethods: [{
    id: "relay-agent-login",
    name: "Use the relay's agents",
    description: "Log agents in on the relay's machine: `ai-relay doctor` says how."
  }]
})
