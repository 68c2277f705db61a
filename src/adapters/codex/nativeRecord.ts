/**
 * nativeRecord: converts a line of a Codex rollout to the events a live session would have emitted.
 */
import type { EventBody } from "../../schema/index.js"
import type { Translated } from "../native/NativeStore.js"
import {
  field,
  type Fields,
  list,
  number,
  parseLine,
  plainText,
  text,
  toFields
} from "../native/readLines.js"
import { readBlocks } from "../wire/lenient.js"
import { status } from "../wire/statusEvent.js"
import { createdDiff } from "../wire/unifiedDiff.js"
import { textOfBlocks } from "../wire/words.js"
import type { AnyItem } from "./CodexMessage.js"
import { completedItem, startedItem } from "./items.js"
import { makeState } from "./translate.js"
import { toBlock } from "./userInput.js"

const nothing: Translated = { events: [] }

// --- items: as app-server tells them, in other letters -----------------------------------------------------------------

const camel = (name: string) => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const pathOf = (uri: string) => uri.startsWith("file://") ? decodePath(uri.slice("file://".length)) : uri
const decodePath = (path: string) => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const shellWord = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\"'\"'")}'`

const toChange = ([path, change]: [string, unknown]) => {
  const { content, move_path, type, unified_diff } = toFields(change) ?? {}
  return {
    path,
    kind: { type, ...(typeof move_path === "string" && { move_path }) },
    diff: unified_diff ?? content ?? ""
  }
}

/** A rollout's item as in `item/completed`. */
export const toItem = (item: Fields): AnyItem | undefined => {
  const type = text(item, "type")
  const id = text(item, "id")
  if (type === undefined || id === undefined) return undefined
  const fields = Object.fromEntries(
    Object.entries(item).map(([name, value]) => [camel(name), value])
  )
  const { command, cwd, path } = fields
  return {
    ...fields,
    type: type.charAt(0).toLowerCase() + type.slice(1),
    id,
    ...(typeof cwd === "string" && { cwd: pathOf(cwd) }),
    ...(typeof path === "string" && { path: pathOf(path) }),
    ...(Array.isArray(command) && { command: command.map((word) => shellWord(String(word))).join(" ") }),
    ...(type === "FileChange" && { changes: Object.entries(field(item, "changes") ?? {}).map(toChange) }),
    ...(type === "Reasoning" && { summary: item["summary_text"] ?? [], content: item["raw_content"] ?? [] }),
    ...(type === "AgentMessage" && { text: textOfParts(list(item, "content")) }),
    ...(type === "UserMessage" && { content: list(item, "content").map(toUserInput) }),
    ...(type === "CollabAgentToolCall" && { agentsStates: statesOf(field(item, "agents_states")) })
  }
}

const textOfParts = (parts: ReadonlyArray<unknown>): string => textOfBlocks(readBlocks(parts))

const toUserInput = (part: unknown) => {
  const { image_url, ...rest } = toFields(part) ?? {}
  return { ...rest, ...(typeof image_url === "string" && { url: image_url }) }
}

const statesOf = (states: Fields | undefined) =>
  states && Object.fromEntries(
    Object.entries(states).map((
      [thread, state]
    ) => [thread, typeof state === "string" ? { status: state } : state])
  )

/** What a person wrote, as in a turn's text. */
export const promptOf = (item: AnyItem): string => {
  const content: unknown = item["content"]
  // `toBlock` accepts whatever an item's content holds.
  return textOfBlocks((Array.isArray(content) ? content : []).map((part) => toBlock(part)))
}

const isTold = (event: EventBody) =>
  event.type !== "stream_event" && !(event.type === "status" && event.status.startsWith("item/"))

const ofItem = (fields: Fields, isFirst: boolean): ReadonlyArray<EventBody> => {
  const item = toItem(fields)
  if (item === undefined) return []
  const state = makeState(() => true)
  const events = [...startedItem(item, undefined, state), ...completedItem(item, undefined, state)].filter(
    isTold
  )
  return item.type === "userMessage" && isFirst
    ? [{ type: "turn_start", text: promptOf(item) }, ...events]
    : events.filter((event) => event.type !== "status" || event.status !== "compacting")
}

// --- events ------------------------------------------------------------------------------------------------------------

const usageOf = (payload: Fields): Translated["usage"] => {
  const info = field(payload, "info")
  const last = field(info, "last_token_usage")
  if (last === undefined) return undefined
  const cached = number(last, "cached_input_tokens") ?? 0
  return {
    // A count is repeated until something is added to it.
    call: String(number(field(info, "total_token_usage"), "total_tokens") ?? 0),
    input_tokens: Math.max(0, (number(last, "input_tokens") ?? 0) - cached),
    output_tokens: number(last, "output_tokens") ?? 0,
    cached_input_tokens: cached
  }
}

const duration = (payload: Fields) => {
  const duration_ms = number(payload, "duration_ms")
  return duration_ms === undefined ? {} : { usage: { duration_ms } }
}

