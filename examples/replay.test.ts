/** A recorded session as a test: no agent, no network, no time. Record your own with `ai-relay serve --record DIR`. */
import { assert, it } from "@effect/vitest"
import { firstOf, replay } from "ai-relay/testing"
import { Effect, Fiber, Option, Stream } from "effect"
import { TestClock } from "effect/testing"

const transcript = "test/fixtures/replay/two-permissions.ndjson"

it.effect("the recorded agent asks before it runs a tool, and is told no after half an hour", () =>
  Effect.gen(function*() {
    const session = yield* replay(transcript, { permission_timeout: 30 * 60 })
    const told = yield* Effect.forkChild(Stream.runCollect(session.log.tail(0)))

    yield* TestClock.adjust("2 seconds")
    const asked = Option.getOrThrow(yield* firstOf(session, "permission_request"))
    assert.strictEqual(asked.tool, "Bash")
    yield* session.submit({ type: "permission_response", request_id: asked.request_id, behavior: "allow" })

    yield* TestClock.adjust("2 hours")
    const types = [...yield* Fiber.join(told)].map(({ type }) => type)
    assert.includeMembers(types, ["control_response", "tool_result", "permission_cancelled", "turn_end"])
  }))
