/**
 * encode: converts operations to session updates of the Agent Client Protocol, version 1. Pure except for its
 * record of running tools: the protocol replaces a tool's content as a whole, so diffs are sent again with
 * the rest.
 *
 * Clients silently drop what they do not understand, such as a plan entry without a priority or a tool
 * without a title.
 */
import type { Op, OpOf } from "../Op.js"
import { open } from "../read.js"
import { hunksOf } from "./diffHunks.js"
import type { PathMap } from "./PathMap.js"
import { kindOf, locationsOf, titleOf, type ToolKind } from "./toolWords.js"

/** The `update` of a `session/update`. */
export type Update = { readonly sessionUpdate: string; readonly [field: string]: unknown }

export interface EncoderOptions {
  readonly paths: PathMap
  /** The client shows the agent's terminals: `clientCapabilities._meta.terminal_output`. */
  readonly terminals: boolean
  /** `clientCapabilities.session.notices`. */
  readonly notices: boolean
  /** `clientCapabilities.session.compaction`. */
  readonly compaction: boolean
  /** Whether the prompt is this client's, which shows it itself. */
  readonly isOwn: (message_id: string) => boolean
  /** Current modes and models, for `config_option_update`. */
  readonly configOptions: () => ReadonlyArray<unknown>
}

export interface Encoder {
  /** `ts`: the event's time, in seconds. */
  readonly encode: (op: Op, ts: number) => ReadonlyArray<Update>
}

interface Tool {
  readonly kind: ToolKind
  readonly isTerminal: boolean
  diffs: Array<object>
  locations: Array<object>
  /** Its output so far. */
  output: string
  /** Its subagent's messages. */
  said: Array<string>
  text: string
  /** When its output was last sent, in seconds. */
  sentAt: number
  isDone: boolean
  /** All its output was sent as it arrived. */
  isWhole: boolean
}

/**
 * Running output is sent at most this often, in seconds, and only its end, in characters, because each update
 * replaces all of it.
 */
const every = 0.25
const tail = 8192

const block = (text: string) => ({ type: "text", text })
const content = (text: string) => ({ type: "content", content: block(text) })

/** Longer than any run of backticks in it. */
const fenced = (text: string): string => {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length))
  const fence = "`".repeat(longest + 1)
  return `${fence}\n${text.replace(/\n$/, "")}\n${fence}`
}

const childOf = (parent: string | undefined) =>
  parent === undefined ? {} : { _meta: { claudeCode: { parentToolUseId: parent }, "ai-relay": { parent } } }

