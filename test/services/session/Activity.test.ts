import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as Activity from "../../../src/services/session/Activity.js"

describe("a session's activity", () => {
  it.effect("completes at once what holds already", () =>
    Effect.gen(function*() {
      let isIdle = true
      const activity = Activity.make(() => isIdle)
      yield* activity.untilIdle
      isIdle = false
      yield* activity.untilBusy
    }))

  it.effect("wakes waiters in their order, after the change that woke them", () =>
    Effect.gen(function*() {
      let isIdle = false
      const told: Array<string> = []
      const activity = Activity.make(() => isIdle)
      const waiting = (name: string) =>
        Effect.forkChild(Effect.map(activity.untilIdle, () => void told.push(name)), {
          startImmediately: true
        })
      const fibers = [yield* waiting("first"), yield* waiting("second")]
      isIdle = true
      activity.changed()
      activity.changed()
      told.push("changed")
      yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
      assert.deepStrictEqual(told, ["changed", "first", "second"])
    }))

  it.effect("wakes nobody for what was over before they were told, and looks again with the next change", () =>
    Effect.gen(function*() {
      let isIdle = false
      let isTold = false
      const activity = Activity.make(() => isIdle)
      const fiber = yield* Effect.forkChild(
        Effect.map(activity.untilIdle, () => void (isTold = true)),
        { startImmediately: true }
      )
      isIdle = true
      activity.changed()
      isIdle = false
      yield* Effect.promise(() => Promise.resolve())
      yield* Effect.yieldNow
      assert.isFalse(isTold)
      isIdle = true
      activity.changed()
      yield* Fiber.join(fiber)
      assert.isTrue(isTold)
    }))

  it.effect("looks for nobody who has stopped waiting", () =>
    Effect.gen(function*() {
      let looks = 0
      const activity = Activity.make(() => {
        looks += 1
        return false
      })
      const fiber = yield* Effect.forkChild(activity.untilIdle, { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      const before = looks
      activity.changed()
      yield* Effect.promise(() => Promise.resolve())
      assert.strictEqual(looks, before)
    }))
})
