/** passing: time that passes for a fiber, until it has ended. */
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

/** Let time pass in such steps until the fiber has ended; what it gave. Each step lets all others go on, too. */
export const joinPassing = <A, E>(
  fiber: Fiber.Fiber<A, E>,
  step: string & Parameters<typeof TestClock.adjust>[0]
) =>
  Effect.gen(function*() {
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust(step)
    return yield* Fiber.join(fiber)
  })
