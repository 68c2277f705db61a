import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { Schema } from "effect"
import { type EventBody, Handshake, SessionId } from "../../../src/schema/index.js"
import * as SessionSummary from "../../../src/services/log/SessionSummary.js"
import { resolveHandshake } from "../../../src/services/session/Reopening.js"

const handshake = (fields: object) => Schema.decodeUnknownSync(Handshake)(fields)

/** What is kept of a session in which this was told. */
const keptAfter = (...events: ReadonlyArray<EventBody>) =>
  Option.some({
    handshake: handshake({ tool: "claude", folder: "/work", permission_mode: "acceptEdits" }),
    summary: events.reduce(
      (summary, event, index) => SessionSummary.fold(summary, event, index + 1, 0),
      SessionSummary.empty(SessionId.make("s"))
    )
  })

const mode = (permission_mode: string, more: object = {}): EventBody => ({
  type: "status",
  status: "permission_mode",
  metadata: { permission_mode, ...more }
})

describe("a session that is opened again", () => {
  it.effect("is in the mode it was in last, not in the one it was opened with", () =>
    Effect.gen(function*() {
      const kept = keptAfter(mode("acceptEdits"), mode("plan"), mode("default"))
      assert.strictEqual((yield* resolveHandshake(handshake({}), kept)).permission_mode, "default")
      const asked = yield* resolveHandshake(handshake({ permission_mode: "plan" }), kept)
      assert.strictEqual(asked.permission_mode, "plan")
    }))

  it.effect("is in no mode of a subagent's", () =>
    Effect.gen(function*() {
      const kept = keptAfter(mode("default"), mode("yolo", { parent_tool_use_id: "t" }))
      assert.strictEqual((yield* resolveHandshake(handshake({}), kept)).permission_mode, "default")
    }))
})
