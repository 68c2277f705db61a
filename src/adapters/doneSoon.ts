/**
 * doneSoon: completes a Deferred, but not inside of the call.
 *
 * Effect 4 resumes the fiber that waits for a Deferred in the very call that completes it. Code that completes one in the
 * middle of its own work would be run over by what it has set free: everything here completes Deferreds through this,
 * and an interruption of another fiber is forked. Neither is done by hand (`test/architecture.test.ts`).
 */
import { Deferred, Effect, Fiber } from "effect"

/** Completes `deferred` when the code that runs now has come to its end. */
export const doneSoon = <A, E>(deferred: Deferred.Deferred<A, E>, effect: Effect.Effect<A, E>): void =>
  queueMicrotask(() => Deferred.doneUnsafe(deferred, effect))

/** Interrupts `fiber` and does not wait for its end; it is told after the caller has gone on. */
export const interruptSoon = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<void> =>
  Effect.asVoid(Effect.forkDetach(Fiber.interrupt(fiber)))
