/**
 * nativeRecord: converts a line of a Claude transcript to the events a live session would have emitted.
 */
import { Option, Schema } from "effect"
import type { EventBody } from "../../schema/index.js"
import type { NativeFiles } from "../native/NativeFiles.js"
import type { Translated } from "../native/NativeStore.js"
import {
  field,
  type Fields,
  hasFolder,
  list,
  number,
  parseLine,
  plainText,
  text
} from "../native/readLines.js"
import { status } from "../wire/statusEvent.js"
import { Assistant, type ClaudeMessage, User } from "./ClaudeMessage.js"
import { makeState } from "./ClaudeState.js"
import { promptOf, textsOf } from "./nativeBranch.js"
import { takeEarly, translate } from "./translate.js"

const readUser = Schema.decodeUnknownOption(User)
const readAssistant = Schema.decodeUnknownOption(Assistant)

const nothing: Translated = { events: [] }
const interrupted = /^\[Request interrupted by user/
const tag = (name: string, said: string): string | undefined =>
  new RegExp(`<${name}>([^]*?)</${name}>`).exec(said)?.[1]

/** Where to find subagents' lines besides the conversation's own file. */
export interface Around {
  readonly files: NativeFiles
  /** The folder of the conversation's file, and its id. */
  readonly folder: string
  readonly id: string
}

/** For a subagent whose output is longer, only its result is reported. */
const longestSubagent = 8 * 1024 * 1024
const agentId = /^[A-Za-z0-9_-]{1,64}$/

/** A subagent's work, reported with the call that started it. */
const subagentEvents = (
  agent: string,
  call: string,
  { files, folder, id }: Around
): ReadonlyArray<EventBody> => {
  if (!agentId.test(agent)) return []
  const [path, stamp] = [
    ...hasFolder(files, folder, id) && hasFolder(files, `${folder}/${id}`, "subagents")
      ? [`${folder}/${id}/subagents/agent-${agent}.jsonl`]
      : [],
    `${folder}/agent-${agent}.jsonl`
  ]
    .map((path) => [path, files.stamp(path)] as const)
    .find(([, stamp]) => stamp !== undefined) ?? []
  if (path === undefined || stamp === undefined || stamp.size > longestSubagent) return []
  return files.read(path, 0, stamp.size).toString("utf8").split("\n").flatMap((line) => {
    const fields = parseLine(line)
    return fields === undefined ? [] : toMessage(fields, call)
  })
}

/** A message as Claude prints it; fields named differently in transcripts are renamed. */
const toMessage = (line: Fields, parent?: string): ReadonlyArray<EventBody> => {
  const message = {
    type: line["type"],
    message: line["message"],
    uuid: line["uuid"],
    tool_use_result: line["toolUseResult"],
    ...(parent !== undefined && { parent_tool_use_id: parent })
  }
  const read: Option.Option<ClaudeMessage> = line["type"] === "assistant"
    ? readAssistant(message)
    : readUser(message)
  return Option.match(read, {
    onNone: () => [],
    onSome: (message) => {
      const state = makeState(() => true, true)
      return [...translate(message, state), ...takeEarly(state, true)]
    }
  })
}

/** A large output is stored separately: the model got a note, the result holds what the person saw. */
const withOutput = (line: Fields): Fields => {
  const stdout = text(field(line, "toolUseResult"), "stdout")
  const message = field(line, "message")
  const content = list(message, "content")
  if (stdout === undefined || !JSON.stringify(content).includes("<persisted-output>")) return line
  return {
    ...line,
    message: {
      ...message,
      content: content.map((block) => ({ ...(typeof block === "object" && block), content: stdout }))
    }
  }
}

const results = (line: Fields, around: Around): ReadonlyArray<EventBody> => {
  const agent = text(field(line, "toolUseResult"), "agentId")
  const [first] = list(field(line, "message"), "content")
  const call = typeof first === "object" && first !== null && "tool_use_id" in first
    ? first.tool_use_id
    : undefined
  return [
    ...agent !== undefined && typeof call === "string" ? subagentEvents(agent, call, around) : [],
    ...toMessage(withOutput(line))
  ]
}

/** A command a person ran in the terminal's own shell, `!command`. */
const shellEvents = (line: Fields, said: string): ReadonlyArray<EventBody> => {
  const metadata = { by: "user" }
  const command = tag("bash-input", said)
  if (command !== undefined) {
    const tool_use_id = `shell-${text(line, "uuid")}`
    return [{ type: "tool_call", tool: "Bash", tool_use_id, args: { command: command.trim() }, metadata }]
  }
  const output = plainText(`${tag("bash-stdout", said) ?? ""}${tag("bash-stderr", said) ?? ""}`)
  return [{
    type: "tool_result",
    tool_use_id: `shell-${text(line, "parentUuid")}`,
    tool: "Bash",
    status: "ok",
    text: output,
    content: output,
    metadata
  }]
}

const ofUser = (line: Fields, isInTurn: boolean, around: Around): ReadonlyArray<EventBody> => {
  const content = field(line, "message")?.["content"]
  const prompt = promptOf(line)
  if (prompt !== undefined) {
    const told = toMessage(line)
    return isInTurn ? told : [{ type: "turn_start", text: prompt }, ...told]
  }
  if (line["isMeta"] === true || line["isCompactSummary"] === true) return []
  if (Array.isArray(content) && content.some((block: Fields) => block?.["type"] === "tool_result")) {
    return results(line, around)
  }
  const said = textsOf(content)
  if (interrupted.test(said)) return [{ type: "turn_end", stop_reason: "cancelled" }]
  if (/^\s*<bash-/.test(said)) return shellEvents(line, said)
  if (text(field(line, "origin"), "kind") === "task-notification" || /^\s*<task-notification/.test(said)) {
    return [{ type: "turn_start" }, status("task_result", tag("summary", said) ?? plainText(said))]
  }
  const command = tag("command-name", said)
  const printed = tag("local-command-stdout", said)
  return command !== undefined
    ? [status("local_command", `${command} ${tag("command-args", said) ?? ""}`.trim())]
    : printed !== undefined && printed.trim() !== ""
    ? [status("local_command", plainText(printed))]
    : []
}

const usageOf = (message: Fields | undefined): Translated["usage"] => {
  const usage = field(message, "usage")
  const call = text(message, "id")
  return usage === undefined || call === undefined ? undefined : {
    call,
    input_tokens: (number(usage, "input_tokens") ?? 0) + (number(usage, "cache_creation_input_tokens") ?? 0),
    output_tokens: number(usage, "output_tokens") ?? 0,
    cached_input_tokens: number(usage, "cache_read_input_tokens") ?? 0
  }
}

const ofAssistant = (line: Fields): Translated => {
  const message = field(line, "message")
  const said = textsOf(message?.["content"])
  const isSynthetic = text(message, "model") === "<synthetic>"
  if (line["isApiErrorMessage"] === true) {
    return {
      events: [{ type: "error", code: "turn_failed", text: said }, { type: "turn_end", stop_reason: "error" }]
    }
  }
  if (isSynthetic && said === "No response requested.") return nothing
  const usage = usageOf(message)
  const events = toMessage(line)
  if (isSynthetic) {
    return {
      events: events.map((event) =>
        event.type === "assistant_message"
          ? { ...event, metadata: { ...event.metadata, synthetic: true } }
          : event
      )
    }
  }
  return { events, ...(usage !== undefined && { usage }) }
}

const ofSystem = (line: Fields): ReadonlyArray<EventBody> => {
  switch (line["subtype"]) {
    case "compact_boundary": {
      const { preTokens, postTokens, trigger } = field(line, "compactMetadata") ?? {}
      return [{
        type: "context_compacted",
        metadata: {
          ...(trigger !== undefined && { trigger }),
          ...(preTokens !== undefined && { pre_tokens: preTokens }),
          ...(postTokens !== undefined && { post_tokens: postTokens })
        }
      }]
    }
    case "turn_duration": {
      const duration_ms = number(line, "durationMs")
      return [{
        type: "turn_end",
        stop_reason: "end_turn",
        ...(duration_ms !== undefined && { usage: { duration_ms } })
      }]
    }
    case "api_error":
      return [status("api_retry", text(line, "content"))]
    default:
      return []
  }
}

/** Events of a line. `isInTurn`: the prompt just before it began the turn it is in. */
export const translateRecord = (line: Fields, isInTurn: boolean, around: Around): Translated => {
  switch (line["type"]) {
    case "user":
      return { events: ofUser(line, isInTurn, around) }
    case "assistant":
      return ofAssistant(line)
    case "system":
      return { events: ofSystem(line) }
    default:
      return nothing
  }
}
