/**
 * inheritedBy: which of the relay's own variables an agent's program needs, besides those every program is given:
 * its settings, and its keys and those of the clouds it can work with. `*` stands for anything.
 */

const claude = [
  "ANTHROPIC_*",
  "CLAUDE_*",
  "AWS_*",
  "GOOGLE_*",
  "GCLOUD_*",
  "CLOUD_ML_REGION",
  "VERTEX_*",
  "API_TIMEOUT_MS",
  "BASH_*_MS",
  "BASH_MAX_OUTPUT_LENGTH",
  "DISABLE_*",
  "ENABLE_*",
  "FORCE_*",
  "MAX_*_TOKENS",
  "MCP_*",
  "OTEL_*",
  "USE_BUILTIN_RIPGREP"
]
/** A model provider of the user's own configuration names the variable that holds its key. */
const codex = ["OPENAI_*", "CODEX_*", "AZURE_OPENAI_*", "*_API_KEY", "OTEL_*", "RUST_LOG"]
/** Agents that work with the models of many houses. */
const anyModel = ["*_API_KEY", "*_BASE_URL", "*_API_BASE", "AWS_*", "GOOGLE_*"]

const needs: Readonly<Record<string, ReadonlyArray<string>>> = {
  claude,
  "claude-agent-acp": claude,
  codex,
  "codex-acp": codex,
  gemini: ["GEMINI_*", "GOOGLE_*", "CLOUDSDK_*", "CODE_ASSIST_*", "OTEL_*", "SEATBELT_PROFILE"],
  "cortex-code": ["CORTEX_*", "SNOWFLAKE_*"],
  pi: ["PI_*", ...anyModel],
  opencode: ["OPENCODE_*", ...anyModel],
  goose: ["GOOSE_*", ...anyModel],
  qwen: ["QWEN_*", "OPENAI_*", "DASHSCOPE_*", ...anyModel],
  copilot: ["COPILOT_*", "GH_*", "GITHUB_*"],
  kimi: ["KIMI_*", "MOONSHOT_*"],
  cursor: ["CURSOR_*"],
  kiro: ["KIRO_*", "AWS_*"],
  auggie: ["AUGMENT_*"],
  qoder: ["QODER_*"],
  codebuddy: ["CODEBUDDY_*"],
  droid: ["FACTORY_*", "DROID_*"],
  "mistral-vibe": ["MISTRAL_*", "VIBE_*"]
}

/** By the agent's `tool`. Programs the relay does not know (`acp`, `generic`) need none as far as it knows. */
export const inheritedBy = (tool: string): ReadonlyArray<string> =>
  (Object.hasOwn(needs, tool) ? needs[tool] : undefined) ?? []
