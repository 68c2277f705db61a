/** descriptor: Codex. */
import { npm } from "../advice.js"
import type { ProgramDescriptor } from "../AgentDescriptor.js"

export const codex: ProgramDescriptor = {
  tool: "codex",
  name: "Codex",
  command: "codex",
  install: npm("@openai/codex"),
  login: "Log in on the relay's machine: run `codex login`, or start the relay with OPENAI_API_KEY set.",
  signs: { variables: ["CODEX_API_KEY", "OPENAI_API_KEY"], args: ["login", "status"] },
  // A model provider in the user's own configuration names the variable that holds its key.
  inherits: ["OPENAI_*", "CODEX_*", "AZURE_OPENAI_*", "*_API_KEY", "OTEL_*", "RUST_LOG"],
  settable: ["OPENAI_ORGANIZATION", "OPENAI_PROJECT", "CODEX_ACCESS_TOKEN"],
  credentials: () => ["CODEX_API_KEY", "OPENAI_API_KEY"],
  writable: ["~/.codex", "$CODEX_HOME"],
  provider: "openai",
  start_modes: ["default", "acceptEdits", "dontAsk", "bypassPermissions"],
  works_on_files: true,
  store: () => import("./nativeSessions.js"),
  adapter: () => import("./CodexAdapter.js")
}
