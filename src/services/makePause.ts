/** makePause: long work in slices, so that nobody else waits longer than some milliseconds for it. */
import { Effect } from "effect"

const sliceMs = 1

/** Others go first. */
export const nextTurn = Effect.callback<void>((resume) => {
  const soon = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(soon))
})

/** To be asked after each piece of work: lets others go first when it has been long enough. */
export const makePause = () => {
  let began = performance.now()
  return Effect.suspend(() => {
    if (performance.now() - began < sliceMs) return Effect.void
    return Effect.map(nextTurn, () => {
      began = performance.now()
    })
  })
}
