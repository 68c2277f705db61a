/**
 * Budget: how much a session, or one of its turns, may use. A client can lower what the operator allows, never raise it.
 */
import { Schema } from "effect"
import { group, oneOf, optional, says } from "./fields.js"

const Amount = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)).annotate(
  says("must be a number, 0 or more")
)

/** Upper bounds: US dollars, tokens, turns, minutes of work, and how full the context may be in per cent. */
export const Caps = group({
  cost_usd: optional(Amount),
  /** Input and output together. */
  tokens: optional(Amount),
  input_tokens: optional(Amount),
  output_tokens: optional(Amount),
  /** Tokens the model took from its cache. */
  cached_input_tokens: optional(Amount),
  turns: optional(Amount),
  minutes: optional(Amount),
  context_pct: optional(Amount)
})
export type Caps = typeof Caps.Type

export const Budget = group({
  /** For each turn. */
  turn: optional(Caps),
  /** For the session from its beginning. */
  session: optional(Caps)
})
export type Budget = typeof Budget.Type

/** What becomes of a prompt that fails at a limit of the agent's vendor: sent again, once, when the limit is over; or not. */
export const OnLimit = oneOf("resume", "stop")
export type OnLimit = typeof OnLimit.Type
