/**
 * knownAgents: every agent the relay knows by name, for who wants to see what is installed: how to find it out, and
 * what to do when something is missing.
 */
import { presets } from "./acp/presets.js"
import { login as codexLogin } from "./codex/failure.js"

/** Signs of a login; the first that is found is enough. */
export interface LoginSigns {
  /** Variables of the relay that hold a key. */
  readonly variables?: ReadonlyArray<string>
  /** Files in the home folder, or in the folder this variable names. */
  readonly files?: { readonly home?: string; readonly paths: ReadonlyArray<string> }
  /** Arguments with which the program exits with 0 if it is logged in. */
  readonly args?: ReadonlyArray<string>
}

export interface KnownAgent {
  readonly tool: string
  readonly name: string
  /** Its program; what has none is reached over the network. */
  readonly command?: string
  /** What to run when the program is missing. */
  readonly install: string
  /** What to run when a login is missing. */
  readonly login: string
  /** Absent: nobody can tell before a session is opened. */
  readonly signs?: LoginSigns
}

const geminiSigns: LoginSigns = {
  variables: ["GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA"],
  files: {
    home: "GEMINI_CLI_HOME",
    paths: [".gemini/oauth_creds.json", ".gemini/gemini-credentials.json"]
  }
}

const signs: Readonly<Record<string, LoginSigns>> = { gemini: geminiSigns }

export const knownAgents: ReadonlyArray<KnownAgent> = [
  {
    tool: "claude",
    name: "Claude Code",
    command: "claude",
    install: "Install it on the relay's machine: npm install -g @anthropic-ai/claude-code",
    login: "On the relay's machine run: claude auth login",
    signs: { args: ["auth", "status"] }
  },
  {
    tool: "codex",
    name: "Codex",
    command: "codex",
    install: "Install it on the relay's machine: npm install -g @openai/codex",
    login: codexLogin,
    signs: { variables: ["CODEX_API_KEY", "OPENAI_API_KEY"], args: ["login", "status"] }
  },
  {
    tool: "cortex",
    name: "Snowflake Cortex",
    install: "",
    login: "Start the relay with SNOWFLAKE_PAT set to a programmatic access token of Snowflake.",
    signs: { variables: ["SNOWFLAKE_PAT"] }
  },
  ...presets.map(({ command, install, login, name, tool }) => ({
    tool,
    name,
    command,
    install,
    login,
    ...(signs[tool] !== undefined && { signs: signs[tool] })
  }))
]
