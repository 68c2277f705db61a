/**
 * translate: what each of Claude's messages means, as events. Synchronous and without effects; what it remembers of a
 * conversation is in `ClaudeState`. The first event of a message carries the native line as `raw`.
 */
import { Match, Option, Schema } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import { type BodyOf, type EventBody, textOf } from "../../schema/index.js"
import { makeContextMeter } from "../wire/contextMeter.js"
import { createdDiff, editedDiff } from "../wire/unifiedDiff.js"
import { type Assistant, type ClaudeMessage, FileChange, type System, type User } from "./ClaudeMessage.js"
import { translateResult } from "./result.js"
import { inputTokensOf, makeStreamState, type StreamState, translateStreamEvent } from "./streamEvent.js"

/** What the relay remembers of one conversation. */
export interface ClaudeState extends StreamState {
  model: string | undefined
  cost: number
  /** The `uuid` of a prompt Claude has not taken up yet. */
  unread_prompt: string | undefined
  /** Tool calls of background tasks, by task id. */
  readonly tasks: Map<string, string>
  readonly warn: ReturnType<typeof makeContextMeter>
  /** A turn runs, as the session sees it. */
  readonly inTurn: () => boolean
}

export const makeState = (inTurn: () => boolean): ClaudeState => ({
  ...makeStreamState(),
  model: undefined,
  cost: 0,
  unread_prompt: undefined,
  tasks: new Map(),
  warn: makeContextMeter(),
  inTurn
})

type Events = ReadonlyArray<EventBody>

const string = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

const status = (
  name: string,
  text?: string,
  metadata?: Readonly<Record<string, unknown>>
): BodyOf<"status"> => ({
  type: "status",
  status: name,
  ...(text !== undefined && { text }),
  ...(metadata !== undefined && { metadata })
})

const limits = new Set(["rate_limit", "overloaded", "billing_error"])

const retry = (
  { attempt, error, error_status, max_retries, retry_delay_ms, subtype }: System
): BodyOf<"status" | "quota_warning"> => {
  const text =
    `The model API answered ${error ?? "with an error"}${error_status ? ` (${error_status})` : ""}; `
    + `Claude Code tries again (${attempt ?? "?"} of ${max_retries ?? "?"}).`
  const limited = limits.has(error ?? "") || error_status === 429 || error_status === 529
  return limited
    ? { type: "quota_warning", text, metadata: { error, error_status, retry_delay_ms } }
    : status(subtype, text)
}

const init = (message: System, state: ClaudeState): Events => {
  state.model = message.model
  const told = status("init", undefined, {
    native_session_id: message.session_id,
    model: message.model,
    permission_mode: message.permissionMode
  })
  // It opens every turn; outside of one Claude began it by itself (a background task has finished).
  return state.inTurn() ? [told] : [{ type: "turn_start" }, told]
}

const systemStatus = (message: System): Events => {
  if (message.compact_result === "failed") {
    return [{
      type: "error",
      code: "turn_failed",
      text: message.compact_error ?? "The context could not be compacted."
    }]
  }
  const mode = message.permissionMode
  return [status(
    message.status ?? (mode === undefined ? "ready" : "permission_mode"),
    undefined,
    mode === undefined ? undefined : { permission_mode: mode }
  )]
}

const system = (message: System, state: ClaudeState): Events => {
  const { subtype, task_id, tool_use_id } = message
  if (task_id !== undefined && tool_use_id !== undefined) state.tasks.set(task_id, tool_use_id)
  switch (subtype) {
    case "init":
      return init(message, state)
    case "status":
      return systemStatus(message)
    case "api_retry":
      return [retry(message)]
    case "compact_boundary":
      return [{ type: "context_compacted", metadata: message.compact_metadata ?? {} }]
    case "task_progress": {
      const task = tool_use_id ?? state.tasks.get(task_id ?? "")
      const text = message.description ?? message.last_tool_name ?? ""
      return [{ type: "tool_progress", text, ...(task !== undefined && { tool_use_id: task }) }]
    }
    default: {
      const text = message.summary ?? message.description ?? string(message.message) ??
        string(message.content)
      return [status(subtype, text, task_id === undefined ? undefined : { task_id })]
    }
  }
}

/** A subagent's messages name the tool call that started it. */
const thread = (parent: string | undefined) =>
  parent === undefined ? {} : { metadata: { parent_tool_use_id: parent } }

const blockEvents = (block: NativeBlock, parent: string | undefined): Events => {
  const id = string(block["id"])
  const tool = string(block["name"])
  if (block.type === "thinking") {
    return [{ type: "reasoning", text: string(block["thinking"]) ?? "", ...thread(parent) }]
  }
  if (block.type === "tool_use" && id !== undefined && tool !== undefined) {
    return [{ type: "tool_call", tool, tool_use_id: id, args: block["input"] ?? {}, ...thread(parent) }]
  }
  return []
}

