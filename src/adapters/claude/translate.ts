/**
 * translate: converts each Claude message to events. Synchronous and free of effects; its state per
 * conversation is `ClaudeState`. A message's first event carries the native line as `raw`.
 */
import { Match, Option, Schema } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import type { BodyOf, EventBody } from "../../schema/index.js"
import { readBlocks } from "../wire/lenient.js"
import { status } from "../wire/statusEvent.js"
import { firstText, plainWordsOf, shown, textOfBlocks, wordsIn, wordsOf } from "../wire/words.js"
import {
  type Assistant,
  type ClaudeMessage,
  FileChange,
  type StreamEvent,
  type User
} from "./ClaudeMessage.js"
import type { ClaudeState, EarlyResult } from "./ClaudeState.js"
import { diffOf } from "./fileDiff.js"
import { idOf } from "./openCalls.js"
import { translateResult, usedBy } from "./result.js"
import { inputTokensOf, translateStreamEvent } from "./streamEvent.js"
import { retryText, translateSystem } from "./system.js"

type Events = ReadonlyArray<EventBody>

const string = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

/** A subagent's messages name the tool call that started it. */
export const thread = (parent: string | undefined, { ids }: ClaudeState) =>
  parent === undefined ? {} : { metadata: { parent_tool_use_id: ids.of(parent) } }

// --- tool calls --------------------------------------------------------------------------------------------------

/** `tool_use`, and the tools the API runs itself: `server_tool_use`, `mcp_tool_use`. */
const isCall = ({ type }: NativeBlock) => /(^|_)tool_use$/.test(type)
/** `tool_result`, `web_search_tool_result`, `mcp_tool_result`, … */
const isResult = ({ type }: NativeBlock) => /(^|_)tool_result$/.test(type)

/** A tool's name; tools of an MCP server are named as elsewhere in Claude. */
const toolOf = ({ name, server_name, type }: NativeBlock): string => {
  const tool = string(name) ?? type
  return typeof server_name === "string" ? `mcp__${server_name}__${tool}` : tool
}

const toolCall = (block: NativeBlock, parent: string | undefined, state: ClaudeState): Events => {
  const tool = toolOf(block)
  const args = block["input"] ?? {}
  const call = state.openCalls.begin(idOf(block["id"]), tool, args, parent)
  if (call === undefined) return []
  return [{ type: "tool_call", tool, tool_use_id: call.tool_use_id, args, ...thread(parent, state) }]
}

export const fieldsIn = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {}

/** The text of a fetched page. */
const documentWords = (content: unknown): string | undefined => {
  const { media_type = "text/plain", data, type } = fieldsIn(fieldsIn(content)["source"])
  return type === "text" && String(media_type).startsWith("text/") ? string(data) : undefined
}

const linkWords = (block: unknown): string | undefined => {
  const { content, text, title, tool_references, url } = fieldsIn(block)
  if (string(text) !== undefined) return string(text)
  if (Array.isArray(tool_references)) {
    return firstText(tool_references.flatMap((tool) => string(fieldsIn(tool)["tool_name"]) ?? []).join("\n"))
  }
  if (string(url) === undefined) return wordsIn(block)
  const link = [string(title) ?? string(fieldsIn(content)["title"]), url].join(" ").trim()
  return [link, documentWords(content)].filter((part) => part !== undefined).join("\n")
}

/** A tool's output. Results of the API's own tools are lists of links or objects of many shapes. */
const resultText = (content: unknown): string | undefined => {
  if (content === undefined || content === null) return undefined
  if (typeof content === "string") return content
  if (typeof content === "number" || typeof content === "boolean") return String(content)
  const blocks = readBlocks(content)
  const text = blocks.map(plainWordsOf).join("")
  if (text !== "") {
    const others = blocks.filter((block) => block.type !== "text" && plainWordsOf(block) === "")
    return [text, ...others.flatMap((block) => firstText(wordsOf(block)) ?? [])].join("\n")
  }
  const list = Array.isArray(content) ? content : [content]
  const words = list.flatMap((block) => linkWords(block) ?? [])
  return words.length > 0 ? words.join("\n") : blocks.length > 0 ? text : undefined
}

/** The API's own tools report errors in the content: `{"type":"web_search_tool_result_error","error_code":…}`. */
const saysError = (content: unknown): string | undefined => {
  const { error_code, type } = fieldsIn(content)
  return string(error_code) ?? (string(type)?.endsWith("_error") === true ? string(type) : undefined)
}

