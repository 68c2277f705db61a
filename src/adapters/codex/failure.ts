/**
 * failure: what went wrong in a turn, what that means for the session, and what a person can do about it.
 */
import { Predicate } from "effect"
import type { BodyOf, StopReason } from "../../schema/index.js"
import { parseJson } from "../wire/JsonRpc.js"
import { wordsIn } from "../wire/words.js"
import type { TurnError } from "./CodexMessage.js"
import { codex } from "./descriptor.js"

/** `codexErrorInfo` is a string, or an object with that string as its only key. */
const causeOf = (
  { codexErrorInfo }: TurnError
): { readonly cause: string; readonly http_status?: number } => {
  if (codexErrorInfo === undefined) return { cause: "other" }
  if (typeof codexErrorInfo === "string") return { cause: codexErrorInfo }
  const [[cause, detail] = ["other", undefined]] = Object.entries(codexErrorInfo)
  const status = Predicate.hasProperty(detail, "httpStatusCode") ? detail.httpStatusCode : undefined
  return { cause, ...(typeof status === "number" && { http_status: status }) }
}

const quotaCauses = new Set(["usageLimitExceeded", "rateLimitExceeded", "sessionBudgetExceeded"])
const refusalCauses = new Set(["cyberPolicy", "bioPolicy", "misalignmentPolicyViolation"])
const passingCauses = new Set([
  "serverOverloaded",
  "flexUnavailable",
  "policyCapacityUnavailable",
  "internalServerError",
  "httpConnectionFailed",
  "responseStreamConnectionFailed",
  "responseStreamDisconnected",
  "responseTooManyFailedAttempts"
])

export interface Failure {
  readonly text: string
  readonly code: "auth_required" | "turn_failed"
  readonly stop_reason: StopReason
  readonly metadata: Readonly<Record<string, unknown>>
  /** A rate limit or quota. */
  readonly isQuota: boolean
  /** An account limit that will reset. */
  readonly isUsedUp: boolean
  /** The context window overflowed. */
  readonly isFull: boolean
}

/** For these two, Codex has only the API's own wording. */
const stopReasonOf = (message: string, cause: string): StopReason =>
  /reason: max_output_tokens/.test(message)
    ? "max_tokens"
    : refusalCauses.has(cause) || /reason: content_filter/.test(message)
    ? "refusal"
    : "error"

const adviceOf = (message: string, cause: string, http_status: number | undefined): string | undefined => {
  if (cause === "unauthorized" || http_status === 401) return codex.login
  if (cause === "contextWindowExceeded") return "Send /compact, or open a new session."
  if (cause === "modelNotFound" || http_status === 404) return "Choose another model with set_model."
  if (http_status === 429) return "Wait a little and send the prompt again."
  if (http_status === 403) return "Check that the account on the relay's machine may use this model."
  const isPassing = passingCauses.has(cause) || message.startsWith("stream disconnected")
  return isPassing ? "Send the prompt again." : undefined
}

/** The message of a model API's error that Codex passes on as JSON. */
const innerMessage = (text: string): string | undefined => {
  const inner = text.startsWith("{") ? wordsIn(parseJson(text)) : undefined
  return inner === undefined || inner.trim() === "" ? undefined : inner
}

export const toFailure = (error: TurnError): Failure => {
  const { cause, http_status } = causeOf(error)
  const message = (innerMessage(error.message) ?? error.message).trim()
  const advice = adviceOf(message, cause, http_status)
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`
  return {
    text: advice === undefined ? message : `${sentence} ${advice}`,
    code: advice === codex.login ? "auth_required" : "turn_failed",
    stop_reason: stopReasonOf(message, cause),
    metadata: { cause, ...(http_status !== undefined && { http_status }) },
    isQuota: quotaCauses.has(cause) || http_status === 429,
    isUsedUp: cause === "usageLimitExceeded",
    isFull: cause === "contextWindowExceeded"
  }
}

/** `limited`: the turn failed because of it. */
export const toQuotaWarning = (
  { metadata, text }: Failure,
  resets_at: number | undefined,
  limited: boolean
): BodyOf<"quota_warning"> => ({
  type: "quota_warning",
  text,
  metadata: { ...metadata, ...(resets_at !== undefined && { resets_at }), ...(limited && { limited }) }
})
