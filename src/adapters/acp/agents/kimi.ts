/**
 * kimi: Kimi Code (2.1, `kimi acp`).
 *
 * It announces a call with the tool's name and the input as JSON text; its permission requests describe the
 * call in prose. It reports how an edit changed a file, but not what a write changed.
 */
import { Predicate } from "effect"
import { npm, run } from "../../advice.js"
import { parseJson } from "../../wire/JsonRpc.js"
import type { AcpAgent, AcpQuirks } from "../AcpAgent.js"

const input: AcpQuirks["input"] = ({ content = [], rawInput }) => {
  if (rawInput !== undefined) return rawInput
  const text = content.map(({ content }) => content?.["text"]).find(Predicate.isString)
  const read = text?.startsWith("{") === true ? parseJson(text) : undefined
  return Predicate.isObject(read) ? read : undefined
}

const toolName: AcpQuirks["toolName"] = ({ title }) =>
  title !== undefined && /^[A-Za-z_]\w*$/.test(title) ? title : undefined

/** What its own program adds next to a prompt. */
const notMessage: AcpQuirks["notMessage"] = (text, kind) =>
  kind === "user_message_chunk" && text.startsWith("<system-reminder>")
    ? { type: "status", status: "system_reminder" }
    : undefined

export const kimi: AcpAgent = {
  tool: "kimi",
  name: "Kimi Code",
  command: "kimi",
  args: ["acp"],
  install: npm("@moonshot-ai/kimi-code"),
  login: run("kimi login"),
  inherits: ["KIMI_*", "MOONSHOT_*"],
  settable: ["KIMI_MODEL_NAME"],
  writable: ["~/.kimi", "~/.kimi-code", "$KIMI_CODE_HOME"],
  quirks: { input, notMessage, toolName, silentWhenFailed: true },
  conversations: { command: (id) => ["kimi", "-r", id] }
}
