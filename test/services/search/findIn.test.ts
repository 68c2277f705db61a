/** What is found in a session's text, compared with looking at every line of it. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { findIn, wordsOf } from "../../../src/services/search/findIn.js"
import type { Said } from "../../../src/services/search/said.js"

const text = fc.string({
  unit: fc.constantFrom("a", "b", "A", "ß", "İ", "\"", "\n", " ", "seq", "7"),
  maxLength: 6
})
const said = fc.array(fc.record({ text, who: fc.constantFrom("user", "agent", "tool") }), { maxLength: 12 })
  .map((all) => all.map((each, index): Said => ({ seq: index + 1, ts: 7, ...each }) as Said))

const linesOf = (all: ReadonlyArray<Said>) => all.map((each) => `${JSON.stringify(each)}\n`).join("")

/** The numbers of the lines that are the right answer. */
const expected = (all: ReadonlyArray<Said>, words: ReadonlyArray<string>) => {
  const counted = all.map(({ seq, text }) => ({
    seq,
    found: words.filter((word) => text.toLowerCase().includes(word))
  }))
  if (!words.every((word) => counted.some(({ found }) => found.includes(word)))) return undefined
  return counted.filter(({ found }) => found.length > 0)
    .toSorted((left, right) => right.found.length - left.found.length || right.seq - left.seq)
    .slice(0, 3).map(({ seq }) => seq)
}

describe("findIn", () => {
  it("gives the latest lines with the most words, whatever the lines are", () => {
    fc.assert(
      fc.property(said, text, (all, query) => {
        const words = wordsOf(query)
        fc.pre(words.length > 0)
        assert.deepStrictEqual(findIn(linesOf(all), words)?.map(({ seq }) => seq), expected(all, words))
      }),
      { numRuns: 2000 }
    )
  })
})
