/**
 * genAi: OpenTelemetry's metrics for usage (semantic conventions for generative AI), beside the relay's own.
 *
 * As the conventions require, `input` counts all tokens that the model read, including those read from and written to its
 * cache. The relay's own `input_tokens` exclude tokens read from the cache.
 */
import { type Context, Metric } from "effect"
import { agentNamed } from "../../adapters/agents.js"
import type { Usage } from "../../schema/index.js"

/** The provider of an agent's models in the words of the conventions; unknown ones by the agent's name. */
export const providerOf = (tool: string): string => agentNamed(tool)?.provider ?? tool

/** All tokens read; undefined if the agent reported none. */
export const inputOf = (
  { cache_write_tokens, cached_input_tokens, input_tokens }: Usage
): number | undefined =>
  input_tokens === undefined && cached_input_tokens === undefined && cache_write_tokens === undefined
    ? undefined
    : (input_tokens ?? 0) + (cached_input_tokens ?? 0) + (cache_write_tokens ?? 0)

// Boundaries as in the conventions.
const tokenUsage = Metric.histogram("gen_ai.client.token.usage", {
  description: "Number of input and output tokens used.",
  boundaries: Array.from({ length: 14 }, (_, power) => 4 ** power)
})
const operationDuration = Metric.histogram("gen_ai.client.operation.duration", {
  description: "GenAI operation duration: a turn, from its prompt to its end.",
  boundaries: Array.from({ length: 14 }, (_, power) => 0.01 * 2 ** power)
})

interface Turn {
  readonly tool: string
  readonly model: string | undefined
  readonly seconds: number
  readonly usage: Usage
  /** The type of error, if the turn failed. */
  readonly error: string | undefined
}

/** Counts an ended turn in the registry of `context`. */
export const countTurn = (
  { error, model, seconds, tool, usage }: Turn,
  context: Context.Context<never>
): void => {
  const record = <State>(
    metric: Metric.Metric<number, State>,
    labels: Readonly<Record<string, string>>,
    value: number
  ) => Metric.withAttributes(metric, labels).updateUnsafe(value, context)
  const labels = {
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.provider.name": providerOf(tool),
    "gen_ai.agent.name": tool,
    ...(model !== undefined && { "gen_ai.request.model": model })
  }
  record(
    operationDuration,
    { ...labels, unit: "s", ...(error !== undefined && { "error.type": error }) },
    seconds
  )
  for (const [type, tokens] of [["input", inputOf(usage)], ["output", usage.output_tokens]] as const) {
    if (tokens !== undefined) {
      record(tokenUsage, { ...labels, unit: "{token}", "gen_ai.token.type": type }, tokens)
    }
  }
}
