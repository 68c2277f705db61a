/**
 * writableBy: the folders and files an agent's own program must be able to write in a sandbox, besides the session's folder:
 * its settings, its login and its conversations. `~` is the home folder, `$NAME` a variable's value.
 */

const more: Readonly<Record<string, ReadonlyArray<string>>> = {
  claude: ["~/.claude", "~/.claude.json", "~/.cache/claude-cli-nodejs", "$CLAUDE_CONFIG_DIR"],
  codex: ["~/.codex", "$CODEX_HOME"],
  gemini: ["~/.gemini", "$GEMINI_CLI_HOME"],
  opencode: [
    "~/.config/opencode",
    "~/.local/share/opencode",
    "~/.local/state/opencode",
    "~/.cache/opencode",
    "$OPENCODE_CONFIG_DIR"
  ],
  goose: ["~/.config/goose", "~/.local/share/goose", "~/.local/state/goose"],
  qwen: ["~/.qwen"],
  copilot: ["~/.copilot", "~/.config/github-copilot"],
  kimi: ["~/.kimi", "~/.kimi-code", "$KIMI_CODE_HOME"],
  pi: ["~/.pi"],
  kiro: ["~/.kiro", "~/.local/share/kiro-cli"],
  "cortex-code": ["~/.snowflake"]
}

/** Those that are the same program under another name. */
const others: Readonly<Record<string, string>> = {
  "claude-code": "claude",
  "claude-agent-acp": "claude",
  "codex-acp": "codex"
}

/** An agent the relay does not know has none. */
export const writableBy = (tool: string): ReadonlyArray<string> => more[others[tool] ?? tool] ?? []