const assistant = (
  { error, message, parent_tool_use_id: parent, supersedes }: Assistant,
  state: ClaudeState
): Events => {
  if (parent === undefined && message.usage !== undefined) {
    state.context_tokens = Math.max(state.context_tokens, inputTokensOf(message.usage))
  }
  const text = textOf(message.content)
  const metadata = {
    ...thread(parent).metadata,
    ...(error !== undefined && { error }),
    ...(supersedes !== undefined && { supersedes })
  }
  return [
    {
      type: "assistant_message",
      content: message.content,
      ...(text !== "" && { text }),
      ...(Object.keys(metadata).length > 0 && { metadata })
    },
    ...message.content.flatMap((block) => blockEvents(block, parent))
  ]
}

const readFileChange = Schema.decodeUnknownOption(FileChange)

const fileDiff = (result: unknown, tool_use_id: string): Events =>
  Option.match(readFileChange(result), {
    onNone: () => [],
    onSome: ({ content, filePath, structuredPatch, type }) => [{
      type: "file_diff",
      file_path: filePath,
      diff: type === "create" ? createdDiff(filePath, content ?? "") : editedDiff(filePath, structuredPatch),
      tool_use_id
    }]
  })

const resultText = (content: unknown): string | undefined =>
  Array.isArray(content) ? textOf(content) : string(content)

const toolResult = (block: NativeBlock, message: User): Events => {
  const tool_use_id = string(block["tool_use_id"])
  if (block.type !== "tool_result" || tool_use_id === undefined) return []
  const text = resultText(block["content"])
  return [
    {
      type: "tool_result",
      tool_use_id,
      status: block["is_error"] === true ? "error" : "ok",
      content: block["content"],
      ...(text !== undefined && { text }),
      ...thread(message.parent_tool_use_id)
    },
    ...fileDiff(message.tool_use_result, tool_use_id)
  ]
}

const user = (message: User, state: ClaudeState): Events => {
  if (message.uuid !== undefined && message.uuid === state.unread_prompt) state.unread_prompt = undefined
  const { content } = message.message
  const blocks: ReadonlyArray<NativeBlock> = typeof content === "string"
    ? [{ type: "text", text: content }]
    : content
  const text = textOf(blocks)
  const metadata = {
    ...thread(message.parent_tool_use_id).metadata,
    ...(message.uuid !== undefined && { uuid: message.uuid }),
    ...(message.isReplay === true && { replay: true }),
    ...(message.isSynthetic === true && { synthetic: true })
  }
  return [
    { type: "user_message", content: blocks, ...(text !== "" && { text }), metadata },
    ...blocks.flatMap((block) => toolResult(block, message))
  ]
}

const result = (message: Extract<ClaudeMessage, { type: "result" }>, state: ClaudeState): Events => {
  // A background task's own turn, finished before Claude has seen the prompt that was sent meanwhile.
  if (message.origin?.kind === "task-notification" && state.unread_prompt !== undefined) {
    return [status("task_result", message.result)]
  }
  const events = translateResult(message, { ...state, cost_before: state.cost }, state.warn)
  state.cost = message.total_cost_usd ?? state.cost
  state.unread_prompt = undefined
  return events
}

/** Events of a message; control messages are the adapter's affair. */
export const translate = (message: ClaudeMessage, state: ClaudeState): Events =>
  Match.value(message).pipe(
    Match.withReturnType<Events>(),
    Match.discriminatorsExhaustive("type")({
      system: (message) => system(message, state),
      assistant: (message) => assistant(message, state),
      user: (message) => user(message, state),
      stream_event: (message) => [translateStreamEvent(message, state)],
      result: (message) => result(message, state),
      tool_progress: ({ elapsed_time_seconds, parent_tool_use_id, tool_name, tool_use_id }) => {
        // Bash reports under a name of its own; the call's id is in the parent field.
        const id = tool_use_id?.startsWith("bash-progress-") === true ? parent_tool_use_id : tool_use_id
        return [{
          type: "tool_progress",
          text: `${elapsed_time_seconds ?? 0} s`,
          ...(id !== undefined && { tool_use_id: id }),
          ...(tool_name !== undefined && { tool: tool_name })
        }]
      },
      rate_limit_event: ({ rate_limit_info: { rateLimitType, resetsAt, status: level, utilization } }) => {
        const metadata = { status: level, limit: rateLimitType, resets_at: resetsAt, utilization }
        return level === "allowed"
          ? [status("rate_limit", undefined, metadata)]
          : [{
            type: "quota_warning",
            text: level === "rejected"
              ? `The ${rateLimitType ?? "usage"} limit is reached.`
              : `The ${rateLimitType ?? "usage"} limit is nearly reached.`,
            metadata
          }]
      },
      control_request: ({ request }) => [status("control_request", request.subtype)],
      control_cancel_request: () => [status("control_cancel_request")],
      control_response: () => [status("control_response")]
    })
  )
