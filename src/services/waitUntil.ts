/**
 * waitUntil: wait for a fact, for a limited real time.
 *
 * For finalizers. They cannot be interrupted, so `Effect.timeout` in one would wait for ever; and what they wait for
 * (processes) does not follow a test's clock.
 */
import { Effect } from "effect"

/** True as soon as `fact` holds, false when it does not within `limit_ms`. */
export const waitUntil = (fact: () => boolean, limit_ms: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const deadline = performance.now() + limit_ms
    const look = () => {
      if (fact()) return resume(Effect.succeed(true))
      if (performance.now() >= deadline) return resume(Effect.succeed(false))
      timer = setTimeout(look, 5)
    }
    let timer: NodeJS.Timeout | undefined
    look()
    return Effect.sync(() => clearTimeout(timer))
  })
