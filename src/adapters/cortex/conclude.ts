/**
 * conclude: the last events of an answer and of a turn.
 */
import type { EventBody, StopReason, Usage } from "../../schema/index.js"
import { type makeContextMeter, percentOf } from "../wire/contextMeter.js"
import { type Answer, type Events, inOrder, paragraphs, pendingThoughts } from "./Dialect.js"
import type { RequestFailed } from "./RequestFailed.js"

/** The part of an answer that was emitted only as deltas. */
export const toRest = (answer: Answer): Events => {
  const content = inOrder(answer)
  const thoughts = pendingThoughts(answer)
  if (answer.told || content.length === 0) return thoughts
  const text = paragraphs(content)
  const suggestions = content.flatMap(({ suggestions }) => Array.isArray(suggestions) ? suggestions : [])
  return [...thoughts, {
    type: "assistant_message",
    content,
    ...(text !== "" && { text }),
    ...(suggestions.length > 0 && { metadata: { suggestions } })
  }]
}

/** The sum over all requests of a turn; the context size is the last one's. */
export const total = (before: Usage, { context_tokens, context_window, ...counts }: Usage): Usage => {
  const { context_tokens: _, context_window: __, ...sums } = before
  const names = Object.keys({ ...sums, ...counts }) as ReadonlyArray<keyof typeof counts> // These and no others.
  return {
    ...Object.fromEntries(names.map((name) => [name, (sums[name] ?? 0) + (counts[name] ?? 0)])),
    ...(context_tokens !== undefined && { context_tokens }),
    ...(context_window !== undefined && { context_window })
  }
}

const toError = ({ code, metadata, text }: RequestFailed): EventBody => ({
  type: "error",
  code,
  text,
  ...(metadata !== undefined && { metadata })
})

/** An exhausted account budget has no reset time. */
const toQuotaWarning = ({ metadata, retry_after_ms, status, text }: RequestFailed): EventBody => ({
  type: "quota_warning",
  text,
  metadata: {
    ...metadata,
    ...(status !== 402 && { limited: true }),
    ...(retry_after_ms !== undefined && { retry_after_ms })
  }
})

interface End {
  readonly stop_reason: StopReason
  readonly failure: RequestFailed | undefined
  /** The final answer. */
  readonly text: string
  readonly usage: Usage
  readonly warn: ReturnType<typeof makeContextMeter>
}

/** The last events of a turn. After a failure, the first one carries its native message. */
export const toEnd = ({ failure, stop_reason, text, usage, warn }: End): Events => {
  const { context_tokens, context_window } = usage
  const measured = context_tokens !== undefined && context_window !== undefined
    ? percentOf(context_tokens, context_window)
    : undefined
  const context_pct = failure?.full === true ? 100 : measured
  return [
    ...failure === undefined ? [] : [toError(failure), ...failure.quota ? [toQuotaWarning(failure)] : []],
    ...stop_reason === "end_turn" || stop_reason === "max_tokens"
      ? [{ type: "response", text } as const]
      : [],
    ...context_pct === undefined ? [] : warn(context_pct),
    {
      type: "turn_end",
      stop_reason,
      ...(Object.keys(usage).length > 0 && { usage }),
      ...(context_pct !== undefined && { context_pct })
    }
  ]
}