export const make = (options: EncoderOptions): Encoder => {
  const { isOwn, paths } = options
  const tools = new Map<string, Tool>()
  let used: number | undefined
  let size: number | undefined
  let compactions = 0
  let loose = 0

  const toolOf = (id: string, name: string): Tool => {
    const known = tools.get(id)
    if (known !== undefined) return known
    const kind = kindOf(name)
    const tool: Tool = {
      kind,
      isTerminal: options.terminals && kind === "execute",
      diffs: [],
      locations: [],
      output: "",
      said: [],
      text: "",
      sentAt: 0,
      isDone: false,
      isWhole: true
    }
    tools.set(id, tool)
    return tool
  }

  const contentOf = (id: string, tool: Tool): ReadonlyArray<object> => {
    const words = tool.isDone ? tool.text || tool.output : tool.output.slice(-tail)
    // The diff already shows that the change was made.
    const isSaid = words.trim() === "" || (tool.diffs.length > 0 && tool.kind === "edit")
    const shown = tool.isTerminal && tool.isWhole
      ? [{ type: "terminal", terminalId: id }]
      : isSaid
      ? []
      : [content(tool.kind === "execute" ? fenced(words) : words)]
    const said = tool.isDone && !isSaid ? [] : tool.said.map(content)
    return [...tool.diffs, ...said, ...shown]
  }

  const update = (id: string, fields: object): Update => ({
    sessionUpdate: "tool_call_update",
    toolCallId: id,
    ...fields
  })

  const toolCall = ({ args, id, known, parent, tool: name }: OpOf<"tool_call">): ReadonlyArray<Update> => {
    if (!known) tools.delete(id)
    const tool = toolOf(id, name)
    const fields = {
      title: titleOf(name, args),
      kind: tool.kind,
      rawInput: args,
      locations: locationsOf(args, paths.toClient)
    }
    if (known) return [update(id, fields)]
    return [{
      sessionUpdate: "tool_call",
      toolCallId: id,
      name,
      status: "pending",
      ...fields,
      content: contentOf(id, tool),
      ...(tool.isTerminal
        ? { _meta: { ...childOf(parent)._meta, terminal_info: { terminal_id: id } } }
        : childOf(parent))
    }]
  }

  const output = ({ id, text }: OpOf<"output_delta">, ts: number): ReadonlyArray<Update> => {
    const tool = tools.get(id)
    if (tool === undefined) return []
    const isFirst = tool.output === ""
    tool.output += text
    if (tool.isTerminal) {
      return [update(id, {
        ...(isFirst && { status: "in_progress" }),
        _meta: { terminal_output: { terminal_id: id, data: text } }
      })]
    }
    if (ts - tool.sentAt < every) return []
    tool.sentAt = ts
    return [update(id, { status: "in_progress", content: contentOf(id, tool) })]
  }

  const result = (op: OpOf<"tool_result">): ReadonlyArray<Update> => {
    const tool = toolOf(op.id, op.tool)
    tool.isDone = true
    tool.text = op.text
    const raw = op.content ?? (op.text === "" ? undefined : op.text)
    // A terminal can only be appended to. One shown from the middle on is replaced by the whole text.
    const isRest = op.text.startsWith(tool.output)
    tool.isWhole = isRest || tool.output.endsWith(op.text)
    const data = isRest ? op.text.slice(tool.output.length) : ""
    const rest = tool.isTerminal && data !== ""
      ? [update(op.id, { _meta: { terminal_output: { terminal_id: op.id, data } } })]
      : []
    const exit = {
      terminal_exit: { terminal_id: op.id, exit_code: op.exit_code ?? (op.ok ? 0 : 1), signal: null }
    }
    return [
      ...rest,
      update(op.id, {
        status: op.ok ? "completed" : "failed",
        content: contentOf(op.id, tool),
        ...(raw !== undefined && { rawOutput: raw }),
        ...(tool.isTerminal && { _meta: exit })
      })
    ]
  }

  const fileDiff = ({ diff, id, path }: OpOf<"file_diff">): ReadonlyArray<Update> => {
    const file = paths.toClient(path)
    const hunks = hunksOf(diff)
    const diffs = hunks.map(({ newText, oldText }) => ({
      type: "diff",
      path: file,
      oldText: oldText ?? null,
      newText
    }))
    const locations = hunks.map(({ line }) => ({ path: file, line }))
    if (id === undefined) {
      return [{
        sessionUpdate: "tool_call",
        toolCallId: `diff-${++loose}`,
        title: `Changed ${file}`,
        kind: "edit",
        status: "completed",
        content: diffs,
        locations
      }]
    }
    const tool = toolOf(id, "edit")
    tool.diffs.push(...diffs)
    tool.locations.push(...locations)
    return [update(id, { content: contentOf(id, tool), locations: tool.locations })]
  }

  /** A subagent's messages go into the call that runs it: as plain messages they would look like the agent's own. */
  const subagent = ({ parent = "", text }: OpOf<"end">): ReadonlyArray<Update> => {
    const tool = tools.get(parent)
    if (tool === undefined || tool.isDone) return []
    tool.said.push(text)
    return [update(parent, { status: "in_progress", content: contentOf(parent, tool) })]
  }

  const usage = (op: OpOf<"context">): ReadonlyArray<Update> => {
    used = op.used ?? used
    size = op.size ?? size
    if (used === undefined || size === undefined) return []
    return [{ sessionUpdate: "usage_update", used, size, cost: { amount: op.cost_usd, currency: "USD" } }]
  }

  const notice = (severity: "info" | "warning" | "error", title: string): ReadonlyArray<Update> =>
    options.notices && title.trim() !== "" ? [{ sessionUpdate: "notice", severity, title }] : []

  const thought = (text: string, id: string): Update => ({
    sessionUpdate: "agent_thought_chunk",
    content: block(text),
    messageId: id
  })

  const noticed = ({ level, metadata, name, text }: OpOf<"notice">): ReadonlyArray<Update> => {
    switch (level) {
      case "gap":
      case "refused":
        return options.notices ? notice("warning", text) : [thought(text, `${level}-${name}`)]
      case "quota":
        return used === undefined || size === undefined ? notice("warning", text) : [
          {
            sessionUpdate: "usage_update",
            used,
            size,
            _meta: { "ai-relay": { quota: { text, ...metadata } } }
          },
          ...notice("warning", text)
        ]
      case "context":
        return notice("warning", text)
      case "status":
        return []
    }
  }

  const compacted = ({ text }: OpOf<"compacted">): ReadonlyArray<Update> => {
    const id = `compaction-${++compactions}`
    return options.compaction
      ? [{
        sessionUpdate: "compaction_update",
        compactionId: id,
        status: "completed",
        summary: [block(text)]
      }]
      : options.notices
      ? notice("info", text)
      : [thought(text, id)]
  }

  const prompt = (id: string, text: string): Update => ({
    sessionUpdate: "user_message_chunk",
    content: block(text),
    messageId: id
  })

  const encode: Encoder["encode"] = (op, ts) => {
    switch (op.type) {
      case "turn_start":
        return op.text === undefined || op.text === "" || op.message_ids.some(isOwn)
          ? []
          : [prompt(`${op.turn}.u`, op.text)]
      case "user":
        return op.message_id !== undefined && isOwn(op.message_id) ? [] : [prompt(op.id, op.text)]
      case "delta":
        return op.parent !== undefined ? [] : [{
          sessionUpdate: op.kind === "text" ? "agent_message_chunk" : "agent_thought_chunk",
          content: block(op.text),
          messageId: op.id
        }]
      case "end":
        return op.parent !== undefined && op.kind === "text" ? subagent(op) : []
      case "tool_call":
        return toolCall(op)
      case "output_delta":
        return output(op, ts)
      case "progress":
        return output({ type: "output_delta", id: op.id, text: op.text }, ts)
      case "tool_result":
        return result(op)
      case "file_diff":
        return fileDiff(op)
      case "plan":
        return [{ sessionUpdate: "plan", entries: op.entries }]
      case "context":
        return usage(op)
      case "commands":
        return [{
          sessionUpdate: "available_commands_update",
          availableCommands: op.commands.map(({ description, hint, name }) => ({
            name,
            description: description || name,
            input: hint === "" ? null : { hint }
          }))
        }]
      case "mode":
        return [
          { sessionUpdate: "current_mode_update", currentModeId: op.mode },
          { sessionUpdate: "config_option_update", configOptions: options.configOptions() }
        ]
      case "model":
        return [{ sessionUpdate: "config_option_update", configOptions: options.configOptions() }]
      case "notice":
        return noticed(op)
      case "compacted":
        return compacted(op)
      case "error":
        return notice("error", op.text)
      case "session_end":
        return notice("info", op.text || "The session has ended; the next prompt reopens it.")
      case "turn_end":
        tools.clear()
        return []
      case "session":
      case "start":
      case "input_delta":
      case "ask":
      case "settled":
        return []
    }
  }

  return { encode }
}

/** Adds the position in the session's log, for clients that use it. */
export const withSeq = (update: Update, seq: number): Update => {
  if (update["_meta"] === undefined) return { ...update, _meta: { "ai-relay": { seq } } }
  const meta = open(update["_meta"])
  return { ...update, _meta: { ...meta, "ai-relay": { ...open(meta["ai-relay"]), seq } } }
}