const toolResult = (
  block: NativeBlock,
  parent: string | undefined,
  changed: unknown,
  state: ClaudeState
): Events => {
  const native = idOf(block["tool_use_id"])
  const call = state.openCalls.end(native, parent)
  const past = call === undefined && native !== undefined ? state.openCalls.past(native, parent) : undefined
  if (past === "ended") return []
  if (past === "dropped") {
    // It already has a result: its turn ended without one.
    const text = resultText(block["content"])
    const tool_use_id = state.ids.of(native ?? "", parent)
    return [
      ...text === undefined
        ? []
        : [{ type: "tool_progress", tool_use_id, text, ...thread(parent, state) } as const],
      ...fileDiff(changed, tool_use_id, parent, state)
    ]
  }
  if (call === undefined && native !== undefined && state.inTurn()) {
    const read = state.encoding === "latin1" ? asText : (value: unknown) => value
    const held = read({ block, changed }) as Pick<EarlyResult, "block" | "changed"> // The same without its texts.
    state.early = [...state.early, { native, parent, ...held }]
    return []
  }
  const tool_use_id = call?.tool_use_id ?? native
  return tool_use_id === undefined ? [] : resultOf(block, tool_use_id, parent, changed, state)
}

const resultOf = (
  block: NativeBlock,
  tool_use_id: string,
  parent: string | undefined,
  changed: unknown,
  state: ClaudeState
): Events => {
  const error = saysError(block["content"])
  const text = firstText(resultText(block["content"])) ?? error
    ?? shown(fieldsIn(changed)["structuredContent"]) ?? resultText(block["content"])
  // For code run by the API; Claude's own Bash describes its outcome in text.
  const { return_code } = fieldsIn(block["content"])
  const exit_code = Number.isSafeInteger(return_code) ? Number(return_code) : undefined
  const failed = block["is_error"] === true || error !== undefined || (exit_code ?? 0) !== 0
  return [
    {
      type: "tool_result",
      tool_use_id,
      status: failed ? "error" : "ok",
      content: block["content"],
      ...(text !== undefined && { text }),
      ...(exit_code !== undefined && { exit_code }),
      ...thread(parent, state)
    },
    ...fileDiff(changed, tool_use_id, parent, state)
  ]
}

const unanswered = (stopped: boolean) =>
  stopped
    ? "The turn was stopped before this tool had finished."
    : "The turn ended without a result from this tool."

/** The turn is over: each of its open calls gets a result. Subagents may continue in the background. */
const endCalls = (stopped: boolean, state: ClaudeState): Events =>
  state.openCalls.all().flatMap((call): Events => {
    if (call.parent !== undefined) return []
    state.openCalls.drop(call)
    return [{
      type: "tool_result",
      tool_use_id: call.tool_use_id,
      status: "error",
      text: unanswered(stopped)
    }]
  })

/** Texts of a message that was read as bytes. */
const asText = (value: unknown): unknown =>
  typeof value === "string"
    ? Buffer.from(value, "latin1").toString("utf8")
    : Array.isArray(value)
    ? value.map(asText)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, field]) => [asText(name), asText(field)]))
    : value

/** Early results whose calls have arrived since or, at the end of the turn, `all` of them. */
export const takeEarly = (state: ClaudeState, all: boolean): Events => {
  if (state.early.length === 0) return []
  const held = state.early
  state.early = []
  return held.flatMap((one): Events => {
    const { block, changed, native, parent } = one
    const call = state.openCalls.end(native, parent)
    if (call !== undefined || all) {
      return resultOf(block, call?.tool_use_id ?? native, parent, changed, state)
    }
    state.early = [...state.early, one]
    return []
  })
}

// --- files -------------------------------------------------------------------------------------------------------

const readFileChange = Schema.decodeUnknownOption(FileChange)

const fileDiff = (
  result: unknown,
  tool_use_id: string,
  parent: string | undefined,
  state: ClaudeState
): Events =>
  Option.match(readFileChange(result), {
    onNone: () => [],
    onSome: (change) => {
      const path = change.filePath ?? change.notebook_path
      const { edits, newString, structuredPatch, type, updated_file } = change
      const isTold = [structuredPatch, updated_file, newString, edits].some((field) => field !== undefined)
      const isChange = isTold || type === "create" || type === "update"
      const diff = path === undefined || !isChange ? undefined : diffOf(path, change)
      return path === undefined || diff === undefined
        ? []
        : [{ type: "file_diff", file_path: path, diff, tool_use_id, ...thread(parent, state) }]
    }
  })

// --- messages ----------------------------------------------------------------------------------------------------

