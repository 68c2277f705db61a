/**
 * Budget: how much a session, or each of its turns, may use. A client can lower the operator's limits, never raise them.
 */
import { Schema } from "effect"
import { group, oneOf, optional, says } from "./fields.js"

const Amount = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).annotate(
  says("must be a number, 0 or more")
)

/** Upper limits: US dollars, tokens, turns, minutes of work, and how full the context may be in per cent. */
export const Caps = group({
  cost_usd: optional(Amount),
  /** Input and output together. */
  tokens: optional(Amount),
  input_tokens: optional(Amount),
  output_tokens: optional(Amount),
  /** Tokens that the model read from its cache. */
  cached_input_tokens: optional(Amount),
  turns: optional(Amount),
  minutes: optional(Amount),
  context_pct: optional(Amount)
})
export type Caps = typeof Caps.Type

export const Budget = group({
  /** For each turn. */
  turn: optional(Caps),
  /** For the whole session. */
  session: optional(Caps)
})
export type Budget = typeof Budget.Type

/** What happens to a prompt that hits a limit of the agent's vendor: it is sent again once when the limit resets, or not. */
export const OnLimit = oneOf("resume", "stop")
export type OnLimit = typeof OnLimit.Type
