import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as eventJson from "../../../src/services/log/eventJson.js"

describe("an event as JSON", () => {
  it("is what JSON.stringify makes of it, whatever long texts it has and however often", () => {
    const short = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\u0000", "\"\u0000\"", "\\u0000"))
    const long = fc.tuple(short, fc.nat(3000)).map(([part, length]) =>
      part.padEnd(length, `\u0000${part}"\n`)
    )
    const values = (texts: ReadonlyArray<string>) =>
      fc.letrec((tie) => ({
        value: fc.oneof(
          { depthSize: "small" },
          fc.constantFrom(...texts, 1, true, null, undefined),
          fc.array(tie("value"), { maxLength: 4 }),
          fc.dictionary(short, tie("value"), { maxKeys: 4 })
        )
      })).value
    const events = fc.tuple(short, long, long).chain((texts) =>
      fc.array(fc.record({ type: short, content: values(texts) }))
    )
    const json = eventJson.make()
    let longest = 0
    fc.assert(
      fc.property(events, (events) => {
        for (const event of events) {
          const text = json.stringify(event)
          assert.strictEqual(text, JSON.stringify(event))
          longest = Math.max(longest, text.length)
        }
        json.forget()
      }),
      { numRuns: 500 }
    )
    assert.isAbove(longest, 3000)
  })

  it("does not exist of what has no JSON", () => {
    const { stringify } = eventJson.make()
    const text = "x".repeat(5000)
    assert.throws(() => stringify({ text, number: 1n }), TypeError)
    assert.strictEqual(stringify({ text }), JSON.stringify({ text }))
  })
})
