import { assert, describe, it } from "@effect/vitest"
import { countOf, hunksOf, pairsOf } from "../../src/console/components/diffLines.js"

const diff =
  "--- /a.ts\n+++ /a.ts\n@@ -3,4 +3,5 @@\n same\n-old one\n-old two\n+new one\n+new two\n+new three\n end\n\\ No newline at end of file\n"

describe("diffLines", () => {
  it("numbers the lines of both sides", () => {
    const [hunk] = hunksOf(diff) ?? []
    assert.deepStrictEqual(hunk?.lines.map(({ kind, new: fresh, old }) => [kind, old, fresh]), [
      ["same", 3, 3],
      ["removed", 4, undefined],
      ["removed", 5, undefined],
      ["added", undefined, 4],
      ["added", undefined, 5],
      ["added", undefined, 6],
      ["same", 6, 7]
    ])
  })

  it("puts what was added beside what it replaces", () => {
    const [hunk] = hunksOf(diff) ?? []
    assert.deepStrictEqual(pairsOf(hunk?.lines ?? []).map(({ left, right }) => [left?.text, right?.text]), [
      ["same", "same"],
      ["old one", "new one"],
      ["old two", "new two"],
      [undefined, "new three"],
      ["end", "end"]
    ])
  })

  it("counts what changed, and knows what is no diff", () => {
    const hunks = hunksOf(diff) ?? []
    assert.strictEqual(countOf(hunks, "added"), 3)
    assert.strictEqual(countOf(hunks, "removed"), 2)
    assert.isUndefined(hunksOf("@@ -1,9 +1,9 @@\n-cut off"))
  })
})
