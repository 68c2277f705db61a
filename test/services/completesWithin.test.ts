import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Scope } from "effect"
import { completesWithin } from "../../src/services/completesWithin.js"

/** What it answers where nothing can be interrupted. */
const inFinalizer = (done: Effect.Effect<unknown>, limit_ms: number) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const answer = yield* Deferred.make<boolean>()
    yield* Scope.addFinalizer(
      scope,
      Effect.flatMap(completesWithin(done, limit_ms), (isDone) => Deferred.succeed(answer, isDone))
    )
    yield* Scope.close(scope, Exit.void)
    return yield* Deferred.await(answer)
  })

describe("completesWithin", () => {
  it.effect("gives up what never completes, in a finalizer and on a clock that stands still, and lets go of it", () =>
    Effect.gen(function*() {
      let isLetGo = false
      const never = Effect.callback<void>(() => Effect.sync(() => void (isLetGo = true)))
      assert.isFalse(yield* inFinalizer(never, 5))
      assert.isTrue(isLetGo)
    }))

  it.effect("goes on as soon as it completes", () =>
    Effect.gen(function*() {
      const done = yield* Deferred.make<void>()
      yield* Effect.forkChild(Effect.andThen(Effect.yieldNow, Deferred.succeed(done, undefined)))
      assert.isTrue(yield* inFinalizer(Deferred.await(done), 600_000))
      assert.isTrue(yield* inFinalizer(Effect.void, 0))
    }))
})
