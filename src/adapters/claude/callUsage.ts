/**
 * callUsage: what a turn's model calls have used so far, including those of subagents.
 *
 * Claude reports a call's input when it begins and its output when it ends; the whole message, sent once per
 * block, repeats the counts known at its start. Calls are told apart by message id.
 */
import type { Usage } from "../../schema/index.js"
import type { CallUsage } from "./ClaudeMessage.js"

export interface Calls {
  /** A call begins in this thread (the tool call that started it, `""` for the main one). */
  readonly begin: (thread: string, id: string, usage: CallUsage) => void
  /** More counts for the thread's running call. */
  readonly update: (thread: string, usage: CallUsage) => Usage | undefined
  /** A whole message: the only counts of a call that was not streamed. */
  readonly whole: (id: string, usage: CallUsage) => Usage | undefined
  /** The turn is over. */
  readonly reset: () => void
}

export const make = (): Calls => {
  const calls = new Map<string, CallUsage>()
  const running = new Map<string, string>()

  const total = (): Usage => {
    const sum = { input_tokens: 0, output_tokens: 0, cached_input_tokens: 0, cache_write_tokens: 0 }
    for (const call of calls.values()) {
      sum.input_tokens += call.input_tokens ?? 0
      sum.output_tokens += call.output_tokens ?? 0
      sum.cached_input_tokens += call.cache_read_input_tokens ?? 0
      sum.cache_write_tokens += call.cache_creation_input_tokens ?? 0
    }
    return sum
  }

  return {
    begin: (thread, id, usage) => {
      running.set(thread, id)
      calls.set(id, usage)
    },
    update: (thread, usage) => {
      const id = running.get(thread)
      if (id === undefined) return undefined
      calls.set(id, { ...calls.get(id), ...usage })
      return total()
    },
    whole: (id, usage) => {
      // The CLI's own messages, such as an API error's text, are not model calls.
      if (calls.has(id) || Object.values(usage).every((tokens) => tokens === 0)) return undefined
      calls.set(id, usage)
      return total()
    },
    reset: () => {
      calls.clear()
      running.clear()
    }
  }
}
