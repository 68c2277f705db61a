/** inSlices: runs steps so that nobody else waits longer than some milliseconds for them. */
import { Effect } from "effect"
import type { Steps } from "../../adapters/native/NativeFiles.js"

const sliceMs = 4

const nextTurn = Effect.callback<void>((resume) => {
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

export const inSlices = <A>(steps: () => Steps<A>): Effect.Effect<A> =>
  Effect.gen(function*() {
    const pause = makePause()
    const running = steps()
    for (;;) {
      const step = running.next()
      if (step.done === true) return step.value
      yield* pause
    }
  })
