import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { BodyOf } from "../../../src/schema/index.js"
import * as deltaWords from "../../../src/services/log/deltaWords.js"
import { encodeBatch } from "../../../src/services/log/frames.js"

const events: ReadonlyArray<BodyOf<"stream_event">> = [
  { type: "stream_event", delta: "text" },
  { type: "stream_event", delta: "reasoning" },
  { type: "stream_event", delta: "tool_input", tool_use_id: "toolu_1" }
]

/** Many at the same time, and some at any; of a clock that counts milliseconds, or finer. */
const ts = fc.oneof(
  fc.constantFrom(
    0,
    0.001,
    0.01,
    0.1,
    1,
    1764115200,
    1764115200.001,
    1764115200.1,
    1764115200.12,
    1764115200.999
  ),
  fc.integer({ min: 0, max: 4e12 }).map((ms) => ms / 1000),
  fc.double({ min: 0, max: 4e9, noNaN: true })
)
const turn = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined })

const ending = (turn: number | undefined) => `,"session_id":"é"${turn === undefined ? "" : `,"turn":${turn}`}`

describe("the words of pieces", () => {
  it("are what JSON.stringify says, in whatever order events, times and turns come", () => {
    const several = fc.array(fc.tuple(fc.constantFrom(...events), ts, turn), { minLength: 1, maxLength: 20 })
    fc.assert(fc.property(several, fc.integer({ min: 1, max: 1e9 }), (said, firstSeq) => {
      const wordsOf = deltaWords.make(ending)
      const text = Buffer.from("\"né\"")
      const drafts = said.map(([event, ts, turn]) => {
        const { head, rest } = wordsOf(event, ts, turn)
        return { head, encoding: "latin1" as const, text, rest, raw: undefined }
      })
      const expected = said.map(([{ delta, type, ...others }, ts, turn], index) =>
        JSON.stringify({
          type,
          delta,
          text: "né",
          ...others,
          seq: firstSeq + index,
          ts,
          session_id: "é",
          turn
        })
      )
      assert.strictEqual(encodeBatch(firstSeq, drafts).bytes.toString(), `${expected.join("\n")}\n`)
    }))
  })

  it("are the same object for what comes at once", () => {
    const wordsOf = deltaWords.make(ending)
    const [event] = events
    if (event === undefined) throw new Error("there are events")
    assert.strictEqual(wordsOf(event, 1.5, 1), wordsOf(event, 1.5, 1))
  })
})
