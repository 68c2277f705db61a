/** Screen: when a program draws on its terminal, and so when it has taken what was pasted. */
import { Effect, Option } from "effect"

export interface Screen {
  readonly drew: () => void
  /** How often it drew. */
  readonly times: () => number
  /** It has drawn more often than so many times. */
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

/** How long a program may take to have taken a text: of Claude, Codex and Gemini none was ready after 60 ms, all by this. */
export const beforeEnter = "150 millis"
/** So long a program that knows pastes may take to draw one on a busy machine, and to be still after it. */
const toDraw = "2 seconds"
const toRest = "3 seconds"

/**
 * It has drawn what was pasted when it had drawn so often, and nothing more for a moment: an Enter that comes before is a part
 * of the text to some. Bounded, whatever it draws.
 */
export const hasTaken = (screen: Screen, before: number) => {
  const draws = Effect.suspend(() => Effect.timeoutOption(screen.drawnSince(screen.times()), beforeEnter))
  return screen.drawnSince(before).pipe(
    Effect.timeoutOption(toDraw),
    Effect.andThen(Effect.repeat(draws, { while: Option.isSome })),
    Effect.timeoutOption(toRest)
  )
}
