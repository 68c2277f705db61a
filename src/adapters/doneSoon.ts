/**
 * doneSoon: completes a Deferred, but not inside the current call.
 *
 * Effect 4 resumes the fiber that waits for a Deferred within the very call that completes it. Code that
 * completes one in the middle of its own work would be interrupted by whatever it releases. So everything
 * here completes Deferreds through this function, and interruptions of other fibers are forked. Neither may
 * be done directly (`test/architecture.test.ts`).
 */
import { Deferred, Effect, Fiber } from "effect"

/** Completes `deferred` once the code that is running now has finished. */
export const doneSoon = <A, E>(deferred: Deferred.Deferred<A, E>, effect: Effect.Effect<A, E>): void =>
  queueMicrotask(() => Deferred.doneUnsafe(deferred, effect))

/** Interrupts `fiber` without waiting for its end; the interruption is sent after the caller has continued. */
export const interruptSoon = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<void> =>
  Effect.asVoid(Effect.forkDetach(Fiber.interrupt(fiber)))
