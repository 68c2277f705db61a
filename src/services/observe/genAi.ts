/**
 * genAi: OpenTelemetry's names for what agents use (semantic conventions for generative AI), beside the relay's own.
 *
 * `input` counts all tokens the model read, those out of its cache and those it wrote into it among them, as the conventions
 * want it; the relay's own `input_tokens` are without the former.
 */
import { type Context, Metric } from "effect"
import { agentNamed } from "../../adapters/agents.js"
import type { Usage } from "../../schema/index.js"

/** Who serves the models of an agent, as the conventions call them; others by the agent's own name. */
export const providerOf = (tool: string): string => agentNamed(tool)?.provider ?? tool

/** All tokens that were read; undefined if the agent told none. */
export const inputOf = (
  { cache_write_tokens, cached_input_tokens, input_tokens }: Usage
): number | undefined =>
  input_tokens === undefined && cached_input_tokens === undefined && cache_write_tokens === undefined
    ? undefined
    : (input_tokens ?? 0) + (cached_input_tokens ?? 0) + (cache_write_tokens ?? 0)

// The boundaries the conventions ask for.
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
  /** Why it did not end well. */
  readonly error: string | undefined
}

/** A turn has ended: counted in the registry of `context`. */
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
