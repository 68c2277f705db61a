import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { join } from "node:path"
import type { RelayEvent } from "../src/schema/index.js"
import type { Session } from "../src/services/session/Session.js"
import { SessionRegistry } from "../src/services/session/SessionRegistry.js"
import { firstOf, layerSessions, replay } from "../src/testing.js"

const transcript = join(import.meta.dirname, "fixtures/replay/two-permissions.ndjson")

const toTheEnd = (session: Session, act: Effect.Effect<void>) =>
  Effect.gen(function*() {
    const events = yield* Effect.forkChild(Stream.runCollect(session.log.tail(0)))
    yield* act
    yield* TestClock.adjust("1 day")
    yield* session.over
    return events
  })

/** All its events; the first permission is answered after a minute, the second is left to its deadline. */
const play: Effect.Effect<ReadonlyArray<RelayEvent>> = Effect.scoped(Effect.gen(function*() {
  const session = yield* replay(transcript, { permission_timeout: 3600 })
  return yield* toTheEnd(
    session,
    Effect.gen(function*() {
      yield* TestClock.adjust("1 minute")
      const { request_id } = Option.getOrThrow(yield* firstOf(session, "permission_request"))
      yield* session.submit({ type: "permission_response", request_id, behavior: "allow" })
    })
  )
})).pipe(Effect.flatMap(Fiber.join), Effect.map((events) => [...events]), Effect.orDie)

describe("ai-relay/testing", () => {
  it.effect("plays a transcript, with a permission answered and one that times out", () =>
    Effect.gen(function*() {
      const settled = (yield* play).filter(({ type }) =>
        type === "control_response" || type === "permission_cancelled"
      )
      assert.deepStrictEqual(settled.map(({ ts, type }) => `${Math.floor(ts)} ${type}`), [
        "60 control_response",
        "3661 permission_cancelled"
      ])
    }))

  it.effect("names sessions by counting", () =>
    Effect.gen(function*() {
      const [start] = yield* play
      assert.match(start?.session_id ?? "", /^00000000-0000-4000-8000-\d{12}$/)
    }))

  it.effect("plays a turn for each prompt, if asked to", () =>
    Effect.gen(function*() {
      const session = yield* replay(transcript, { on_prompt: true })
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(session.log.lastSeq(), 1)
      yield* session.submit({ type: "user_message", content: [{ type: "text", text: "my words" }] })
      assert.propertyVal(Option.getOrThrow(yield* firstOf(session, "turn_start")), "text", "my words")
    }))

  it.effect("says what is wrong with a file", () =>
    Effect.gen(function*() {
      assert.include((yield* Effect.flip(replay("test/fixtures/none.ndjson"))).message, "none.ndjson")
      assert.include((yield* Effect.flip(replay("package.json"))).message, "not a recorded event")
    }))

  it.effect("finds nothing in a session that ends without it", () =>
    Effect.gen(function*() {
      const session = yield* replay(transcript)
      const found = yield* Effect.forkChild(firstOf(session, "quota_warning"))
      yield* session.submit({ type: "end" })
      assert.isTrue(Option.isNone(yield* Fiber.join(found)))
    }))

  it.effect("gives the registry to an app that opens sessions by itself", () =>
    Effect.gen(function*() {
      const { session } = yield* (yield* SessionRegistry).join({ tool: "demo" })
      assert.strictEqual(session.describe().metadata?.["tool"], "demo")
    }).pipe(Effect.provide(layerSessions())))
})
