/**
 * agentVersions: the real agents that are tested, and their versions. To add one, add it here and its environment to
 * `test/support/agents.ts`.
 *
 * `newest` is the newest one looked at (`npm run observe` looks whether there is a newer one), `pinned` an earlier one
 * that many people still have, `oldest` the oldest that is supported. `beside` are npm packages it needs beside its own.
 * Of the packages in `scripts` npm may run the install scripts: they put the agent's program in place.
 */
export const agentVersions = {
  claude: {
    package: "@anthropic-ai/claude-code",
    newest: "2.1.332",
    pinned: "2.1.197",
    oldest: "2.1.100",
    scripts: ["@anthropic-ai/claude-code"]
  },
  codex: { package: "@openai/codex", newest: "0.171.0", pinned: "0.169.0", oldest: "0.150.0" },
  gemini: { package: "@google/gemini-cli", newest: "0.61.0", oldest: "0.55.1" },
  "claude-agent-acp": {
    package: "@agentclientprotocol/claude-agent-acp",
    newest: "0.101.0",
    pinned: "0.49.0"
  },
  "codex-acp": { package: "@agentclientprotocol/codex-acp", newest: "2.6.0" },
  opencode: { package: "opencode-ai", newest: "1.18.33", scripts: ["opencode-ai"] },
  qwen: { package: "@qwen-code/qwen-code", newest: "0.24.4" },
  pi: { package: "pi-acp", newest: "0.0.34", beside: ["@earendil-works/pi-coding-agent@1.6.0"] },
  kimi: { package: "@moonshot-ai/kimi-code", newest: "2.1.0" },
  copilot: { package: "@github/copilot", newest: "1.0.102" }
}

/** In the order of the table. */
export const ranks = ["newest", "pinned", "oldest"]

/** `[{ agent, version, rank }]` of these agents and ranks. */
export const selectVersions = (agents, wanted) =>
  agents.flatMap((agent) =>
    ranks.filter((rank) => wanted.includes(rank)).flatMap((rank) => {
      const version = agentVersions[agent][rank]
      return version === undefined ? [] : [{ agent, version, rank }]
    })
  )
