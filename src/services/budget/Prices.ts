/**
 * Prices: the cost of tokens, for agents that do not report it. The table is the operator's (`--prices FILE`); the relay has no
 * table of its own, because prices change.
 */
import type { Usage } from "../../schema/index.js"

/** Prices in US dollars per million tokens. */
export interface Price {
  readonly input: number
  readonly output: number
  /** Tokens read from the cache; default: as `input`. */
  readonly cached_input?: number | undefined
  /** Tokens written to the cache; default: as `input`. */
  readonly cache_write?: number | undefined
}

/** Prices by model. `*` in a name matches any text; the first match counts. */
export type Prices = Readonly<Record<string, Price>>

const toPattern = (name: string) =>
  new RegExp(
    `^${name.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/gu, "\\$&")).join(".*")}$`,
    "u"
  )

/** A function that gives a model's price, or undefined if the table has none. */
export const lookup = (prices: Prices): (model: string | undefined) => Price | undefined => {
  const patterns = Object.entries(prices).map(([name, price]) => [toPattern(name), price] as const)
  return (model) => patterns.find(([pattern]) => pattern.test(model ?? ""))?.[1]
}

/** The cost of this usage in US dollars. */
export const costOf = (usage: Usage, price: Price): number =>
  ((usage.input_tokens ?? 0) * price.input
    + (usage.output_tokens ?? 0) * price.output
    + (usage.cached_input_tokens ?? 0) * (price.cached_input ?? price.input)
    + (usage.cache_write_tokens ?? 0) * (price.cache_write ?? price.input)) / 1e6
