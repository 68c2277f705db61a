/**
 * lookUntil: polls a condition for a limited real time. It is for processes that are not our children, whose end the system
 * does not report. Everything else is awaited with `completesWithin`.
 */
import { Effect } from "effect"

const lookAgainMs = 5

/** True as soon as `fact` holds, false if it does not within `limit_ms`. It is checked every `wait()` ms, by default 5. */
export const lookUntil = (
  fact: () => boolean,
  limit_ms: number,
  wait: () => number | undefined = () => undefined
): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const deadline = performance.now() + limit_ms
    const look = () => {
      if (fact()) return resume(Effect.succeed(true))
      if (performance.now() >= deadline) return resume(Effect.succeed(false))
      timer = setTimeout(look, wait() ?? lookAgainMs)
    }
    let timer: NodeJS.Timeout | undefined
    look()
    return Effect.sync(() => clearTimeout(timer))
  })
