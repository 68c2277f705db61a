/**
 * Spend: usage of turns, in the units that a budget can cap. Plain sums that belong to nobody in particular.
 */
import type { Usage } from "../../schema/index.js"

/** Units of budgets. `tokens` is input plus output; tokens read from a cache are counted separately. */
export const units = [
  "cost_usd",
  "tokens",
  "input_tokens",
  "output_tokens",
  "cached_input_tokens",
  "turns",
  "minutes",
  "context_pct"
] as const
export type Unit = typeof units[number]

/** Used US dollars, tokens, turns and minutes of work. */
export interface Spend {
  readonly cost_usd: number
  /** Tokens that the model read, including those written to its cache, excluding those read from it. */
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cached_input_tokens: number
  readonly turns: number
  readonly minutes: number
}

export const nothing: Spend = {
  cost_usd: 0,
  input_tokens: 0,
  output_tokens: 0,
  cached_input_tokens: 0,
  turns: 0,
  minutes: 0
}

/** Adds or subtracts field by field, since it runs for each model call. */
const combine = (left: Spend, right: Spend, sign: 1 | -1): Spend => ({
  cost_usd: left.cost_usd + sign * right.cost_usd,
  input_tokens: left.input_tokens + sign * right.input_tokens,
  output_tokens: left.output_tokens + sign * right.output_tokens,
  cached_input_tokens: left.cached_input_tokens + sign * right.cached_input_tokens,
  turns: left.turns + sign * right.turns,
  minutes: left.minutes + sign * right.minutes
})

export const add = (left: Spend, right: Spend): Spend => combine(left, right, 1)
export const subtract = (left: Spend, right: Spend): Spend => combine(left, right, -1)

/** A turn's usage as a Spend, without `minutes`, which agents and the relay measure differently. */
export const ofUsage = (usage: Usage): Spend => ({
  ...nothing,
  cost_usd: usage.cost_usd ?? 0,
  input_tokens: (usage.input_tokens ?? 0) + (usage.cache_write_tokens ?? 0),
  output_tokens: usage.output_tokens ?? 0,
  cached_input_tokens: usage.cached_input_tokens ?? 0
})

/** The amount of one unit. `context_pct` is not a sum, so it is passed in. */
export const amountOf = (spend: Spend, unit: Unit, context_pct = 0): number =>
  unit === "tokens"
    ? spend.input_tokens + spend.output_tokens
    : unit === "context_pct"
    ? context_pct
    : spend[unit]

const dollars = (amount: number) => `$${amount.toFixed(amount < 0.1 && amount > 0 ? 4 : 2)}`
const plain = (amount: number) => amount.toLocaleString("en-US", { maximumFractionDigits: 1 })

const words: Record<Exclude<Unit, "cost_usd" | "context_pct">, string> = {
  tokens: "tokens",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
  cached_input_tokens: "cached tokens",
  turns: "turns",
  minutes: "minutes of work"
}

/** An amount for people: `$1.50`, `20,000 tokens`, `80 % of the context`. */
export const format = (unit: Unit, amount: number): string =>
  unit === "cost_usd"
    ? dollars(amount)
    : unit === "context_pct"
    ? `${plain(amount)} % of the context`
    : `${plain(amount)} ${words[unit]}`
