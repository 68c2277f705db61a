/**
 * pi: Pi behind pi-acp (0.0.34). It never asks before running a tool; its modes are thinking levels.
 *
 * It retries a failing model and reports that in messages; a turn whose last attempt failed ends as if it had
 * succeeded.
 */
import { npm, runOnce } from "../../advice.js"
import { anyModel } from "../../variables.js"
import type { AcpAgent, AcpQuirks } from "../AcpAgent.js"

const retry = /^Retrying \(attempt (\d+)\/(\d+), waiting \S+\)\.\.\.$/
const retried = /^Retry finished, resuming\.$/

const notMessage: AcpQuirks["notMessage"] = (text, kind) =>
  kind === "agent_message_chunk" && (retry.test(text) || retried.test(text))
    ? { type: "status", status: "api_retry", text }
    : undefined

/** A command is in the title. */
const toolArgs: AcpQuirks["toolArgs"] = ({ kind, title }) =>
  kind === "execute" && title !== undefined ? { command: title } : undefined

export const pi: AcpAgent = {
  tool: "pi",
  aliases: ["pi-acp"],
  name: "Pi",
  command: "pi-acp",
  args: [],
  install: npm("pi-acp @earendil-works/pi-coding-agent"),
  login: runOnce("pi"),
  inherits: ["PI_*", ...anyModel],
  writable: ["~/.pi"],
  asks: "never",
  quirks: { notMessage, toolArgs, silentWhenFailed: true },
  conversations: { command: (id) => ["pi", "--session", id] }
}
