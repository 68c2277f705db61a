/** What a client may rely on of a `stream_event`: a piece has its text, and is told apart by its `delta`. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { RelayEvent } from "../../src/client/browser.js"
import { StreamEventOnWire } from "../../src/schema/index.js"
import { recordedSessions } from "../support/recordedSessions.js"

const fits = Schema.is(StreamEventOnWire)

describe("a stream_event", () => {
  it.effect("of every agent that was recorded is one of the three kinds", () =>
    Effect.gen(function*() {
      const kinds = new Set<string | undefined>()
      for (const { events, name } of recordedSessions) {
        for (const event of yield* events) {
          if (event.type !== "stream_event") continue
          kinds.add(event.delta)
          assert.isTrue(fits(event), `${name} ${event.seq}: ${JSON.stringify(event).slice(0, 300)}`)
        }
      }
      assert.includeMembers([...kinds], ["text", "reasoning", "tool_input", undefined])
    }), 60_000)

  it("with a delta and no text is none", () => {
    assert.isFalse(fits({ type: "stream_event", delta: "text" }))
    assert.isFalse(fits({ type: "stream_event", delta: "another", text: "x" }))
    assert.isTrue(fits({ type: "stream_event", tool_use_id: "t" }))
  })

  it("is narrowed by its delta, as the first example of docs/client.md does", () => {
    const words = (event: RelayEvent): string =>
      event.type === "stream_event" && event.delta === "text" ? event.text : ""
    assert.strictEqual(words({ type: "stream_event", delta: "text", text: "hi", seq: 1, ts: 1 }), "hi")
  })
})
