/**
 * ClaudeMessage: what Claude Code prints, one JSON object per line (CLI 2.1, `--output-format stream-json`).
 *
 * Only the fields the relay reads are named; everything else stays in `raw`. Lenient on purpose: a message that does
 * not fit is passed on as a `status`, never an error.
 */
import { Schema } from "effect"
import { NativeBlock } from "../../schema/ContentBlock.js"
import { optional } from "../../schema/fields.js"

const text = optional(Schema.String)
const number = optional(Schema.Number)

/** Tokens of one model call. */
export const CallUsage = Schema.Struct({
  input_tokens: number,
  output_tokens: number,
  cache_read_input_tokens: number,
  cache_creation_input_tokens: number
})
export type CallUsage = typeof CallUsage.Type

export const System = Schema.Struct({
  type: Schema.Literal("system"),
  subtype: Schema.String,
  session_id: text,
  model: text,
  permissionMode: text,
  status: text,
  compact_result: text,
  compact_error: text,
  compact_metadata: optional(Schema.Record(Schema.String, Schema.Unknown)),
  attempt: number,
  max_retries: number,
  retry_delay_ms: number,
  error_status: number,
  error: text,
  task_id: text,
  tool_use_id: text,
  description: text,
  last_tool_name: text,
  summary: text,
  message: optional(Schema.Unknown),
  content: optional(Schema.Unknown)
})
export type System = typeof System.Type

export const Assistant = Schema.Struct({
  type: Schema.Literal("assistant"),
  message: Schema.Struct({
    id: text,
    model: text,
    content: Schema.Array(NativeBlock),
    usage: optional(CallUsage)
  }),
  parent_tool_use_id: text,
  error: text,
  supersedes: optional(Schema.Array(Schema.String))
})
export type Assistant = typeof Assistant.Type

export const User = Schema.Struct({
  type: Schema.Literal("user"),
  message: Schema.Struct({ content: Schema.Union([Schema.String, Schema.Array(NativeBlock)]) }),
  uuid: text,
  parent_tool_use_id: text,
  isReplay: optional(Schema.Boolean),
  isSynthetic: optional(Schema.Boolean),
  tool_use_result: optional(Schema.Unknown)
})
export type User = typeof User.Type

export const StreamEvent = Schema.Struct({
  type: Schema.Literal("stream_event"),
  event: Schema.Struct({
    type: Schema.String,
    index: number,
    content_block: optional(Schema.Struct({ type: Schema.String, id: text })),
    delta: optional(Schema.Struct({ type: text, text, thinking: text, partial_json: text })),
    message: optional(Schema.Struct({ id: text, usage: optional(CallUsage) })),
    usage: optional(CallUsage)
  }),
  parent_tool_use_id: text
})
export type StreamEvent = typeof StreamEvent.Type

export const ToolProgress = Schema.Struct({
  type: Schema.Literal("tool_progress"),
  tool_use_id: text,
  tool_name: text,
  parent_tool_use_id: text,
  elapsed_time_seconds: number
})

export const RateLimit = Schema.Struct({
  type: Schema.Literal("rate_limit_event"),
  rate_limit_info: Schema.Struct({
    status: Schema.String,
    resetsAt: number,
    rateLimitType: text,
    utilization: number
  })
})

export const Result = Schema.Struct({
  type: Schema.Literal("result"),
  subtype: Schema.String,
  is_error: optional(Schema.Boolean),
  api_error_status: number,
  result: text,
  errors: optional(Schema.Array(Schema.String)),
  stop_reason: text,
  terminal_reason: text,
  duration_ms: number,
  total_cost_usd: number,
  usage: optional(CallUsage),
  modelUsage: optional(Schema.Record(Schema.String, Schema.Struct({ contextWindow: number }))),
  origin: optional(Schema.Struct({ kind: text }))
})
export type Result = typeof Result.Type

export const ControlRequest = Schema.Struct({
  type: Schema.Literal("control_request"),
  request_id: Schema.String,
  request: Schema.StructWithRest(Schema.Struct({ subtype: Schema.String }), [
    Schema.Record(Schema.String, Schema.Unknown)
  ])
})
export type ControlRequest = typeof ControlRequest.Type

export const ControlCancel = Schema.Struct({
  type: Schema.Literal("control_cancel_request"),
  request_id: Schema.String
})

export const ControlResponse = Schema.Struct({
  type: Schema.Literal("control_response"),
  response: Schema.Struct({
    subtype: Schema.String,
    request_id: Schema.String,
    response: optional(Schema.Unknown),
    error: text
  })
})
export type ControlResponse = typeof ControlResponse.Type

export const ClaudeMessage = Schema.Union([
  System,
  Assistant,
  User,
  StreamEvent,
  ToolProgress,
  RateLimit,
  Result,
  ControlRequest,
  ControlCancel,
  ControlResponse
])
export type ClaudeMessage = typeof ClaudeMessage.Type

/** The tools whose result tells how a file changed: Write (`type: create|update`) and Edit. */
export const FileChange = Schema.Struct({
  filePath: Schema.String,
  type: text,
  content: text,
  structuredPatch: Schema.Array(Schema.Struct({
    oldStart: Schema.Number,
    oldLines: Schema.Number,
    newStart: Schema.Number,
    newLines: Schema.Number,
    lines: Schema.Array(Schema.String)
  }))
})

/** `can_use_tool`: may this tool run? */
export const CanUseTool = Schema.Struct({
  subtype: Schema.Literal("can_use_tool"),
  tool_name: Schema.String,
  display_name: text,
  input: Schema.Record(Schema.String, Schema.Unknown),
  description: text,
  title: text,
  decision_reason: text,
  blocked_path: text,
  agent_id: text,
  tool_use_id: text,
  permission_suggestions: optional(
    Schema.Array(Schema.Record(Schema.String, Schema.Unknown))
  )
})
export type CanUseTool = typeof CanUseTool.Type