const blockEvents = (block: NativeBlock, parent: string | undefined, state: ClaudeState): Events => {
  if (block.type === "thinking") {
    const text = firstText(block["thinking"]) ?? wordsIn(block["thinking"] ?? block["text"])
    // The model may withhold its thoughts.
    return text === undefined ? [] : [{ type: "reasoning", text, ...thread(parent, state) }]
  }
  if (block.type === "compaction") {
    const text = wordsIn(block["content"])
    return [{ type: "context_compacted", ...(text !== undefined && { text }), ...thread(parent, state) }]
  }
  if (isCall(block)) return toolCall(block, parent, state)
  return isResult(block) ? toolResult(block, parent, undefined, state) : []
}

const assistant = (
  { aborted, error, message, parent_tool_use_id: parent, supersedes }: Assistant,
  state: ClaudeState
): Events => {
  if (parent === undefined && message.usage !== undefined) {
    state.context_tokens = Math.max(state.context_tokens, inputTokensOf(message.usage))
  }
  state.unfinished.forget(parent)
  if (parent === undefined) {
    state.stop_reason = message.stop_reason ?? state.stop_reason
    state.failure = error
  }
  const text = textOfBlocks(message.content)
  const { encoding } = state
  if (parent === undefined && text !== "") {
    // Rarely needed.
    state.said = () => encoding === "latin1" ? Buffer.from(text, "latin1").toString("utf8") : text
  }
  const usage = message.id !== undefined && message.usage !== undefined
    ? state.calls.whole(message.id, message.usage)
    : undefined
  const metadata = {
    ...(usage !== undefined && { usage }),
    ...thread(parent, state).metadata,
    ...(error !== undefined && { error }),
    ...(aborted === true && { partial: true }),
    ...(supersedes !== undefined && { supersedes })
  }
  return [
    {
      type: "assistant_message",
      content: message.content,
      ...(text !== "" && { text }),
      ...(Object.keys(metadata).length > 0 && { metadata })
    },
    ...message.content.flatMap((block) => blockEvents(block, parent, state))
  ]
}

/** Data reported with several results is a list, or belongs to the first. */
const changeAt = (index: number, told: unknown): unknown =>
  Array.isArray(told) ? told[index] : index === 0 ? told : undefined

