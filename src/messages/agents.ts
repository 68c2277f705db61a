/**
 * agents: what pages know about agents, generated from their descriptors (src/adapters/agents.ts) by
 * `npm run contracts`.
 */
export interface AgentCalled {
  /** What a person calls it. */
  readonly label: string
  /** The permission modes it takes when it starts. */
  readonly start_modes?: ReadonlyArray<string>
  /** It runs what a person has made of a tool's input; the others deny the call then. */
  readonly edits_input?: true
}

const byName: ReadonlyMap<string, AgentCalled> = new Map<string, AgentCalled>([
  ["generic", { label: "Terminal" }],
  ["gemini", { label: "Gemini CLI" }],
  ["claude-agent-acp", { label: "Claude Agent (ACP)" }],
  ["claude-acp", { label: "Claude Agent (ACP)" }],
  ["claude-code-acp", { label: "Claude Agent (ACP)" }],
  ["codex-acp", { label: "Codex (by codex-acp)" }],
  ["copilot", { label: "GitHub Copilot" }],
  ["github-copilot", { label: "GitHub Copilot" }],
  ["github-copilot-cli", { label: "GitHub Copilot" }],
  ["kimi", { label: "Kimi Code" }],
  ["opencode", { label: "OpenCode" }],
  ["pi", { label: "Pi" }],
  ["pi-acp", { label: "Pi" }],
  ["qwen", { label: "Qwen Code" }],
  ["qwen-code", { label: "Qwen Code" }],
  ["cortex-code", { label: "Cortex Code" }],
  ["goose", { label: "Goose" }],
  ["cursor", { label: "Cursor" }],
  ["kiro", { label: "Kiro" }],
  ["auggie", { label: "Auggie" }],
  ["qoder", { label: "Qoder" }],
  ["codebuddy", { label: "CodeBuddy Code" }],
  ["codebuddy-code", { label: "CodeBuddy Code" }],
  ["droid", { label: "Factory Droid" }],
  ["factory-droid", { label: "Factory Droid" }],
  ["mistral-vibe", { label: "Mistral Vibe" }],
  ["antigravity", { label: "Google Antigravity" }],
  ["grok", { label: "Grok" }],
  ["cline", { label: "Cline" }],
  ["kilo", { label: "Kilo Code" }],
  ["junie", { label: "Junie" }],
  ["devin", { label: "Devin" }],
  ["amp", { label: "Amp" }],
  ["amp-acp", { label: "Amp" }],
  ["poolside", { label: "Poolside" }],
  ["openclaw", { label: "OpenClaw" }],
  ["hermes", { label: "Hermes Agent" }],
  ["trae", { label: "Trae" }],
  ["cagent", { label: "Docker cagent" }],
  ["code-assistant", { label: "Code Assistant" }],
  ["stakpak", { label: "Stakpak" }],
  ["codeep", { label: "Codeep" }],
  ["fast-agent", { label: "fast-agent" }],
  ["vtcode", { label: "VT Code" }],
  ["acp", { label: "ACP agent" }],
  ["claude", {
    label: "Claude Code",
    start_modes: ["default", "acceptEdits", "plan", "auto", "bypassPermissions"],
    edits_input: true
  }],
  ["claude-code", {
    label: "Claude Code",
    start_modes: ["default", "acceptEdits", "plan", "auto", "bypassPermissions"],
    edits_input: true
  }],
  ["codex", { label: "Codex", start_modes: ["default", "acceptEdits", "dontAsk", "bypassPermissions"] }],
  ["cortex", { label: "Snowflake Cortex" }],
  ["replay", { label: "Replay", edits_input: true }],
  ["demo", { label: "Demo", edits_input: true }]
])

/** By its `tool`; undefined for a program the relay does not know. */
export const agentCalled = (tool: string): AgentCalled | undefined => byName.get(tool)
