/**
 * contextMeter: decides when to warn that the context window is nearly full: once per threshold, and again
 * after a compaction.
 */
import type { BodyOf } from "../../schema/index.js"

const thresholds = [80, 90, 95, 100]

/**
 * US dollars since `before`, from a running total, without floating-point noise in the last digits. A total that is lower than
 * before has begun again at 0.
 */
export const dollarsSince = (before: number, total: number): number => {
  const amount = total < before ? total : total - before
  const rounded = Math.round(amount * 1e9) / 1e9
  return Number.isFinite(rounded) ? rounded : amount
}

/** Whole percentage of the window in use, 0 to 100. */
export const percentOf = (tokens: number, window: number): number =>
  window <= 0 ? 0 : Math.max(0, Math.min(100, Math.floor((tokens / window) * 100)))

/** A function that takes every new reading and returns the warning that is due, if any. */
export const makeContextMeter = (): (context_pct: number) => ReadonlyArray<BodyOf<"context_warning">> => {
  let warnedAt = 0
  return (context_pct) => {
    const reached = thresholds.filter((threshold) => threshold <= context_pct).at(-1) ?? 0
    const due = reached > warnedAt
    warnedAt = reached
    return due
      ? [{ type: "context_warning", context_pct, text: `The context window is ${context_pct} % full.` }]
      : []
  }
}
