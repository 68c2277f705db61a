/**
 * result: how a Claude turn ended.
 *
 * `subtype: "success"` does not mean success: API errors, limits and a missing login use it too, so
 * `is_error` decides. Claude counts cost from the start of its process or (2.1.2xx and later) of the
 * conversation; the relay reports it per turn. For the first turn of a resumed conversation only newer
 * releases report it; they also count the tokens of subagents.
 */
import type { BodyOf, ErrorCode, EventBody, StopReason, Usage } from "../../schema/index.js"
import { dollarsSince, percentOf } from "../wire/contextMeter.js"
import { shown, wordsIn } from "../wire/words.js"
import type { ModelUsage, Result } from "./ClaudeMessage.js"

/** Facts from earlier messages of the session that a result needs. */
export interface Running {
  readonly model: string | undefined
  readonly context_tokens: number
  /** `total_cost_usd` of the previous result; undefined if unknown, as for a resumed conversation. */
  readonly cost_before: number | undefined
  /** Usage reported by results that ended no turn. */
  readonly uncounted?: ReadonlyArray<ModelUsage>
  /** Claude was told to stop, or reports that it was. */
  readonly interrupted?: boolean
  /** Its last text in this turn. */
  readonly said?: (() => string) | undefined
  /** Why its last model call stopped. */
  readonly stop_reason?: string | undefined
  /** Claude's name for what went wrong in that call. */
  readonly failure?: string | undefined
}

/** Older releases (2.1.1) only report that something went wrong, not what. */
const wasInterrupted = (result: Result, { interrupted }: Running) => {
  const { subtype, terminal_reason } = result
  return terminal_reason?.startsWith("aborted") === true
    || (interrupted === true && subtype === "error_during_execution" && terminal_reason === undefined
      && errorsOf(result).every(isDiagnostic))
}

/** Every error text it contains. */
const errorsOf = ({ error, errors, message }: Result): ReadonlyArray<unknown> =>
  [errors, error, message].flat().filter((one) => one !== undefined && one !== null)

const windowExceeded = "model_context_window_exceeded"
const cutOff = new Set(["max_tokens", windowExceeded])

/** A result may omit why the model stopped. */
const modelStop = ({ stop_reason, terminal_reason }: Result, running: Running): string =>
  terminal_reason === windowExceeded ? windowExceeded : stop_reason ?? running.stop_reason ?? ""

const stopReasonOf = (result: Result, running: Running): StopReason => {
  const { is_error, subtype = "success" } = result
  const stop_reason = modelStop(result, running)
  if (wasInterrupted(result, running)) return "cancelled"
  if (subtype === "error_max_turns") return "max_turn_requests"
  if (stop_reason === "refusal") return "refusal"
  if (is_error === true || subtype !== "success") return "error"
  return cutOff.has(stop_reason) ? "max_tokens" : "end_turn"
}

const isDiagnostic = (error: unknown) => typeof error === "string" && error.startsWith("[ede_diagnostic]")

/** The context window of the session's model; `claude-x[1m]` and `claude-x` are the same model. */
const windowOf = ({ modelUsage = {} }: Result, model: string | undefined): number | undefined => {
  const plain = (name: string) => name.replace(/\[.*\]$/, "")
  const models = Object.entries(modelUsage)
  const own = models.find(([name]) => name === model)
    ?? models.find(([name]) => model !== undefined && plain(name) === plain(model))
  const windows = (own === undefined ? models : [own]).map(([, { contextWindow }]) => contextWindow ?? 0)
  const widest = Math.max(0, ...windows)
  return widest > 0 ? widest : undefined
}

const isDefined = <A>(entry: readonly [string, A | undefined]): entry is readonly [string, A] =>
  entry[1] !== undefined

/** The usage of all threads since the result before this one, by model. */
export const usedBy = ({ model_usage_since_last_result: used = {} }: Result): ReadonlyArray<ModelUsage> =>
  Object.values(used)

const usageOf = (result: Result, running: Running): Usage => {
  const { usage, total_cost_usd } = result
  const window = windowOf(result, running.model)
  const used = [...usedBy(result), ...running.uncounted ?? []]
  const total = (field: keyof ModelUsage): number | undefined => {
    const known = used.flatMap((one) => one[field] ?? [])
    return known.length === 0 ? undefined : known.reduce((sum, amount) => sum + amount, 0)
  }
  const cost = total("costUSD")
  return Object.fromEntries(([
    ["input_tokens", total("inputTokens") ?? usage?.input_tokens],
    ["output_tokens", total("outputTokens") ?? usage?.output_tokens],
    ["cached_input_tokens", total("cacheReadInputTokens") ?? usage?.cache_read_input_tokens],
    ["cache_write_tokens", total("cacheCreationInputTokens") ?? usage?.cache_creation_input_tokens],
    ["context_tokens", running.context_tokens > 0 ? running.context_tokens : undefined],
    ["context_window", window],
    [
      "cost_usd",
      total_cost_usd === undefined || running.cost_before === undefined
        ? cost && dollarsSince(0, cost)
        // /clear resets the running total.
        : dollarsSince(running.cost_before, total_cost_usd)
    ],
    ["duration_ms", result.duration_ms]
  ] as const).filter(isDefined))
}

