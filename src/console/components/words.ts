/** words: how things are called and counted on the page. */
const names: Readonly<Record<string, string>> = {
  claude: "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI",
  cortex: "Snowflake Cortex",
  generic: "Terminal",
  acp: "ACP agent",
  replay: "Replay",
  demo: "Demo"
}

export const agentName = (tool: string): string => names[tool] ?? tool

export const lastPart = (path: string): string => path.split("/").findLast((part) => part !== "") ?? path

/** What a session is called: its folder, for most. */
export const sessionName = (tool: string, folder: string): string =>
  tool === "demo" ? "A cent too high" : lastPart(folder)

export const age = (ts: number, now = Date.now() / 1000): string => {
  const seconds = Math.max(0, now - ts)
  if (seconds < 60) return "now"
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

export const duration = (seconds: number): string =>
  seconds < 60
    ? `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`

export const count = (tokens: number): string =>
  tokens < 1000
    ? String(tokens)
    : tokens < 1_000_000
    ? `${(tokens / 1000).toFixed(tokens < 10_000 ? 1 : 0)}k`
    : `${(tokens / 1_000_000).toFixed(1)}M`

export const money = (usd: number): string => usd < 0.01 && usd > 0 ? "< $0.01" : `$${usd.toFixed(2)}`

const stops: Readonly<Record<string, string>> = {
  max_tokens: "It reached the limit of tokens.",
  max_turn_requests: "It reached the limit of requests in a turn.",
  refusal: "The model refused.",
  cancelled: "Stopped.",
  error: "The turn ended with an error."
}

/** Why a turn ended, when that is worth saying. */
export const stopText = (reason: string): string | undefined => stops[reason]

const modes: Readonly<Record<string, string>> = {
  default: "Ask first",
  acceptEdits: "Accept edits",
  plan: "Plan only",
  auto: "Automatic",
  dontAsk: "Don't ask",
  bypassPermissions: "Allow everything"
}
export const modeName = (mode: string): string => modes[mode] ?? mode

const reasons: Readonly<Record<string, string>> = {
  timeout: "nobody answered in time",
  interrupted: "the turn was stopped",
  withdrawn: "the agent no longer needs it",
  session_end: "the session ended",
  relay_restart: "the relay was restarted"
}
export const reasonText = (reason: string | undefined): string => reasons[reason ?? ""] ?? "no answer needed"
