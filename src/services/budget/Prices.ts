/**
 * Prices: what tokens cost, for agents that do not tell. The table is the operator's (`--prices FILE`); the relay has none
 * of its own, because prices change.
 */
import type { Usage } from "../../schema/index.js"

/** US dollars for a million tokens. */
export interface Price {
  readonly input: number
  readonly output: number
  /** Tokens from the model's cache; default: as `input`. */
  readonly cached_input?: number | undefined
  /** Tokens written into the cache; default: as `input`. */
  readonly cache_write?: number | undefined
}

/** By the model's name; `*` in a name stands for any text. The first name that fits decides. */
export type Prices = Readonly<Record<string, Price>>

const toPattern = (name: string) =>
  new RegExp(
    `^${name.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/gu, "\\$&")).join(".*")}$`,
    "u"
  )

/** Gives the price of a model, or undefined if the table does not name it. */
export const lookup = (prices: Prices): (model: string | undefined) => Price | undefined => {
  const patterns = Object.entries(prices).map(([name, price]) => [toPattern(name), price] as const)
  return (model) => patterns.find(([pattern]) => pattern.test(model ?? ""))?.[1]
}

/** What this usage costs at that price, in US dollars. */
export const costOf = (usage: Usage, price: Price): number =>
  ((usage.input_tokens ?? 0) * price.input
    + (usage.output_tokens ?? 0) * price.output
    + (usage.cached_input_tokens ?? 0) * (price.cached_input ?? price.input)
    + (usage.cache_write_tokens ?? 0) * (price.cache_write ?? price.input)) / 1e6
