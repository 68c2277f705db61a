/**
 * translate: what each of Claude's messages means, as events. Synchronous and without effects; what it remembers of a
 * conversation is in `ClaudeState`. The first event of a message carries the native line as `raw`.
 */
import { Match, Option, Schema } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"
import { type BodyOf, type EventBody, textOf } from "../../schema/index.js"
import { status } from "../wire/statusEvent.js"
import { createdDiff, editedDiff } from "../wire/unifiedDiff.js"
import {
  type Assistant,
  type ClaudeMessage,
  FileChange,
  type StreamEvent,
  type User
} from "./ClaudeMessage.js"
import type { ClaudeState } from "./ClaudeState.js"
import { translateResult } from "./result.js"
import { inputTokensOf, translateStreamEvent } from "./streamEvent.js"
import { translateSystem } from "./system.js"

type Events = ReadonlyArray<EventBody>

const string = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

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
  const usage = message.id !== undefined && message.usage !== undefined
    ? state.calls.whole(message.id, message.usage)
    : undefined
  const metadata = {
    ...(usage !== undefined && { usage }),
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

/** The end of a model call says what it used. */
const withUsage = (
  told: BodyOf<"stream_event">,
  { event, parent_tool_use_id: thread = "" }: StreamEvent,
  { calls }: ClaudeState
): BodyOf<"stream_event"> => {
  const { message, type, usage } = event
  if (type === "message_start" && message?.id !== undefined) {
    calls.begin(thread, message.id, message.usage ?? {})
  }
  const used = type === "message_delta" && usage !== undefined ? calls.update(thread, usage) : undefined
  return used === undefined ? told : { ...told, metadata: { ...told.metadata, usage: used } }
}

const result = (message: Extract<ClaudeMessage, { type: "result" }>, state: ClaudeState): Events => {
  // A background task's own turn, finished before Claude has seen the prompt that was sent meanwhile.
  if (message.origin?.kind === "task-notification" && state.unread_prompt !== undefined) {
    return [status("task_result", message.result)]
  }
  const events = translateResult(message, { ...state, cost_before: state.cost }, state.warn)
  state.cost = message.total_cost_usd ?? state.cost
  state.unread_prompt = undefined
  state.calls.reset()
  return events
}

/** Events of a message; control messages are the adapter's affair. */
export const translate = (message: ClaudeMessage, state: ClaudeState): Events =>
  Match.value(message).pipe(
    Match.withReturnType<Events>(),
    Match.discriminatorsExhaustive("type")({
      system: (message) => translateSystem(message, state),
      assistant: (message) => assistant(message, state),
      user: (message) => user(message, state),
      stream_event: (message) => [withUsage(translateStreamEvent(message, state), message, state)],
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
