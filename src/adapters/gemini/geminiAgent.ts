/**
 * geminiAgent: Gemini CLI (0.61, `gemini --acp`): how to start it, and where it differs from the protocol.
 *
 * - It announces no tool call that needs permission, and reports nothing about a rejected one.
 * - Its tool calls have no input: a command is in the title, the tool's name in the id.
 * - It reports a mode change as a message, "[MODE_UPDATE] plan"; its history contains "[Function Response:
 *   …]".
 * - Without a login it asks for one on stdout and takes our first request for the answer.
 */
import type { AcpAgent, AcpQuirks } from "../acp/AcpAgent.js"
import type { ToolFields } from "../acp/AcpMessage.js"
import { npm } from "../advice.js"
import { google } from "../variables.js"

/** `run_shell_command__run_shell_command_1795333108803_0` is a `run_shell_command`. */
const toolName = ({ toolCallId }: ToolFields): string | undefined => {
  const end = toolCallId.indexOf("__")
  return end > 0 ? toolCallId.slice(0, end) : undefined
}

const toolArgs = ({ kind, title }: ToolFields) =>
  kind === "execute" && title !== undefined ? { command: title } : undefined

const modeUpdate = /^\[MODE_UPDATE\] (\S+)$/

/** Text and calls other than the user's words that a session's history contains. */
const historyNoise = /^(<session_context>|\[Function (Response|Call): [^\]]*\]$)/

const notMessage: AcpQuirks["notMessage"] = (text, kind) => {
  if (kind === "agent_thought_chunk") return undefined
  if (historyNoise.test(text)) return { type: "stream_event" }
  const mode = kind === "agent_message_chunk" ? modeUpdate.exec(text)?.[1] : undefined
  return mode === undefined
    ? undefined
    : { type: "status", status: "permission_mode", metadata: { permission_mode: mode } }
}

export const geminiAgent: AcpAgent = {
  tool: "gemini",
  name: "Gemini CLI",
  command: "gemini",
  args: ["--acp"],
  // Otherwise it starts a second copy of itself: slower, and signals reach only the first.
  env: { GEMINI_CLI_NO_RELAUNCH: "true" },
  modelArgs: (model) => ["-m", model],
  install: npm("@google/gemini-cli"),
  login: "On the relay's machine run `gemini` once and log in, or start the relay with GEMINI_API_KEY set.",
  signs: {
    variables: ["GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA"],
    files: {
      home: "GEMINI_CLI_HOME",
      paths: [".gemini/oauth_creds.json", ".gemini/gemini-credentials.json"]
    }
  },
  inherits: ["GEMINI_*", "GOOGLE_*", "CLOUDSDK_*", "CODE_ASSIST_*", "OTEL_*", "SEATBELT_PROFILE"],
  settable: ["GEMINI_MODEL", "GOOGLE_GENAI_USE_GCA", ...google],
  writable: ["~/.gemini", "$GEMINI_CLI_HOME"],
  provider: "gcp.gemini",
  store: () => import("./nativeSessions.js"),
  modeNames: { auto_edit: "autoEdit", acceptEdits: "autoEdit", bypassPermissions: "yolo" },
  quirks: {
    wantsTerminal: (line) => line.includes("Please visit the following URL"),
    notMessage,
    toolName,
    toolArgs,
    wholeThoughts: true,
    silentOnRejection: true,
    // When loaded by its plain name, Gemini opens a second file with the same 8 characters in its name that
    // never gets content; the next start takes it for broken and deletes both, and the conversation with them
    // (google-gemini/gemini-cli#27368). It also finds the padded name, and creates a file of another name for
    // it.
    nameToLoad: (id) => ` ${id.trim()}`,
    replaysLate: true,
    maxTokensMeansFull: true
  }
}
