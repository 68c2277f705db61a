/** Notice: errors, warnings, and output that is not part of a protocol. */
import { Schema } from "effect"
import { event } from "./event.js"
import { present } from "./fields.js"

/** Error codes, for programs. The text is for people and says what to do next. */
export const ErrorCode = Schema.Literals([
  "bad_handshake",
  "unauthorized",
  "forbidden",
  "forbidden_folder",
  "folder_not_found",
  "unknown_tool",
  "session_not_found",
  "command_not_found",
  "auth_required",
  "agent_failed",
  "turn_failed",
  "bad_command",
  "too_large",
  "overloaded",
  "budget_exceeded",
  "gap",
  "in_use",
  "files_changed",
  "not_driving",
  "internal"
])
export type ErrorCode = typeof ErrorCode.Type

/** `metadata.fatal` is true when the session is over. */
export const ErrorEvent = event("error", {
  text: Schema.String,
  code: ErrorCode,
  message_id: present(Schema.String),
  request_id: present(Schema.String)
})
/** A rate limit or quota: `metadata` has limits and reset time (`resets_at`, Unix seconds), if known. */
export const QuotaWarning = event("quota_warning", { text: Schema.String })
/** The context window is nearly full; `context_pct` is 0 to 100. */
export const ContextWarning = event("context_warning", {
  context_pct: Schema.Finite,
  text: present(Schema.String)
})
export const ContextCompacted = event("context_compacted", { text: present(Schema.String) })
/** A line (for a terminal, a chunk) of the agent's output that is not part of its protocol. */
export const Stdout = event("stdout", { text: Schema.String })
export const Stderr = event("stderr", { text: Schema.String })
