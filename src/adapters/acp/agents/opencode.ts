/**
 * opencode: OpenCode (1.18, `opencode acp`).
 *
 * It asks only where its settings say so; the relay says so unless the operator does. It announces a call with part of
 * its input.
 */
import type { AcpAgent } from "../AcpAgent.js"
import { npm, run } from "./advice.js"

export const opencode: AcpAgent = {
  tool: "opencode",
  name: "OpenCode",
  command: "opencode",
  args: ["acp"],
  defaults: { OPENCODE_PERMISSION: JSON.stringify({ bash: "ask", edit: "ask", webfetch: "ask" }) },
  install: npm("opencode-ai"),
  login: run("opencode auth login"),
  quirks: { announcesInParts: true },
  conversations: { command: (id) => ["opencode", "-s", id] }
}
