/**
 * CortexMessage: the messages in Snowflake's three streams: JSON objects in server-sent events.
 *
 * Only fields the relay reads are declared; everything else stays in `raw`. Decoding is lenient: a message
 * that does not match is passed on as a `status` and is never an error.
 */
import { Schema } from "effect"
import {
  amount,
  AnyObject,
  Blocks,
  id,
  items,
  number,
  optional,
  text,
  withFallback,
  words
} from "../wire/lenient.js"

/** A message that has not been decoded. */
export type Fields = typeof AnyObject.Type
export const readFields = Schema.decodeUnknownOption(Schema.fromJsonString(AnyObject))

// --- chat completions: unnamed events ----------------------------------------------------------------------------

export const ToolCallPiece = Schema.Struct({
  index: number,
  id: text,
  function: optional(Schema.Struct({ name: text, arguments: text }))
})
export type ToolCallPiece = typeof ToolCallPiece.Type

export const ChatUsage = Schema.Struct({
  prompt_tokens: number,
  completion_tokens: number,
  total_tokens: number,
  prompt_tokens_details: optional(Schema.Struct({ cached_tokens: number }))
})
export type ChatUsage = typeof ChatUsage.Type

export const ChatChunk = Schema.Struct({
  choices: optional(items(Schema.Struct({
    delta: optional(Schema.Struct({
      content: optional(words),
      refusal: optional(words),
      reasoning: optional(words),
      /** Thoughts in parts; encrypted parts have no text. */
      reasoning_details: optional(items(Schema.Struct({ text: optional(words), summary: optional(words) }))),
      tool_calls: optional(items(ToolCallPiece))
    })),
    finish_reason: text
  }))),
  usage: optional(ChatUsage)
})
export type ChatChunk = typeof ChatChunk.Type

// --- all three ---------------------------------------------------------------------------------------------------

/** An error inside an answer that began normally. */
export const StreamError = Schema.Struct({
  message: words,
  code: optional(Schema.Union([Schema.String, Schema.Finite])),
  request_id: text
})
export type StreamError = typeof StreamError.Type
/** The same in an unnamed event, as in chat. */
export const ChatError = Schema.Struct({ error: Schema.Union([StreamError, Schema.String]) })

// --- analyst -----------------------------------------------------------------------------------------------------

export const AnalystStatus = Schema.Struct({
  status: withFallback(Schema.String, "status"),
  status_message: text
})
export type AnalystStatus = typeof AnalystStatus.Type
export const AnalystDelta = Schema.Struct({
  index: withFallback(Schema.Finite, 0),
  type: text,
  text_delta: text,
  statement_delta: text,
  confidence: optional(Schema.Unknown),
  suggestions_delta: optional(Schema.Struct({
    index: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 999 }))),
    suggestion_delta: words
  }))
})
export type AnalystDelta = typeof AnalystDelta.Type
export const Warnings = Schema.Struct({
  warnings: withFallback(items(Schema.Struct({ message: words })), [])
})

// --- agents ------------------------------------------------------------------------------------------------------

export const AgentStatus = Schema.Struct({ status: withFallback(Schema.String, "status"), message: text })
export const AgentText = Schema.Struct({ content_index: number, text: words })
export const AgentWarning = Schema.Struct({ message: words, code: text })

export const ToolUse = Schema.Struct({
  tool_use_id: id,
  type: text,
  name: text,
  input: optional(Schema.Unknown),
  /** The reference also shows it as a string. */
  client_side_execute: optional(Schema.Union([Schema.Boolean, Schema.String])),
  permission: optional(Schema.Struct({ options: optional(items(Schema.String)) }))
})
export type ToolUse = typeof ToolUse.Type

export const ToolOutcome = Schema.Struct({
  tool_use_id: id,
  type: text,
  name: text,
  content: optional(items(AnyObject)),
  status: text
})
export type ToolOutcome = typeof ToolOutcome.Type

export const ToolStatus = Schema.Struct({ tool_use_id: text, status: text, message: text })
export const AnalystToolDelta = Schema.Struct({
  tool_use_id: text,
  delta: withFallback(
    Schema.Struct({
      text,
      think: text,
      sql: text,
      sql_explanation: text,
      query_id: text,
      suggestions: optional(Schema.Struct({ delta: text }))
    }),
    {}
  )
})
export type AnalystToolDelta = typeof AnalystToolDelta.Type

/** Suggested next questions: strings, or objects that contain one. */
export const SuggestedQueries = Schema.Struct({
  suggested_queries: withFallback(Schema.Array(Schema.Unknown), [])
})

/** A table or chart: a block of the answer. */
export const Figure = Schema.Struct({ content_index: number, tool_use_id: text, query_id: text, title: text })

const TokensConsumed = Schema.Struct({
  model_name: text,
  /** `total` includes what was read from the cache and written into it. */
  input_tokens: optional(Schema.Struct({ total: amount, cache_read: amount, cache_write: amount })),
  output_tokens: optional(Schema.Struct({ total: number })),
  context_window: number
})
export type TokensConsumed = typeof TokensConsumed.Type

/** The whole answer repeated at the end. */
export const AgentResponse = Schema.Struct({
  content: optional(Blocks),
  status: text,
  metadata: optional(Schema.Struct({
    run_id: text,
    usage: optional(Schema.Struct({ tokens_consumed: optional(items(TokensConsumed)) }))
  }))
})
export type AgentResponse = typeof AgentResponse.Type
