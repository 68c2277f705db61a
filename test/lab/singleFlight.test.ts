import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as singleFlight from "../../src/lab/singleFlight.js"

describe("shared", () => {
  it.effect("does at once what is asked for many times at once, and anew later", () =>
    Effect.gen(function*() {
      const once = singleFlight.make<number, string>(yield* Effect.scope)
      const may = yield* Deferred.make<void>()
      let done = 0
      const work = Effect.andThen(Deferred.await(may), Effect.sync(() => ++done))
      const all = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 50 }, () => once("ada", work)), { concurrency: 50 })
      )
      const other = yield* Effect.forkChild(once("bob", Effect.succeed(100)))
      assert.strictEqual(yield* Fiber.join(other), 100)
      yield* Deferred.succeed(may, undefined)
      assert.deepStrictEqual(new Set(yield* Fiber.join(all)), new Set([1]))
      assert.strictEqual(yield* once("ada", work), 2)
    }))

  it.effect("goes on when the first who asked is gone, and tells all of a failure", () =>
    Effect.gen(function*() {
      const once = singleFlight.make<number, string>(yield* Effect.scope)
      const may = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(
        once("ada", Effect.andThen(Deferred.await(may), Effect.fail("no")))
      )
      yield* Effect.yieldNow
      const second = yield* Effect.forkChild(Effect.flip(once("ada", Effect.succeed(1))))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(may, undefined)
      assert.strictEqual(yield* Fiber.join(second), "no")
      assert.strictEqual(yield* once("ada", Effect.succeed(2)), 2)
    }))
})
