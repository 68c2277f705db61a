/**
 * ClaudeMessage: what Claude Code prints, one JSON object per line (CLI 2.1, `--output-format stream-json`).
 *
 * Only fields the relay reads are declared; everything else stays in `raw`. Decoding is lenient: a message
 * that does not match is passed on as a `status` and is never an error.
 */
import { Option, Predicate, Schema, SchemaGetter } from "effect"
import { parseJson } from "../wire/JsonRpc.js"
import {
  amount,
  AnyObject,
  Blocks,
  fieldsOf,
  flag,
  id,
  items,
  moment,
  number,
  optional,
  text,
  withFallback,
  words
} from "../wire/lenient.js"

/** The id of another object. */
const reference = optional(id)
const unknown = optional(Schema.Unknown)
/** Returned unchanged. */
const anything = Schema.optionalKey(Schema.Unknown)

/** Token counts of one model call. */
export const CallUsage = Schema.Struct({
  input_tokens: amount,
  output_tokens: amount,
  cache_read_input_tokens: amount,
  cache_creation_input_tokens: amount
})
export type CallUsage = typeof CallUsage.Type

/** Open-ended: text for people is in fields of many names. */
export const System = Schema.StructWithRest(
  Schema.Struct({
    type: Schema.Literal("system"),
    subtype: withFallback(Schema.String, "system"),
    session_id: text,
    parent_tool_use_id: reference,
    model: text,
    permissionMode: text,
    status: text,
    compact_result: text,
    compact_error: text,
    compact_metadata: optional(AnyObject),
    attempt: number,
    max_retries: number,
    retry_delay_ms: number,
    error_status: number,
    task_id: reference,
    tool_use_id: reference,
    elicitation_id: reference
  }),
  [Schema.Record(Schema.String, Schema.Unknown)]
)
export type System = typeof System.Type

/** A message and its role; bare content is accepted. */
const toMessage = (value: unknown): unknown => {
  if (!Predicate.isObject(value) || Array.isArray(value)) return { content: value }
  return "content" in value || !("text" in value) ? value : { ...value, content: value["text"] }
}
const said = <A, I>(message: Schema.Codec<A, I>) =>
  Schema.Unknown.pipe(
    Schema.decodeTo(message, {
      decode: SchemaGetter.transform((value: unknown) => toMessage(value) as I), // Mismatches are dropped.
      encode: SchemaGetter.transform((message: I): unknown => message)
    })
  )

export const Assistant = Schema.Struct({
  type: Schema.Literal("assistant"),
  message: withFallback(
    said(Schema.Struct({
      id: text,
      model: text,
      content: withFallback(Blocks, []),
      stop_reason: text,
      usage: optional(CallUsage)
    })),
    { content: [] }
  ),
  parent_tool_use_id: reference,
  error: text,
  /** It was cut off by an interrupt. */
  aborted: flag,
  supersedes: optional(items(Schema.String))
})
export type Assistant = typeof Assistant.Type

export const User = Schema.Struct({
  type: Schema.Literal("user"),
  message: withFallback(said(Schema.Struct({ content: withFallback(Blocks, []) })), { content: [] }),
  uuid: text,
  parent_tool_use_id: reference,
  isReplay: flag,
  isSynthetic: flag,
  tool_use_result: unknown
})
export type User = typeof User.Type

export const StreamEvent = Schema.Struct({
  type: Schema.Literal("stream_event"),
  event: withFallback(
    Schema.Struct({
      type: text,
      index: number,
      content_block: optional(Schema.Struct({ type: text, id: reference })),
      delta: optional(
        Schema.Struct({ type: text, text, thinking: text, partial_json: text, stop_reason: text })
      ),
      message: optional(Schema.Struct({ id: text, usage: optional(CallUsage) })),
      usage: optional(CallUsage)
    }),
    {}
  ),
  parent_tool_use_id: reference
})
export type StreamEvent = typeof StreamEvent.Type

export const ToolProgress = Schema.Struct({
  type: Schema.Literal("tool_progress"),
  tool_use_id: reference,
  tool_name: text,
  parent_tool_use_id: reference,
  elapsed_time_seconds: amount,
  /** A subagent's model call is tried again. */
  subagent_retry: optional(
    Schema.Struct({ attempt: number, max_retries: number, error_status: number, error_category: text })
  ),
  message: optional(words)
})

export const RateLimit = Schema.Struct({
  type: Schema.Literal("rate_limit_event"),
  message: optional(words),
  rate_limit_info: withFallback(
    Schema.Struct({ status: text, resetsAt: moment, rateLimitType: text, utilization: number }),
    {}
  )
})

/** What the calls to one model have used. */
const ModelUsage = Schema.Struct({
  inputTokens: amount,
  outputTokens: amount,
  cacheReadInputTokens: amount,
  cacheCreationInputTokens: amount,
  costUSD: amount
})
export type ModelUsage = typeof ModelUsage.Type

