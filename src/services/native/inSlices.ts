/** inSlices: runs steps in slices of some milliseconds, so that other fibers are not delayed. */
import { Effect } from "effect"
import type { Steps } from "../../adapters/native/NativeFiles.js"
import { makePause } from "../makePause.js"

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
