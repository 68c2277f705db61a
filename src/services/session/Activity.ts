/**
 * Activity: whether something goes on that somebody may come back for: a turn, a prompt that waits, an open question, a
 * command that is being carried out. What changes it says so with `changed`.
 */
import { Effect } from "effect"

export interface Activity {
  readonly isIdle: () => boolean
  /** Completes as soon as nothing goes on. */
  readonly untilIdle: Effect.Effect<void>
  /** Completes as soon as something goes on. */
  readonly untilBusy: Effect.Effect<void>
  readonly changed: () => void
}

export const make = (isIdle: () => boolean): Activity => {
  const waiting = new Set<() => void>()
  let isScheduled = false

  /** Those who wait are told later: what changes it is in the middle of something, which their going on may end. */
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