export const Result = Schema.Struct({
  type: Schema.Literal("result"),
  subtype: text,
  is_error: flag,
  api_error_status: number,
  result: optional(words),
  structured_output: unknown,
  errors: unknown,
  error: unknown,
  message: unknown,
  stop_reason: text,
  terminal_reason: text,
  duration_ms: amount,
  total_cost_usd: amount,
  usage: optional(CallUsage),
  modelUsage: optional(fieldsOf(Schema.Struct({ contextWindow: amount }))),
  /** Of all threads (2.1.3xx and later); `usage` has only the main one's. */
  model_usage_since_last_result: optional(fieldsOf(ModelUsage)),
  origin: optional(Schema.Struct({ kind: text }))
})
export type Result = typeof Result.Type

/** Every request is answered, so no field has to be of a certain type. */
export const ControlRequest = Schema.Struct({
  type: Schema.Literal("control_request"),
  request_id: anything,
  request: withFallback(AnyObject, {})
})
export type ControlRequest = typeof ControlRequest.Type

export const ControlCancel = Schema.Struct({
  type: Schema.Literal("control_cancel_request"),
  request_id: unknown
})

export const ControlResponse = Schema.Struct({
  type: Schema.Literal("control_response"),
  response: withFallback(
    Schema.Struct({ subtype: text, request_id: text, response: unknown, error: unknown }),
    {}
  )
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

/** Keep-alives and internal bookkeeping, by `type` or by a system message's `subtype`; never reported. */
export const noNews: ReadonlySet<string> = new Set(["keep_alive", "command_lifecycle", "transcript_mirror"])

const decode = Schema.decodeUnknownOption(ClaudeMessage)

/** A line as an object; undefined for anything else. */
export const readFields = (line: string): Readonly<Record<string, unknown>> | undefined => {
  const value = parseJson(line)
  return Predicate.isObject(value) ? value : undefined
}

/**
 * Guesses the kind from the fields if `type` is not a string: no request may stay unanswered and no turn
 * without an end.
 */
const kindOf = (fields: Readonly<Record<string, unknown>>): string | undefined => {
  if ("request" in fields) return "control_request"
  if ("response" in fields) return "control_response"
  if ("num_turns" in fields || "total_cost_usd" in fields || "permission_denials" in fields) return "result"
  if ("event" in fields) return "stream_event"
  const { message } = fields
  if (!Predicate.isObject(message)) return "subtype" in fields ? "system" : undefined
  return message["role"] === "assistant" || message["role"] === "user" ? message["role"] : undefined
}

/** Kinds something waits for, whatever they are called. */
const waitedFor: ReadonlySet<string | undefined> = new Set(["control_request", "result"])

/** A message of a known kind. */
export const readMessage = (fields: Readonly<Record<string, unknown>>): ClaudeMessage | undefined => {
  const { type } = fields
  const known = typeof type === "string" ? Option.getOrUndefined(decode(fields)) : undefined
  const kind = kindOf(fields)
  return known !== undefined || (typeof type === "string" && type !== "" && !waitedFor.has(kind))
    ? known
    : Option.getOrUndefined(decode({ ...fields, type: kind }))
}

const Hunk = Schema.Struct({
  oldStart: Schema.Number,
  oldLines: Schema.Number,
  newStart: Schema.Number,
  newLines: Schema.Number,
  lines: Schema.Array(Schema.String)
})

/** Tools whose result says how a file changed: Write (`type: create|update`), Edit, MultiEdit, NotebookEdit. */
export const FileChange = Schema.Struct({
  filePath: text,
  notebook_path: text,
  type: text,
  content: text,
  oldString: optional(Schema.String),
  newString: optional(Schema.String),
  replaceAll: flag,
  edits: optional(items(Schema.Struct({
    oldString: text,
    newString: text,
    replaceAll: flag,
    old_string: text,
    new_string: text,
    replace_all: flag
  }))),
  originalFile: text,
  original_file: text,
  originalFileContents: text,
  updated_file: text,
  structuredPatch: optional(items(Hunk)),
  /** Held for review: the file is unchanged. */
  staged: flag
})
export type FileChange = typeof FileChange.Type

/** `can_use_tool`: may this tool run? */
export const CanUseTool = Schema.Struct({
  subtype: Schema.Literal("can_use_tool"),
  tool_name: withFallback(Schema.String, "tool"),
  display_name: text,
  input: unknown,
  description: text,
  title: text,
  decision_reason: text,
  blocked_path: text,
  agent_id: reference,
  tool_use_id: reference,
  permission_suggestions: optional(items(AnyObject)),
  suppress_always_allow_rule: flag
})
export type CanUseTool = typeof CanUseTool.Type

/** `elicitation`: an MCP server behind Claude asks a person to fill in a form or open a link. */
export const Elicitation = Schema.Struct({
  subtype: Schema.Literal("elicitation"),
  mcp_server_name: text,
  message: text,
  mode: text,
  url: text,
  elicitation_id: text,
  title: text,
  description: text,
  requested_schema: unknown
})
export type Elicitation = typeof Elicitation.Type
