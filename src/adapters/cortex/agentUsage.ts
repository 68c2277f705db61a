/**
 * agentUsage: the usage of an agent run. With tools it is the sum of several model calls, so it does not tell
 * how full the context is.
 */
import type { Usage } from "../../schema/index.js"
import type { TokensConsumed } from "./CortexMessage.js"

const sum = (amounts: ReadonlyArray<number | undefined>): number =>
  amounts.reduce<number>((total, amount) => total + (amount ?? 0), 0)

export const toUsage = (consumed: ReadonlyArray<TokensConsumed>, usedTools: boolean): Usage => {
  const [only, ...others] = consumed
  if (only === undefined) return {}
  const read_tokens = sum(consumed.map((model) => model.input_tokens?.total))
  const cached_input_tokens = sum(consumed.map((model) => model.input_tokens?.cache_read))
  const cache_write_tokens = sum(consumed.map((model) => model.input_tokens?.cache_write))
  const output_tokens = sum(consumed.map((model) => model.output_tokens?.total))
  const { context_window } = only
  return {
    input_tokens: Math.max(0, read_tokens - cached_input_tokens - cache_write_tokens),
    output_tokens,
    cached_input_tokens,
    ...(cache_write_tokens > 0 && { cache_write_tokens }),
    ...(context_window !== undefined && others.length === 0 && { context_window }),
    ...(!usedTools && others.length === 0 && { context_tokens: read_tokens + output_tokens })
  }
}
