/** Lifecycle: how sessions and turns begin and end, and how commands are acknowledged. */
import { Schema } from "effect"
import { event } from "./event.js"
import { present } from "./fields.js"
import { RequestId } from "./Ids.js"

export const StopReason = Schema.Literals([
  "end_turn",
  "max_tokens",
  "max_turn_requests",
  "refusal",
  "cancelled",
  "error"
])
export type StopReason = typeof StopReason.Type

/** A turn's usage, as far as the agent reports it. Tokens are counts; `cost_usd` is for this turn alone. */
export const Usage = Schema.Struct({
  input_tokens: present(Schema.Finite),
  output_tokens: present(Schema.Finite),
  cached_input_tokens: present(Schema.Finite),
  /** Input tokens written to the cache; not included in `input_tokens`. */
  cache_write_tokens: present(Schema.Finite),
  /** Tokens in the context window after the turn. */
  context_tokens: present(Schema.Finite),
  context_window: present(Schema.Finite),
  cost_usd: present(Schema.Finite),
  duration_ms: present(Schema.Finite)
})
export type Usage = typeof Usage.Type

/** The agent is ready, or this client has attached. */
export const SessionStart = event("session_start", {})
/** The agent is gone. `metadata.signal` if a signal ended it, `metadata.stderr` if it failed. */
export const SessionEnd = event("session_end", {
  exit_code: present(Schema.Int),
  text: present(Schema.String)
})
/** A turn began; `text` and `message_id` are absent if the agent began it by itself. */
export const TurnStart = event("turn_start", {
  text: present(Schema.String),
  message_id: present(Schema.String)
})
/** The last event of a turn; exactly one per `turn_start`. */
export const TurnEnd = event("turn_end", {
  stop_reason: StopReason,
  usage: present(Usage),
  context_pct: present(Schema.Finite)
})
/** The relay delivered a command to the agent, queued it, or had it already. */
export const InputAck = event("input_ack", {
  status: Schema.Literals(["sent", "queued", "duplicate", "cancelled"]),
  text: present(Schema.String),
  message_id: present(Schema.String)
})
/** A native status or control event; `status` is its name. */
export const Status = event("status", { status: Schema.String, text: present(Schema.String) })
/** A request of the agent or of a client is settled. */
export const ControlSettled = event("control_response", {
  request_id: RequestId,
  status: Schema.Literals(["allow", "deny", "ok", "error"]),
  text: present(Schema.String),
  content: present(Schema.Unknown)
})
/** The request no longer needs an answer. */
export const PermissionCancelled = event("permission_cancelled", {
  request_id: RequestId,
  text: present(Schema.String)
})
