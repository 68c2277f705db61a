import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { makeContextMeter, percentOf } from "../../../src/adapters/wire/contextMeter.js"

/** Which of these readings were warned of. */
const warned = (readings: ReadonlyArray<number>) => {
  const warn = makeContextMeter()
  return readings.filter((reading) => warn(reading).length > 0)
}

describe("contextMeter", () => {
  it("warns once when a threshold is reached, however far beyond it", () => {
    assert.deepStrictEqual(warned([10, 79, 80, 81, 89, 90, 94, 97, 99, 100, 100]), [80, 90, 97, 100])
    assert.deepStrictEqual(warned([99, 99, 100]), [99, 100])
  })

  it("warns again after a compaction", () => {
    assert.deepStrictEqual(warned([92, 20, 85, 86]), [92, 85])
    assert.deepStrictEqual(warned([96, 85, 92]), [96, 92])
  })

  it("says how full it is", () => {
    assert.deepStrictEqual(makeContextMeter()(83), [
      { type: "context_warning", context_pct: 83, text: "The context window is 83 % full." }
    ])
  })

  it("never warns twice of readings that only grow within a threshold", () => {
    const readings = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 30 })
    fc.assert(fc.property(readings, (readings) => {
      const growing = readings.toSorted((left, right) => left - right)
      assert.isAtMost(warned(growing).length, 4)
      assert.strictEqual(warned(growing).length > 0, growing.some((reading) => reading >= 80))
    }))
  })
})

describe("percentOf", () => {
  it("is whole, from 0 to 100, and rounds down: 100 is really full", () => {
    assert.strictEqual(percentOf(0, 1000), 0)
    assert.strictEqual(percentOf(999, 1000), 99)
    assert.strictEqual(percentOf(1000, 1000), 100)
    assert.strictEqual(percentOf(5000, 1000), 100)
  })

  it("is 0 of a window that is none", () => {
    assert.strictEqual(percentOf(10, 0), 0)
    assert.strictEqual(percentOf(10, -1), 0)
  })
})
