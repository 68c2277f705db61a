/**
 * copilot: GitHub Copilot CLI (1.0.102, `copilot --acp`).
 *
 * Its mode ids are URLs, its token counts cover the whole session, and it reports each file it writes as a
 * message ("Info: /home/me/x.txt"). A failure is a message, too ("Error: Authentication failed …").
 */
import { npm, runOnce } from "../../advice.js"
import type { AcpAgent, AcpQuirks } from "../AcpAgent.js"

const mode = (name: string) => `https://agentclientprotocol.com/protocol/session-modes#${name}`

const aside = /^(?:Info|Warning): \S.*$/

const notMessage: AcpQuirks["notMessage"] = (text, kind) =>
  kind === "agent_message_chunk" && aside.test(text) ? { type: "status", status: "notice", text } : undefined

const failed =
  /^Error: ((?:Failed to get response from the AI model|Authentication failed|Model '.*' not found|\d{3} )[^]*)$/

const failureIn: AcpQuirks["failureIn"] = ({ content: { text }, sessionUpdate }) =>
  sessionUpdate === "agent_message_chunk" && typeof text === "string" ? failed.exec(text)?.[1] : undefined

export const copilot: AcpAgent = {
  tool: "copilot",
  aliases: ["github-copilot", "github-copilot-cli"],
  name: "GitHub Copilot",
  command: "copilot",
  args: ["--acp", "--stdio"],
  install: npm("@github/copilot"),
  login: runOnce("copilot"),
  inherits: ["COPILOT_*", "GH_*", "GITHUB_*"],
  settable: ["COPILOT_GITHUB_TOKEN", "COPILOT_MODEL"],
  writable: ["~/.copilot", "~/.config/github-copilot"],
  modeNames: {
    agent: mode("agent"),
    default: mode("agent"),
    plan: mode("plan"),
    autopilot: mode("autopilot")
  },
  asks: { mode: mode("agent"), insteadOf: [mode("autopilot")] },
  quirks: { failureIn, notMessage, countsWholeSession: true },
  conversations: { command: (id) => ["copilot", `--resume=${id}`] }
}
