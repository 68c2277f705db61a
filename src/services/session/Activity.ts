/**
 * Activity: whether a session is busy with something a client may come back for: a turn, a queued prompt, an open question,
 * or a running command. Code that changes one of these calls `changed`.
 */
import { Effect } from "effect"

export interface Activity {
  readonly isIdle: () => boolean
  /** Completes as soon as the session is idle. */
  readonly untilIdle: Effect.Effect<void>
  /** Completes as soon as the session is busy. */
  readonly untilBusy: Effect.Effect<void>
  readonly changed: () => void
}

export const make = (isIdle: () => boolean): Activity => {
  const waiting = new Set<() => void>()
  let isScheduled = false

  /** Wakes waiters a moment later: the caller is in the middle of a change, and a waiter may end the session. */
  const changed = () => {
    if (isScheduled || waiting.size === 0) return
    isScheduled = true
    queueMicrotask(() => {
      isScheduled = false
      for (const look of [...waiting]) look()
    })
  }

  const until = (condition: () => boolean) =>
    Effect.callback<void>((resume) => {
      const look = () => {
        if (!condition()) return
        waiting.delete(look)
        resume(Effect.void)
      }
      waiting.add(look)
      look()
      return Effect.sync(() => void waiting.delete(look))
    })

  return { isIdle, untilIdle: until(isIdle), untilBusy: until(() => !isIdle()), changed }
}
