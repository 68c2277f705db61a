/**
 * failures: what each API answers when a script says `fail`, in the shape its CLIs look into.
 */

import { type HttpFailure, newId, typedFrame } from "./Dialect.js"
import type { FailOptions, Failure } from "./script.js"

type Names = Readonly<Record<number, string>>

const statusOf = (failure: Failure): number =>
  failure === "prompt_too_long" ? 400 : failure === "usage_limit" ? 429 : failure

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600

const anthropicTypes: Names = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error"
}

export const anthropicFailure = (failure: Failure, options: FailOptions): HttpFailure => {
  const status = statusOf(failure)
  const type = options.type ?? anthropicTypes[status] ?? "api_error"
  const said = failure === "prompt_too_long"
    ? "prompt is too long: 210000 tokens > 200000 maximum"
    : `scripted ${type}`
  const body = { type: "error", error: { type, message: options.message ?? said }, request_id: newId("req") }
  // A subscription that is used up; with an API key Claude Code shows it as any 429.
  const unified = {
    "anthropic-ratelimit-unified-status": "rejected",
    "anthropic-ratelimit-unified-reset": String(inAnHour()),
    "anthropic-ratelimit-unified-representative-claim": "five_hour"
  }
  const headers = { ...(failure === "usage_limit" ? unified : {}), ...options.headers }
  return { status, headers, body, frame: { event: "error", data: body } }
}

const openaiTypes: Names = {
  400: "invalid_request_error",
  401: "invalid_api_key",
  429: "rate_limit_exceeded",
  503: "server_is_overloaded"
}

const openaiSaid = {
  prompt_too_long: {
    type: "context_length_exceeded",
    message: "Your input exceeds the context window of this model."
  },
  usage_limit: { type: "usage_limit_reached", message: "The usage limit has been reached" }
}

export const openaiFailure = (failure: Failure, options: FailOptions): HttpFailure => {
  const status = statusOf(failure)
  const said = typeof failure === "number" ? undefined : openaiSaid[failure]
  const type = options.type ?? said?.type ?? openaiTypes[status] ?? "server_error"
  const message = options.message ?? said?.message ?? `scripted ${type}`
  const resets = failure === "usage_limit" ? { plan_type: "plus", resets_at: inAnHour() } : {}
  const error = { code: type, message }
  return {
    status,
    headers: { ...options.headers },
    body: { error: { type, ...error, param: null, ...resets } },
    frame: typedFrame("response.failed", {
      response: { id: newId("resp"), object: "response", status: "failed", error }
    }),
    inStream: failure === "prompt_too_long"
  }
}

/** Over Chat Completions the same failures are plain answers, never said inside a stream. */
export const openaiChatFailure = (failure: Failure, options: FailOptions): HttpFailure => {
  const { inStream: _, ...failed } = openaiFailure(failure, options)
  return { ...failed, frame: { data: failed.body } }
}

const geminiStatuses: Names = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE"
}

// A daily quota is final for Gemini CLI; any other 429 it may try again.
const dailyQuota = {
  "@type": "type.googleapis.com/google.rpc.QuotaFailure",
  violations: [{ quotaMetric: "generate_requests", quotaId: "GenerateRequestsPerDayPerProjectPerModel" }]
}

export const geminiFailure = (failure: Failure, options: FailOptions): HttpFailure => {
  const code = statusOf(failure)
  const status = options.type ?? geminiStatuses[code] ?? "INTERNAL"
  const said = failure === "prompt_too_long"
    ? "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576)."
    : `scripted ${status}`
  const details = failure === "usage_limit" ? [dailyQuota] : []
  const body = { error: { code, message: options.message ?? said, status, details } }
  return { status: code, headers: { ...options.headers }, body, frame: { data: body } }
}
