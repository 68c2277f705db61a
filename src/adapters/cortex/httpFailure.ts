/**
 * httpFailure: the meaning of an HTTP status other than 200, with advice.
 *
 * Only 429 (rate limit) and 503 (the model took too long) are retried automatically.
 */
import { Clock, Effect, Option } from "effect"
import type { ErrorCode } from "../../schema/index.js"
import { firstText, wordsIn } from "../wire/words.js"
import { type Fields, readFields } from "./CortexMessage.js"
import { isThrottled, isTooLong, quoted, RequestFailed, toRaw } from "./RequestFailed.js"

const messageOf = (body: Fields | undefined): string =>
  quoted(firstText(body?.["message"]) ?? wordsIn(body) ?? "")

interface Refusal {
  readonly what: string
  readonly advice: string
  readonly code?: ErrorCode
  readonly quota?: boolean
  readonly full?: boolean
  readonly retry?: boolean
}

const budget = "Ask the account's administrator, or wait until the budget is renewed."

const toRefusal = (status: number, said: string): Refusal => {
  if (status === 200) {
    return {
      what: "Snowflake's answer is not an event stream",
      advice: "Check `snowflake.account_url`: something else may have answered."
    }
  }
  if (status === 401 || status === 403) {
    return {
      code: "auth_required",
      what: status === 401
        ? "Snowflake refused the token"
        : "Snowflake does not allow this for the token's role",
      advice:
        "Check that the token has not expired, that a network policy applies to its user (a programmatic "
        + "access token does not work without one), and that its role has SNOWFLAKE.CORTEX_USER and may use what "
        + "was asked for. A new token goes into the relay's SNOWFLAKE_PAT or into `snowflake.token`."
    }
  }
  if (status >= 300 && status < 400) {
    return {
      what: "Snowflake redirected the request, and tokens are not sent to another address",
      advice: "Set `snowflake.account_url` to the account's own URL."
    }
  }
  if (status === 402) return { what: "The budget for Cortex is used up", advice: budget, quota: true }
  if (status === 404) {
    return {
      what: "Snowflake does not know what was asked for",
      advice:
        "Check `snowflake.agent` and `snowflake.account_url`, and that the token's role may see the agent."
    }
  }
  if (status === 413) return { what: "The request is too large", advice: "Send less text or fewer images." }
  if (status === 429) {
    return { what: "Snowflake's rate limit is reached", advice: "Wait a minute.", quota: true, retry: true }
  }
  if (status === 503) {
    return { what: "The model did not answer in time", advice: "Send the prompt again.", retry: true }
  }
  if (status === 400 && isThrottled(said)) {
    return { what: "The model is overloaded", advice: "Wait a minute, or set another model.", quota: true }
  }
  if (isTooLong(said)) {
    return {
      what: "The conversation no longer fits into the model's context",
      advice: "Open a new session, or set a model with a larger context.",
      full: true
    }
  }
  return status === 400
    ? { what: "Snowflake did not accept the request", advice: "Check the model and the `snowflake` options." }
    : { what: "Snowflake failed", advice: "Send the prompt again." }
}

/** A whole number of seconds, or a date. */
const toMillis = (retry_after: string | undefined, now: number): number | undefined => {
  if (retry_after === undefined) return undefined
  if (/^\d+$/.test(retry_after.trim())) return Number(retry_after) * 1000
  const date = Date.parse(retry_after)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** The failure for an answer other than 200. */
export const toHttpFailure = Effect.fnUntraced(
  function*(status: number, retry_after: string | undefined, body: string) {
    const message = Option.getOrUndefined(readFields(body))
    const said = messageOf(message)
    const { advice, code = "turn_failed", what, ...rest } = toRefusal(status, said)
    const retry_after_ms = toMillis(retry_after, yield* Clock.currentTimeMillis)
    return new RequestFailed({
      ...rest,
      code,
      status,
      text: `${what} (HTTP ${status}${said === "" ? "" : `: ${said}`}). ${advice}`,
      metadata: { http_status: status },
      ...(retry_after_ms !== undefined && { retry_after_ms }),
      ...(message !== undefined && { raw: toRaw(body, message) })
    })
  }
)
