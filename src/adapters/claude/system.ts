/** system: what Claude's `system` messages mean: the start of a turn, retries, modes, compaction, background tasks. */
import type { BodyOf, EventBody } from "../../schema/index.js"
import { status } from "../wire/statusEvent.js"
import type { System } from "./ClaudeMessage.js"
import type { ClaudeState } from "./ClaudeState.js"

type Events = ReadonlyArray<EventBody>

const string = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

const limits = new Set(["rate_limit", "overloaded", "billing_error"])

const retry = (
  { attempt, error, error_status, max_retries, retry_delay_ms, subtype }: System
): BodyOf<"status" | "quota_warning"> => {
  const text =
    `The model API answered ${error ?? "with an error"}${error_status ? ` (${error_status})` : ""}; `
    + `Claude Code tries again (${attempt ?? "?"} of ${max_retries ?? "?"}).`
  const limited = limits.has(error ?? "") || error_status === 429 || error_status === 529
  return limited
    ? { type: "quota_warning", text, metadata: { error, error_status, retry_delay_ms, attempt, max_retries } }
    : status(subtype, text, { error, error_status, retry_delay_ms, attempt, max_retries })
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

export const translateSystem = (message: System, state: ClaudeState): Events => {
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
