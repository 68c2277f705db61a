/**
 * completesWithin: wait for something, for a limited real time.
 *
 * For finalizers. They cannot be interrupted, so `Effect.timeout` in one would wait for ever; and what they wait for (processes,
 * sockets) does not follow a test's clock.
 */
import { Effect } from "effect"

const after = (limit_ms: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const timer = setTimeout(() => resume(Effect.void), limit_ms)
    return Effect.sync(() => clearTimeout(timer))
  })

/** True as soon as `done` completes; false when it does not within `limit_ms`, and it is interrupted then. */
export const completesWithin = (done: Effect.Effect<unknown>, limit_ms: number): Effect.Effect<boolean> =>
  Effect.raceFirst(
    Effect.as(Effect.interruptible(done), true),
    Effect.as(Effect.interruptible(after(limit_ms)), false)
  )
