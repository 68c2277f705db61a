/**
 * promptAnswer: how a turn ended, from the answer to `session/prompt`.
 */
import { Option, Predicate, Schema } from "effect"
import type { BodyOf, ErrorCode, EventBody, StopReason, Usage } from "../../schema/index.js"
import { dollarsSince, percentOf } from "../wire/contextMeter.js"
import type { JsonRpcError } from "../wire/JsonRpc.js"
import { status } from "../wire/statusEvent.js"
import { wordsIn } from "../wire/words.js"
import type { AcpAgent, Tokens } from "./AcpAgent.js"
import { PromptResponse } from "./AcpMessage.js"
import {
  codes,
  errorKindOf,
  isLimit,
  isTooLong,
  isUsedUp,
  reasonOf,
  type Refusal,
  wantsLogin,
  withAdvice
} from "./refusal.js"
import type { AcpState } from "./translate.js"

type Events = ReadonlyArray<EventBody>

const readResponse = Schema.decodeUnknownOption(PromptResponse)

const stopReasons: ReadonlyArray<StopReason> = [
  "end_turn",
  "max_tokens",
  "max_turn_requests",
  "refusal",
  "cancelled"
]

const isDefined = <A>(entry: readonly [string, A | undefined]): entry is readonly [string, A] =>
  entry[1] !== undefined

const minus = (a: number | undefined, b = 0) => a === undefined ? undefined : Math.max(0, a - b)

const ofThisTurn = (told: Tokens, state: AcpState): Tokens => {
  if (state.quirks.countsWholeSession !== true) return told
  state.tokens = told
  const before = state.tokens_before
  return Object.fromEntries(([
    ["inputTokens", minus(told.inputTokens, before.inputTokens)],
    ["outputTokens", minus(told.outputTokens, before.outputTokens)],
    ["cachedReadTokens", minus(told.cachedReadTokens, before.cachedReadTokens)],
    ["cachedWriteTokens", minus(told.cachedWriteTokens, before.cachedWriteTokens)]
  ] as const).filter(isDefined))
}

const usageOf = ({ _meta, usage }: Partial<PromptResponse>, state: AcpState): Usage => {
  const counted = _meta?.quota?.token_count
  const tokens = usage === undefined ? state.beside : ofThisTurn(usage, state)
  const { context_tokens, context_window } = state.context
  return Object.fromEntries(([
    ["input_tokens", tokens?.inputTokens ?? counted?.input_tokens],
    ["output_tokens", tokens?.outputTokens ?? counted?.output_tokens],
    ["cached_input_tokens", tokens?.cachedReadTokens],
    ["cache_write_tokens", tokens?.cachedWriteTokens || undefined],
    ["context_tokens", context_tokens],
    ["context_window", context_window],
    ["cost_usd", state.cost === undefined ? undefined : dollarsSince(state.cost_before, state.cost)]
  ] as const).filter(isDefined))
}

const contextPct = ({ context: { context_tokens, context_window } }: AcpState): number | undefined =>
  context_tokens === undefined || context_window === undefined
    ? undefined
    : percentOf(context_tokens, context_window)

const endTurn = (
  stop_reason: StopReason,
  usage: Usage,
  context_pct: number | undefined,
  native?: string
): BodyOf<"turn_end"> => ({
  type: "turn_end",
  stop_reason,
  ...(Object.keys(usage).length > 0 && { usage }),
  ...(context_pct !== undefined && { context_pct }),
  ...(native !== undefined && { metadata: { native_stop_reason: native } })
})

/** The turn ended without an answer, which for this agent means its model failed. */
const gaveUp = (usage: Usage, context_pct: number | undefined): Events => [
  {
    type: "error",
    code: "turn_failed",
    text:
      "The agent ended the turn without an answer. This happens when its model cannot be reached or refuses: prompt "
      + "it again later, or run it in a terminal to see the reason."
  },
  endTurn("error", usage, context_pct)
]

/** Text for people in a prompt's answer; the protocol has no field for it. */
const saidBeside = (result: unknown): string | undefined => {
  if (!Predicate.isObject(result) || Array.isArray(result)) return wordsIn(result)
  const { _meta, stopReason: _reason, usage: _usage, ...others } = result as Readonly<Record<string, unknown>>
  return wordsIn(others)
}

/** Events for an answered prompt; the last one ends the turn. */
export const translateAnswer = (result: unknown, state: AcpState): Events => {
  const response: Partial<PromptResponse> = Option.getOrElse(readResponse(result), () => ({}))
  const known = stopReasons.find((reason) => reason === response.stopReason)
  // The turn ended without an error; a reason unknown to the protocol is kept as metadata. A turn that was
  // told to stop counts as cancelled, whatever the agent calls it.
  const stop_reason = state.cancelling ? "cancelled" : known ?? "end_turn"
  const full = stop_reason === "max_tokens" && state.quirks.maxTokensMeansFull === true
  const context_pct = full ? 100 : contextPct(state)
  const answered = stop_reason === "end_turn" || stop_reason === "max_tokens"
  if (answered && state.failure !== undefined) {
    return failed({ code: 0, reason: state.failure }, state.agent, state, response)
  }
  const text = state.speech.answer()
  const said = saidBeside(result)
  if (stop_reason === "end_turn" && text === "" && state.quirks.silentWhenFailed === true) {
    return gaveUp(usageOf(response, state), context_pct)
  }
  return [
    ...said === undefined ? [] : [status("prompt_answer", said)],
    ...answered ? [{ type: "response", text } as const] : [],
    ...full ? state.warn(100) : [],
    endTurn(
      stop_reason,
      usageOf(response, state),
      context_pct,
      known === undefined ? response.stopReason : undefined
    )
  ]
}

/** Events for a failed prompt; the last one ends the turn. */
export const translateError = (error: JsonRpcError, agent: AcpAgent, state: AcpState): Events =>
  // Whatever the agent calls the stop, it was requested.
  error.code === codes.cancelled || state.cancelling
    ? [endTurn("cancelled", usageOf({}, state), contextPct(state))]
    : failed(error, agent, state)

const failed = (
  error: Refusal,
  agent: AcpAgent,
  state: AcpState,
  response: Partial<PromptResponse> = {}
): Events => {
  const login = wantsLogin(error)
  const code: ErrorCode = login ? "auth_required" : "turn_failed"
  const kind = errorKindOf(error)
  const reason = reasonOf(error)
  const tooLong = isTooLong(error)
  const what = `${agent.name} could not finish the turn: ${reason}`
  const text = login
    ? withAdvice(`${agent.name} requires a login: ${reason}`, agent.login)
    : tooLong
    ? withAdvice(
      what,
      "Compact the conversation, if the agent has a command for it, or open a new session."
    )
    : what
  const metadata = {
    ...(error.code !== 0 && { native_code: error.code }),
    ...(kind !== undefined && { error_kind: kind })
  }
  return [
    { type: "error", code, text, metadata },
    ...isLimit(error)
      ? [
        {
          type: "quota_warning",
          text: reason,
          metadata: { ...metadata, ...(isUsedUp(error) && { limited: true }) }
        } as const
      ]
      : [],
    ...tooLong ? state.warn(100) : [],
    endTurn("error", usageOf(response, state), tooLong ? 100 : contextPct(state))
  ]
}