const login =
  "Log in on the relay's machine: run `claude` and then /login, or start the relay with ANTHROPIC_API_KEY set."

/** The text for the user; the CLI's own diagnostics are left out. */
const reasonOf = (result: Result): string =>
  result.result
  || wordsIn(errorsOf(result).filter((error) => !isDiagnostic(error)))
  || `Claude Code stopped with ${
    result.subtype === undefined || result.subtype === "success" ? "an error" : result.subtype
  }.`

const loginFailures: ReadonlySet<string | undefined> = new Set([
  "authentication_failed",
  "oauth_org_not_allowed"
])

const isLoggedOut = ({ api_error_status }: Result, { failure }: Running, reason: string): boolean =>
  api_error_status === 401 || loginFailures.has(failure)
  || /not logged in|invalid api key|please run \/login/i.test(reason)

/** Claude's own advice names keys and commands of its terminal. */
const adviceOf = (result: Result, { failure }: Running): string | undefined =>
  result.terminal_reason === "prompt_too_long"
    ? "Send /compact, or open a new session."
    : failure === "model_not_found"
    ? "Choose another model with set_model."
    : undefined

const toError = (result: Result, running: Running): BodyOf<"error"> => {
  const reason = reasonOf(result)
  const loggedOut = isLoggedOut(result, running, reason)
  const code: ErrorCode = loggedOut ? "auth_required" : "turn_failed"
  const advice = loggedOut ? login : adviceOf(result, running)
  return {
    type: "error",
    code,
    text: advice === undefined ? reason : `${reason.replace(/[.\s]+$/, "")}. ${advice}`,
    metadata: {
      ...(result.subtype !== undefined && { subtype: result.subtype }),
      ...(result.api_error_status && { api_error_status: result.api_error_status })
    }
  }
}

const limitStatuses = new Set([402, 429, 529])

/**
 * Wording for the subscription's limits, by version: "usage limit reached|1760000000", "hit your session
 * limit · resets 3pm".
 */
const saysUsedUp = /\b(usage|session|weekly|opus|sonnet|hour|day) limit\b/i

/** `limited`: a limit that will reset, not an empty account or a busy server. */
const quotaWarnings = (result: Result, { failure }: Running): ReadonlyArray<BodyOf<"quota_warning">> => {
  const { api_error_status, result: said = "" } = result
  const limited = api_error_status === 429 || failure === "rate_limit" || saysUsedUp.test(said)
  return limited || limitStatuses.has(api_error_status ?? 0) || failure === "billing_error"
      || /credit balance is too low/i.test(said)
    ? [{
      type: "quota_warning",
      text: reasonOf(result),
      metadata: { api_error_status, ...(limited && { limited }) }
    }]
    : []
}

/** An answer in a requested format may be all there is. */
const answerOf = ({ result, structured_output }: Result, { said }: Running): string => {
  const text = result ?? said?.() ?? ""
  return text === "" ? shown(structured_output) ?? "" : text
}

/** The last events of a turn. `warn` gives the context warning that is due. */
export const translateResult = (
  result: Result,
  running: Running,
  warn: (context_pct: number) => ReadonlyArray<BodyOf<"context_warning">>
): ReadonlyArray<EventBody> => {
  const stop_reason = stopReasonOf(result, running)
  const usage = usageOf(result, running)
  const isFull = result.terminal_reason === "prompt_too_long" || modelStop(result, running) === windowExceeded
  const { context_tokens, context_window } = usage
  const measured = context_tokens !== undefined && context_window !== undefined
    ? percentOf(context_tokens, context_window)
    : undefined
  const context_pct = isFull ? 100 : measured
  return [
    ...stop_reason === "end_turn" || stop_reason === "max_tokens"
      // A result without text ends with the last text of the turn.
      ? [{ type: "response", text: answerOf(result, running) } as const]
      : stop_reason === "error"
      ? [toError(result, running), ...quotaWarnings(result, running)]
      : [],
    ...context_pct === undefined ? [] : warn(context_pct),
    { type: "turn_end", stop_reason, usage, ...(context_pct !== undefined && { context_pct }) }
  ]
}
