/** A recorded session as a test: no agent, no network, no time. Record your own with `ai-relay serve --record DIR`. */
import { assert, it } from "@effect/vitest"
import { Relay, SessionRegistry } from "ai-relay"
import { Effect, Fiber, Stream, TestClock } from "effect"

it.scoped("the recorded agent asks before it runs a tool", () =>
  Effect.gen(function*() {
    const { session } = yield* (yield* SessionRegistry).join({
      tool: "replay",
      folder: "test/fixtures/replay",
      command: ["two-permissions.ndjson"]
    })
    const asked = yield* session.log.tail(0).pipe(
      Stream.filter(({ type }) => type === "permission_request"),
      Stream.take(1),
      Stream.runCollect,
      Effect.fork
    )
    yield* TestClock.adjust("1 minute")
    assert.lengthOf([...yield* Fiber.join(asked)], 1)
  }).pipe(Effect.provide(Relay.layerSessions())))
