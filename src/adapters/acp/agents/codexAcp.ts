/**
 * codexAcp: Codex behind codex-acp (2.6). The relay's own `codex` adapter reports more; this one is for those
 * who want the protocol.
 */
import { npm, run } from "../../advice.js"
import { codex } from "../../codex/descriptor.js"
import type { AcpAgent, AcpQuirks } from "../AcpAgent.js"

/** Unlike what the model says, a failure has no message id. */
const failureIn: AcpQuirks["failureIn"] = ({ content: { text }, messageId, sessionUpdate }) =>
  sessionUpdate === "agent_message_chunk" && messageId === undefined && typeof text === "string"
    && /^(?:unexpected status \d|exceeded retry limit|stream disconnected|\{"error":|Codex ran out of room|.*(?:usage|rate) limit|.*high demand)/i
      .test(text)
    ? text.trim()
    : undefined

export const codexAcp: AcpAgent = {
  tool: "codex-acp",
  name: "Codex (by codex-acp)",
  command: "codex-acp",
  args: [],
  install: npm("@agentclientprotocol/codex-acp"),
  login: run("codex login"),
  inherits: codex.inherits,
  settable: codex.settable,
  writable: codex.writable,
  provider: codex.provider,
  stored_as: codex.tool,
  // It starts in `agent`, where another model decides what is safe.
  asks: { mode: "workspace-write", insteadOf: ["agent", "agent-full-access"] },
  quirks: { failureIn }
}