const interruption = /^\[Request interrupted by user/

const user = (message: User, state: ClaudeState): Events => {
  const { isReplay, isSynthetic, message: { content }, parent_tool_use_id: parent, uuid } = message
  const isOwn = uuid !== undefined && uuid === state.unread_prompt
  if (isOwn) state.unread_prompt = undefined
  if (uuid !== undefined && isReplay === true) state.steered.read(uuid, isOwn)
  const text = textOfBlocks(content)
  if (parent === undefined && isReplay !== true && interruption.test(text)) state.interrupted = true
  const metadata = {
    ...thread(parent, state).metadata,
    ...(uuid !== undefined && { uuid }),
    ...(isReplay === true && { replay: true }),
    ...(isSynthetic === true && { synthetic: true })
  }
  return [
    { type: "user_message", content, ...(text !== "" && { text }), metadata },
    ...content.filter(isResult).flatMap((block, index) =>
      toolResult(block, parent, changeAt(index, message.tool_use_result), state)
    )
  ]
}

/** The end of a model call reports its usage. */
const withUsage = (
  told: BodyOf<"stream_event">,
  { event, parent_tool_use_id: thread = "" }: StreamEvent,
  state: ClaudeState
): BodyOf<"stream_event"> => {
  const { calls } = state
  const { delta, message, type, usage } = event
  if (thread === "") state.stop_reason = delta?.stop_reason ?? state.stop_reason
  if (type === "message_start" && message?.id !== undefined) {
    calls.begin(thread, message.id, message.usage ?? {})
  }
  const used = type === "message_delta" && usage !== undefined ? calls.update(thread, usage) : undefined
  return used === undefined ? told : { ...told, metadata: { ...told.metadata, usage: used } }
}

/** A result of no running turn: its text is reported and nothing ends. */
const lateResult = (message: Extract<ClaudeMessage, { type: "result" }>, state: ClaudeState): Events => {
  state.uncounted = [...state.uncounted, ...usedBy(message)]
  const events = translateResult(message, { ...state, cost_before: state.cost }, state.warn)
  const rest = events.filter(({ type }) => type !== "turn_end" && type !== "response")
  return rest.length > 0 ? rest : [status("result", firstText(message.result))]
}

const result = (message: Extract<ClaudeMessage, { type: "result" }>, state: ClaudeState): Events => {
  if (!state.ownTurn && !state.inTurn()) return lateResult(message, state)
  // A background task's own turn, finished before Claude saw the prompt sent in the meantime.
  if (message.origin?.kind === "task-notification" && state.unread_prompt !== undefined) {
    state.uncounted = [...state.uncounted, ...usedBy(message)]
    return [status("task_result", message.result)]
  }
  const cut = state.unfinished.cut((id) => state.ids.of(id))
  const events = translateResult(message, { ...state, cost_before: state.cost }, state.warn)
  const end = events.at(-1)
  const stopped = end?.type === "turn_end" && (end.stop_reason === "cancelled" || end.stop_reason === "error")
  // A turn that crashed reports no cost as 0.
  state.cost = message.total_cost_usd === 0 ? state.cost ?? 0 : message.total_cost_usd ?? state.cost
  state.uncounted = []
  state.said = undefined
  state.unread_prompt = undefined
  state.stop_reason = undefined
  state.failure = undefined
  state.calls.reset()
  state.interrupted = false
  const next = state.steered.next()
  state.ownTurn = next !== undefined
  const told = [...cut, ...endCalls(stopped, state), ...events]
  return next === undefined ? told : [...told, next]
}

/** Subagents and other background tasks also report between turns. */
export const isOfMainThread = (message: ClaudeMessage): boolean =>
  !("parent_tool_use_id" in message && message.parent_tool_use_id !== undefined)
  && !("task_id" in message && message.task_id !== undefined)

/**
 * Claude speaks outside a turn: it has begun one on its own (a background task has finished). An `init` alone
 * does not mean that: it also comes where a hook or a Claude build prints it before the first prompt.
 */
const beginsTurn = (message: ClaudeMessage, state: ClaudeState): boolean =>
  !state.ownTurn && !state.inTurn() && isOfMainThread(message)
  && (message.type === "assistant" || message.type === "stream_event")

/** A delta of text in the main thread, outside a turn. */
export const ownTurn = (state: ClaudeState): BodyOf<"turn_start"> | undefined => {
  if (state.ownTurn || state.inTurn()) return undefined
  state.ownTurn = true
  return { type: "turn_start" }
}

/** Events for what a Claude message begins, emitted before it. */
export const begunBy = (message: ClaudeMessage, state: ClaudeState): BodyOf<"turn_start"> | undefined =>
  beginsTurn(message, state) ? ownTurn(state) : undefined

/** Events of a message; the adapter handles control messages. */
export const translate = (message: ClaudeMessage, state: ClaudeState): Events =>
  Match.value(message).pipe(
    Match.withReturnType<Events>(),
    Match.discriminatorsExhaustive("type")({
      system: (message) => translateSystem(message, state),
      assistant: (message) => assistant(message, state),
      user: (message) => user(message, state),
      stream_event: (message) => [withUsage(translateStreamEvent(message, state), message, state)],
      result: (message) => result(message, state),
      tool_progress: (
        {
          elapsed_time_seconds,
          message,
          parent_tool_use_id: parent,
          subagent_retry: again,
          tool_name,
          tool_use_id
        }
      ) => {
        // Bash reports progress under a name of its own; the call's id is in the parent field.
        const isBash = tool_use_id?.startsWith("bash-progress-") === true
        const id = isBash ? parent : tool_use_id
        return [{
          type: "tool_progress",
          text: [firstText(message), `${elapsed_time_seconds ?? 0} s`].filter((part) => part !== undefined)
            .join(", ") + (again === undefined ? "" : `. ${retryText(again, again.error_category)}`),
          ...(id !== undefined && { tool_use_id: state.ids.of(id) }),
          ...(tool_name !== undefined && { tool: tool_name }),
          ...(!isBash && thread(parent, state))
        }]
      },
      rate_limit_event: ({ message, rate_limit_info }) => {
        const { rateLimitType, resetsAt, status: level, utilization } = rate_limit_info
        const metadata = {
          status: level,
          limit: rateLimitType,
          resets_at: resetsAt,
          utilization,
          ...(level === "rejected" && { limited: true })
        }
        return level === undefined || level === "allowed"
          ? [status("rate_limit", firstText(message), metadata)]
          : [{
            type: "quota_warning",
            text: firstText(message) ?? (level === "rejected"
              ? `The ${rateLimitType ?? "usage"} limit is reached.`
              : `The ${rateLimitType ?? "usage"} limit is nearly reached.`),
            metadata
          }]
      },
      control_request: ({ request }) => [status("control_request", string(request["subtype"]))],
      control_cancel_request: () => [status("control_cancel_request")],
      control_response: () => [status("control_response")]
    })
  )
