/**
 * callUsage: what a turn's model calls have used so far, those of subagents too.
 *
 * Claude tells a call's input when it begins and its output when it ends; the whole message, once for each block, repeats
 * what was known at its beginning. Calls are told apart by their message's id.
 */
import type { Usage } from "../../schema/index.js"
import type { CallUsage } from "./ClaudeMessage.js"

export interface Calls {
  /** A call begins in this thread (the tool call that started it, `""` for the main one). */
  readonly begin: (thread: string, id: string, usage: CallUsage) => void
  /** More is known of the thread's running call. */
  readonly update: (thread: string, usage: CallUsage) => Usage | undefined
  /** A whole message: of a call nobody streamed, this is all there is. */
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
      // What the CLI says itself, such as the text of an API error, was no call.
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
