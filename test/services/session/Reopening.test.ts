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

  it.effect("is on the model that was chosen last, which it may be opened with again", () =>
    Effect.gen(function*() {
      const model = (model: string, more: object = {}): EventBody => ({
        type: "status",
        status: "model",
        metadata: { model },
        ...more
      })
      const start = (model: string): EventBody => ({ type: "session_start", metadata: { model } })
      const modelOf = (...events: ReadonlyArray<EventBody>) =>
        Effect.map(resolveHandshake(handshake({}), keptAfter(...events)), ({ model }) => model)
      assert.strictEqual(yield* modelOf(start("first"), model("second"), model("third")), "third")
      // What it began on is what its agent takes by itself.
      assert.isUndefined(yield* modelOf(start("first")))
      // It was opened with another since.
      assert.strictEqual(yield* modelOf(start("first"), model("second"), start("fourth")), "fourth")
      // Nobody chose these.
      assert.isUndefined(yield* modelOf(start("first"), model("small", { text: "The large one is busy." })))
      assert.isUndefined(
        yield* modelOf(start("first"), model("small", { metadata: { model: "small", thread_id: "t" } }))
      )
      const asked = yield* resolveHandshake(handshake({ model: "fifth" }), keptAfter(model("second")))
      assert.strictEqual(asked.model, "fifth")
    }))

  it.effect("is in no mode of a subagent's", () =>
    Effect.gen(function*() {
      const kept = keptAfter(mode("default"), mode("yolo", { parent_tool_use_id: "t" }))
      assert.strictEqual((yield* resolveHandshake(handshake({}), kept)).permission_mode, "default")
    }))
})
