/**
 * settableBy: which variables a handshake's `env` may set for an agent. `*` stands for anything.
 *
 * Each chooses a key, an account, a model, a language or an amount. None names a file, a program, a folder, an address,
 * or whom to trust: what an agent and all its tools load, run and talk to is the operator's choice.
 */

const anybody = [
  ..."LANG LANGUAGE LC_* TZ TERM COLORTERM NO_COLOR FORCE_COLOR CLICOLOR COLUMNS LINES CI DEBUG".split(" "),
  ..."NODE_ENV PYTHONUNBUFFERED RUST_LOG GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME".split(" "),
  ..."GIT_COMMITTER_EMAIL GITHUB_TOKEN GH_TOKEN *_API_KEY".split(" ")
]

const aws = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"]
const regions = ["AWS_REGION", "AWS_DEFAULT_REGION", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"]

const claude = [
  ...aws,
  ...regions,
  "ANTHROPIC_AUTH_TOKEN",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "ANTHROPIC_MODEL",
  "ANTHROPIC_SMALL_FAST_MODEL",
  "ANTHROPIC_DEFAULT_*_MODEL",
  "CLAUDE_CODE_SUBAGENT_MODEL",
  "CLAUDE_CODE_EFFORT_LEVEL",
  "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
  "CLAUDE_CODE_USE_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLOUD_ML_REGION",
  "ANTHROPIC_VERTEX_PROJECT_ID",
  "API_TIMEOUT_MS",
  "BASH_DEFAULT_TIMEOUT_MS",
  "BASH_MAX_TIMEOUT_MS",
  "BASH_MAX_OUTPUT_LENGTH",
  "MAX_THINKING_TOKENS",
  "MAX_MCP_OUTPUT_TOKENS",
  "DISABLE_TELEMETRY",
  "DISABLE_ERROR_REPORTING",
  "DISABLE_AUTOUPDATER",
  "DISABLE_COST_WARNINGS"
]
const codex = ["OPENAI_ORGANIZATION", "OPENAI_PROJECT", "CODEX_ACCESS_TOKEN"]
const google = ["GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_GENAI_USE_VERTEXAI"]

const more: Readonly<Record<string, ReadonlyArray<string>>> = {
  claude,
  "claude-code": claude,
  "claude-agent-acp": claude,
  codex,
  "codex-acp": codex,
  gemini: ["GEMINI_MODEL", "GOOGLE_GENAI_USE_GCA", ...google],
  "cortex-code": ["SNOWFLAKE_PAT"],
  opencode: [...aws, ...regions],
  goose: ["GOOSE_MODEL", "GOOSE_PROVIDER", ...aws, ...regions],
  qwen: ["OPENAI_MODEL", ...google],
  copilot: ["COPILOT_GITHUB_TOKEN", "COPILOT_MODEL"],
  kimi: ["KIMI_MODEL_NAME"],
  kiro: aws
}

/** By the agent's `tool`; programs the relay does not know (`acp`, `generic`) get what any may have. */
export const settableBy = (tool: string): ReadonlyArray<string> => [
  ...anybody,
  ...(Object.hasOwn(more, tool) ? more[tool] : undefined) ?? []
]
