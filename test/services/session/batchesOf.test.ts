import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { SessionId } from "../../../src/schema/index.js"
import * as EventLog from "../../../src/services/log/EventLog.js"
import { batchesOf } from "../../../src/services/session/batchesOf.js"
import { readSlowly } from "../../support/others.js"

describe("a session's events", () => {
  it.effect("that are there already let others go first; new ones come at once", () =>
    Effect.gen(function*() {
      const log = yield* EventLog.make(SessionId.make("s"))
      for (let number = 0; number < 40; number++) yield* log.append({ type: "stdout", text: "a" })
      const old = yield* readSlowly(Stream.take(batchesOf(log, 0), 40))
      assert.strictEqual(old.pieces, 40)
      assert.isAtLeast(old.turns, 30)
      const pull = yield* Stream.toPull(batchesOf(log, 40))
      let turns = 0
      setImmediate(() => turns += 1)
      yield* log.append({ type: "stdout", text: "b" })
      assert.strictEqual((yield* pull)[0].firstSeq, 41)
      assert.strictEqual(turns, 0)
    }))
})
