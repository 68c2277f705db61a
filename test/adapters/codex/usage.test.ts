import { assert, describe, it } from "@effect/vitest"
import { makeMeter } from "../../../src/adapters/codex/usage.js"

const tokens = (inputTokens: number, cachedInputTokens: number, outputTokens: number) => ({
  totalTokens: inputTokens + outputTokens,
  inputTokens,
  cachedInputTokens,
  outputTokens
})
const window = { modelContextWindow: 1000 }

describe("usage", () => {
  it("counts each turn for itself, out of totals that only grow", () => {
    const meter = makeMeter()
    meter.update({ total: tokens(100, 40, 10), last: tokens(100, 40, 10), ...window })
    meter.update({ total: tokens(300, 140, 30), last: tokens(200, 100, 20), ...window })
    // Codex repeats itself.
    meter.update({ total: tokens(300, 140, 30), last: tokens(200, 100, 20), ...window })
    assert.deepStrictEqual(meter.endTurn(7), {
      usage: {
        input_tokens: 160,
        output_tokens: 30,
        cached_input_tokens: 140,
        context_tokens: 220,
        context_window: 1000,
        duration_ms: 7
      },
      context_pct: 22
    })
    meter.update({ total: tokens(310, 140, 31), last: tokens(10, 0, 1), ...window })
    assert.deepInclude(meter.endTurn(undefined).usage, { input_tokens: 10, output_tokens: 1 })
  })

  it("counts of a resumed thread only what is new", () => {
    const meter = makeMeter()
    meter.update({ total: tokens(9000, 0, 900), last: tokens(10, 0, 5), ...window })
    assert.deepInclude(meter.endTurn(undefined).usage, { input_tokens: 10, output_tokens: 5 })
  })

  it("does not count what Codex repeats of a resumed thread before its first turn", () => {
    const meter = makeMeter()
    meter.update({ total: tokens(9000, 0, 900), last: tokens(800, 0, 50), ...window }, false)
    meter.update({ total: tokens(9010, 0, 905), last: tokens(10, 0, 5), ...window })
    // Late, of the turn that has just ended.
    meter.update({ total: tokens(9013, 0, 905), last: tokens(3, 0, 0), ...window }, false)
    assert.deepInclude(meter.endTurn(undefined).usage, { input_tokens: 13, output_tokens: 5 })
  })

  it("counts the tokens of subagents, but not their contexts", () => {
    const meter = makeMeter()
    meter.update({ total: tokens(100, 0, 10), last: tokens(100, 0, 10), ...window })
    meter.ofSubagent("kid", { total: tokens(500, 0, 50), last: tokens(500, 0, 50), ...window })
    const { metadata } = meter.ofSubagent("kid", {
      total: tokens(600, 0, 60),
      last: tokens(100, 0, 10),
      ...window
    })
    assert.deepStrictEqual(metadata, {
      usage: { input_tokens: 700, output_tokens: 70, cached_input_tokens: 0 }
    })
    assert.deepInclude(meter.endTurn(undefined), {
      context_pct: 11,
      usage: {
        input_tokens: 700,
        output_tokens: 70,
        cached_input_tokens: 0,
        context_tokens: 110,
        context_window: 1000
      }
    })
  })

  it("says nothing where nothing was told", () => {
    assert.deepStrictEqual(makeMeter().endTurn(undefined), { usage: {} })
  })

  it("survives totals that are set back, and knows that the window is full", () => {
    const meter = makeMeter()
    meter.update({ total: tokens(100, 0, 10), last: tokens(100, 0, 10), ...window })
    const overflow = { ...tokens(0, 0, 0), totalTokens: 1000 }
    assert.strictEqual(meter.update({ total: overflow, last: overflow, ...window }).length, 2)
    assert.deepStrictEqual(meter.full(), [])
    assert.deepInclude(meter.endTurn(undefined), { context_pct: 100 })
  })
})
