import { assert, describe, it } from "@effect/vitest"
import { makeLimits } from "../../../src/adapters/codex/limits.js"

const at = (usedPercent: number, resetsAt = 1_795_999_999) => ({
  limitId: "codex",
  primary: { usedPercent, resetsAt, windowDurationMins: 300 }
})

describe("limits", () => {
  it("warns once for a window, and again for the next", () => {
    const limits = makeLimits()
    assert.deepStrictEqual(limits.update(at(89.9)), [])
    assert.strictEqual(makeLimits().update(at(90)).length, 1)
    const [warning, ...more] = limits.update(at(92))
    assert.deepStrictEqual(more, [])
    assert.include(warning?.text, "92 % of the 5-hour limit is used. It resets at 2026-")
    assert.deepInclude(warning?.metadata, { limit: "codex", used_percent: 92, resets_at: 1_795_999_999 })
    // The reset moves a little from answer to answer.
    assert.deepStrictEqual(limits.update(at(95, 1_795_999_999 + 60)), [])
    assert.strictEqual(limits.update(at(91, 1_795_999_999 + 18_000)).length, 1)
  })

  it("warns again when it was below in between", () => {
    const limits = makeLimits()
    limits.update(at(95))
    limits.update(at(3))
    assert.strictEqual(limits.update(at(95)).length, 1)
  })

  it("tells once that a limit is reached, and knows when it resets", () => {
    const limits = makeLimits()
    const reached = { ...at(100), rateLimitReachedType: "workspace_owner_credits_depleted" }
    assert.strictEqual(limits.update(reached).length, 2)
    assert.deepStrictEqual(limits.update(reached), [])
    assert.strictEqual(limits.resets_at(), 1_795_999_999)
  })

  it("is over when all windows that are used up have reset", () => {
    const limits = makeLimits()
    const week = { usedPercent: 100, resetsAt: 1_796_500_000, windowDurationMins: 10_080 }
    limits.update({ ...at(100), secondary: week })
    assert.isTrue(limits.isUsedUp())
    assert.strictEqual(limits.resets_at(), 1_796_500_000)
    limits.update({ ...at(60), secondary: { ...week, usedPercent: 20 } })
    assert.isFalse(limits.isUsedUp())
  })

  it("says nothing where nothing is told", () => {
    const limits = makeLimits()
    assert.deepStrictEqual(limits.update({}), [])
    assert.isUndefined(limits.resets_at())
  })
})
