/**
 * qwen: Qwen Code (0.24, `qwen --acp`). Token counts come with an empty answer chunk; tool names are in
 * `_meta`.
 */
import { Option, Schema } from "effect"
import { optional } from "../../../schema/fields.js"
import { npm, runOnce } from "../../advice.js"
import { anyModel, google } from "../../variables.js"
import type { AcpAgent, AcpConversations, AcpQuirks } from "../AcpAgent.js"

const readTool = Schema.decodeUnknownOption(Schema.Struct({ toolName: Schema.String }))
const count = optional(Schema.Number)
const readUsage = Schema.decodeUnknownOption(
  Schema.Struct({
    usage: Schema.Struct({ inputTokens: count, outputTokens: count, cachedReadTokens: count })
  })
)

const toolName: AcpQuirks["toolName"] = ({ _meta }) => Option.getOrUndefined(readTool(_meta))?.toolName
const usageBeside: AcpQuirks["usageBeside"] = ({ _meta }) => Option.getOrUndefined(readUsage(_meta))?.usage

/** It lists only the requested folder; folder names on disk cannot be decoded. */
const foldersOf: AcpConversations["foldersOf"] = (files) => {
  const projects = `${files.variable("QWEN_HOME") ?? `${files.home}/.qwen`}/projects`
  const folders = files.entries(projects).flatMap(({ isFolder, name }) => {
    const chats = `${projects}/${name}/chats`
    const first = isFolder ? files.entries(chats).find(({ name }) => name.endsWith(".jsonl")) : undefined
    const [line = ""] = first === undefined
      ? []
      : files.read(`${chats}/${first.name}`, 0, 64 * 1024).toString("utf8").split("\n", 1)
    const folder = /"cwd":("(?:[^"\\]|\\.)*")/.exec(line)?.[1]
    return folder === undefined ? [] : [String(JSON.parse(folder))]
  })
  return [...new Set(folders)]
}

export const qwen: AcpAgent = {
  tool: "qwen",
  aliases: ["qwen-code"],
  name: "Qwen Code",
  command: "qwen",
  args: ["--acp"],
  install: npm("@qwen-code/qwen-code"),
  login: runOnce("qwen"),
  inherits: ["QWEN_*", "OPENAI_*", "DASHSCOPE_*", ...anyModel],
  settable: ["OPENAI_MODEL", ...google],
  writable: ["~/.qwen"],
  modeNames: { autoEdit: "auto-edit", acceptEdits: "auto-edit", bypassPermissions: "yolo" },
  // It starts in `auto`, where another model decides what is safe.
  asks: { mode: "default", insteadOf: ["auto", "yolo"] },
  quirks: { toolName, usageBeside },
  conversations: { command: (id) => ["qwen", "--resume", id], foldersOf }
}
