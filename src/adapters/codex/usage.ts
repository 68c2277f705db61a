/**
 * usage: a turn's usage, with that of its subagents, and the context's fill level, from Codex's running totals.
 */
import type { BodyOf, Usage } from "../../schema/index.js"
import { makeContextMeter, percentOf } from "../wire/contextMeter.js"
import { noTokens as nothing, type Tokens, type TokenUsage } from "./CodexMessage.js"

export type Meter = ReturnType<typeof makeMeter>

const written = ({ cacheWriteInputTokens = 0 }: Tokens) => cacheWriteInputTokens

/** The increase. Codex resets totals if the context overflows. */
const grown = (now: Tokens, before: Tokens): Tokens => ({
  totalTokens: Math.max(0, now.totalTokens - before.totalTokens),
  inputTokens: Math.max(0, now.inputTokens - before.inputTokens),
  cachedInputTokens: Math.max(0, now.cachedInputTokens - before.cachedInputTokens),
  cacheWriteInputTokens: Math.max(0, written(now) - written(before)),
  outputTokens: Math.max(0, now.outputTokens - before.outputTokens)
})

const sum = (a: Tokens, b: Tokens): Tokens => ({
  totalTokens: a.totalTokens + b.totalTokens,
  inputTokens: a.inputTokens + b.inputTokens,
  cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
  cacheWriteInputTokens: written(a) + written(b),
  outputTokens: a.outputTokens + b.outputTokens
})

/** As with other agents, cached tokens are counted separately. */
const toCounts = (tokens: Tokens): Usage => ({
  input_tokens: Math.max(0, tokens.inputTokens - tokens.cachedInputTokens - written(tokens)),
  output_tokens: tokens.outputTokens,
  cached_input_tokens: tokens.cachedInputTokens,
  ...(written(tokens) > 0 && { cache_write_tokens: written(tokens) })
})

export const makeMeter = () => {
  const warn = makeContextMeter()
  let total: Tokens | undefined
  /** Running totals of subagents, by thread. */
  const totals = new Map<string, Tokens>()
  /** This turn's count; undefined until something is reported. */
  let turn: Tokens | undefined
  let context: Pick<Usage, "context_tokens" | "context_window"> = {}
  let context_pct: number | undefined

  return {
    context_tokens: () => context.context_tokens,
    /** `ofTurn`: it is about a turn that runs now. */
    update: (
      { last, modelContextWindow, total: now }: TokenUsage,
      ofTurn = true
    ): ReadonlyArray<BodyOf<"status" | "context_warning">> => {
      if (now !== undefined) {
        // Of a resumed thread, Codex first repeats what it had used before.
        const before = total ?? (ofTurn ? grown(now, last) : now)
        if (ofTurn || total !== undefined) turn = sum(turn ?? nothing, grown(now, before))
        total = now
      }
      context = {
        context_tokens: last.totalTokens,
        ...(modelContextWindow !== undefined && { context_window: modelContextWindow })
      }
      context_pct = modelContextWindow === undefined
        ? undefined
        : percentOf(last.totalTokens, modelContextWindow)
      const metadata = {
        ...context,
        ...(context_pct !== undefined && { context_pct }),
        usage: toCounts(turn ?? nothing)
      }
      return [
        { type: "status", status: "usage", metadata },
        ...context_pct === undefined ? [] : warn(context_pct)
      ]
    },
    /** A subagent's calls count in the turn; its context is its own. */
    ofSubagent: (thread: string | undefined, { last, total: now }: TokenUsage): BodyOf<"status"> => {
      if (thread !== undefined && now !== undefined) {
        turn = sum(turn ?? nothing, grown(now, totals.get(thread) ?? grown(now, last)))
        totals.set(thread, now)
      }
      return { type: "status", status: "usage", metadata: { usage: toCounts(turn ?? nothing) } }
    },
    /** The window overflowed. */
    full: (): ReadonlyArray<BodyOf<"context_warning">> => {
      context_pct = 100
      return warn(100)
    },
    /** The turn's usage for its end; counting then restarts. */
    endTurn: (duration_ms: number | undefined): Pick<BodyOf<"turn_end">, "usage" | "context_pct"> => {
      const counted = turn
      turn = undefined
      return {
        usage: {
          ...(counted !== undefined && toCounts(counted)),
          ...context,
          ...(duration_ms !== undefined && { duration_ms })
        },
        ...(context_pct !== undefined && { context_pct })
      }
    }
  }
}
