/**
 * Screen: tracks when a program draws on its terminal, to tell when it has read pasted text.
 */
import { Effect, Option } from "effect"

export interface Screen {
  readonly drew: () => void
  /** How often it drew. */
  readonly times: () => number
  /** Waits until it has drawn more than this many times. */
  readonly drawnSince: (times: number) => Effect.Effect<void>
}

export const make = (): Screen => {
  let times = 0
  const waiting = new Set<() => void>()
  return {
    drew: () => {
      times += 1
      for (const wake of [...waiting]) wake()
    },
    times: () => times,
    drawnSince: (before) =>
      Effect.callback<void>((resume) => {
        if (times > before) return resume(Effect.void)
        const wake = () => {
          waiting.delete(wake)
          resume(Effect.void)
        }
        waiting.add(wake)
        return Effect.sync(() => void waiting.delete(wake))
      })
  }
}

/**
 * Time a program needs to read a text: of Claude, Codex and Gemini none was ready after 60 ms, and all were
 * by this time.
 */
export const beforeEnter = "150 millis"
/** Limit for a program that supports pastes to draw one on a busy machine and then go quiet. */
const toDraw = "2 seconds"
const toRest = "3 seconds"

/**
 * A paste has been read when the program has drawn this often and then paused: some programs treat an earlier
 * Enter as part of the text. Bounded, whatever the program draws.
 */
export const hasTaken = (screen: Screen, before: number) => {
  const draws = Effect.suspend(() => Effect.timeoutOption(screen.drawnSince(screen.times()), beforeEnter))
  return screen.drawnSince(before).pipe(
    Effect.timeoutOption(toDraw),
    Effect.andThen(Effect.repeat(draws, { while: Option.isSome })),
    Effect.timeoutOption(toRest)
  )
}
