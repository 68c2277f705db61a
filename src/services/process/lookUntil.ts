/**
 * lookUntil: look at a fact again and again, for a limited real time: at processes that are not our children, of whose end the
 * system tells nobody. Whatever tells of itself is waited for with `completesWithin`.
 */
import { Effect } from "effect"

const lookAgainMs = 5

/** True as soon as `fact` holds, false when it does not within `limit_ms`; it is looked at again after `wait()` ms, or 5. */
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
