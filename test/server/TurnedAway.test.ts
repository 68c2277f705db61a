import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { TestClock } from "effect/testing"
import * as TurnedAway from "../../src/server/TurnedAway.js"

describe("connections that are not let in", () => {
  it.effect("cost a line of the log a minute, however many they are, and are all counted", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.make<unknown, void>(({ message }) => void lines.push(String(message)))
      const { tell } = TurnedAway.make()
      yield* Effect.gen(function*() {
        for (let n = 0; n < 1000; n++) yield* tell("203.0.113.7")
        yield* TestClock.adjust("61 seconds")
        yield* tell("203.0.113.8")
        yield* TestClock.adjust("61 seconds")
        yield* tell("203.0.113.9")
      }).pipe(Effect.provide(Logger.layer([logger])))
      assert.deepStrictEqual(lines, [
        "a connection from 203.0.113.7 was not let in",
        "1000 connections were not let in, the last from 203.0.113.8",
        "a connection from 203.0.113.9 was not let in"
      ])
    }))
})