const ofEvent = (payload: Fields, isFirst: boolean): Translated => {
  const said = text(payload, "message") ?? text(payload, "text") ?? ""
  switch (payload["type"]) {
    case "item_completed": {
      const item = field(payload, "item")
      return item === undefined ? nothing : { events: ofItem(item, isFirst) }
    }
    case "user_message": {
      const message: EventBody = { type: "user_message", content: [{ type: "text", text: said }], text: said }
      return { events: isFirst ? [{ type: "turn_start", text: said }, message] : [message] }
    }
    case "agent_message":
      return { events: [{ type: "assistant_message", content: [{ type: "text", text: said }], text: said }] }
    case "agent_reasoning":
      return { events: [{ type: "reasoning", text: said }] }
    case "token_count": {
      const usage = usageOf(payload)
      return usage === undefined ? nothing : { events: [], usage }
    }
    case "task_complete":
      return { events: [{ type: "turn_end", stop_reason: "end_turn", ...duration(payload) }] }
    case "turn_aborted":
      return { events: [{ type: "turn_end", stop_reason: "cancelled", ...duration(payload) }] }
    case "context_compacted":
      return { events: [{ type: "context_compacted" }] }
    case "error":
      return {
        events: [{ type: "error", code: "turn_failed", text: said }, {
          type: "turn_end",
          stop_reason: "error"
        }]
      }
    default:
      return nothing
  }
}

// --- tools of old rollouts: only what the model saw is there -------------------------------------------------------------

const shells = new Set(["exec_command", "shell", "shell_command", "container.exec", "local_shell"])

const planEvents = (args: Fields): ReadonlyArray<EventBody> => {
  const entries = list(args, "plan").flatMap((step) => {
    const fields = toFields(step)
    const content = text(fields, "step")
    return content === undefined ? [] : [{ content, status: text(fields, "status") ?? "pending" }]
  })
  const marks: Readonly<Record<string, string>> = { completed: "[x]", in_progress: "[>]" }
  return [
    status("plan", entries.map(({ content, status }) => `${marks[status] ?? "[ ]"} ${content}`).join("\n"), {
      entries
    })
  ]
}

const ofCall = (payload: Fields): ReadonlyArray<EventBody> => {
  const name = text(payload, "name") ?? "tool"
  const tool_use_id = text(payload, "call_id")
  if (tool_use_id === undefined) return []
  const input = text(payload, "input")
  const args = parseLine(text(payload, "arguments") ?? "") ?? {}
  if (name === "update_plan") return planEvents(args)
  if (name === "apply_patch") {
    const patch = input ?? text(args, "input") ?? text(args, "patch") ?? ""
    return [{ type: "tool_call", tool: "fileChange", tool_use_id, args: { patch } }]
  }
  if (!shells.has(name)) {
    return [{ type: "tool_call", tool: name, tool_use_id, args: input === undefined ? args : { input } }]
  }
  const command = args["command"] ?? args["cmd"]
  const cwd = text(args, "workdir")
  return [{
    type: "tool_call",
    tool: "commandExecution",
    tool_use_id,
    args: {
      command: Array.isArray(command)
        ? command.map((word) => shellWord(String(word))).join(" ")
        : command ?? "",
      ...(cwd !== undefined && { cwd })
    }
  }]
}

/** Files a patch adds. Changed files have no line numbers, so no diff can be made of them. */
export const addedFiles = (patch: string, tool_use_id: string): ReadonlyArray<EventBody> =>
  [...patch.matchAll(/^\*\*\* Add File: (.+)\n((?:\+.*(?:\n|$))*)/gm)].map((
    [, file_path = "", added = ""]
  ) => ({
    type: "file_diff",
    file_path,
    diff: createdDiff(file_path, added.replaceAll(/^\+/gm, "")),
    tool_use_id
  }))

const ofOutput = (payload: Fields): ReadonlyArray<EventBody> => {
  const tool_use_id = text(payload, "call_id")
  if (tool_use_id === undefined) return []
  const given = payload["output"]
  const told = typeof given === "string" ? given : textOfParts(Array.isArray(given) ? given : [])
  const inner = parseLine(told)
  const output = text(inner, "output") ?? told
  const code = number(field(inner, "metadata"), "exit_code")
    ?? Number(/(?:Process exited with code|Exit code:) (\d+)/.exec(output)?.[1] ?? Number.NaN)
  const body = plainText(output.replace(/^(?:Chunk ID|Wall time|Exit code)[^]*?\nOutput:\n/, ""))
  return [{
    type: "tool_result",
    tool_use_id,
    status: Number.isSafeInteger(code) && code !== 0 ? "error" : "ok",
    text: body,
    content: body,
    ...(Number.isSafeInteger(code) && { exit_code: code })
  }]
}

const ofResponse = (payload: Fields): ReadonlyArray<EventBody> => {
  switch (payload["type"]) {
    case "function_call":
    case "custom_tool_call": {
      const events = ofCall(payload)
      const patch = toFields(events[0]?.type === "tool_call" ? events[0].args : undefined)
      return text(payload, "name") === "apply_patch"
        ? [...events, ...addedFiles(text(patch, "patch") ?? "", text(payload, "call_id") ?? "")]
        : events
    }
    case "function_call_output":
    case "custom_tool_call_output":
      return ofOutput(payload)
    default:
      return []
  }
}

/** Events of a line. `isFirst`: it begins a turn if a person wrote it. */
export const translateRecord = (line: Fields, isFirst: boolean, isLegacy: boolean): Translated => {
  const payload = field(line, "payload") ?? {}
  switch (line["type"]) {
    case "event_msg":
      return ofEvent(payload, isFirst)
    case "response_item":
      return isLegacy ? { events: ofResponse(payload) } : nothing
    default:
      return nothing
  }
}
