/**
 * opencode: OpenCode (1.18, `opencode acp`).
 *
 * It asks for permission only if its settings say so; the relay sets this unless the operator does. It
 * announces a call with partial input.
 */
import { npm, run } from "../../advice.js"
import { anyModel, aws, regions } from "../../variables.js"
import type { AcpAgent } from "../AcpAgent.js"

export const opencode: AcpAgent = {
  tool: "opencode",
  name: "OpenCode",
  command: "opencode",
  args: ["acp"],
  defaults: { OPENCODE_PERMISSION: JSON.stringify({ bash: "ask", edit: "ask", webfetch: "ask" }) },
  install: npm("opencode-ai"),
  login: run("opencode auth login"),
  inherits: ["OPENCODE_*", ...anyModel],
  settable: [...aws, ...regions],
  writable: [
    "~/.config/opencode",
    "~/.local/share/opencode",
    "~/.local/state/opencode",
    "~/.cache/opencode",
    "$OPENCODE_CONFIG_DIR"
  ],
  quirks: { announcesInParts: true },
  conversations: { command: (id) => ["opencode", "-s", id] }
}
