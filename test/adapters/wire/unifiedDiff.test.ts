import { assert, describe, it } from "@effect/vitest"
import { applyPatch } from "diff"
import fc from "fast-check"
import {
  changedDiff,
  createdDiff,
  deletedDiff,
  editedDiff,
  partsDiff
} from "../../../src/adapters/wire/unifiedDiff.js"
import { cpuTime } from "../../support/cpuTime.js"

const lines = fc.array(fc.constantFrom("a", "b", "c", "", " x", "-y", "+z", "\\"), { maxLength: 12 })
const file = fc.tuple(lines, fc.boolean()).map(([lines, ended]) => lines.join("\n") + (ended ? "\n" : ""))

describe("unifiedDiff", () => {
  it("makes the new text of the old one, for any two texts", () => {
    fc.assert(fc.property(file, file, (before, after) => {
      const diff = changedDiff("f", before, after)
      assert.strictEqual(before === after || before === "" ? after : applyPatch(before, diff), after, diff)
    }))
  })

  it("names nothing as the other side of a file that comes or goes", () => {
    assert.strictEqual(changedDiff("f", undefined, "x\n"), createdDiff("f", "x\n"))
    assert.strictEqual(
      createdDiff("f", "x"),
      "--- /dev/null\n+++ f\n@@ -0,0 +1,1 @@\n+x\n\\ No newline at end of file\n"
    )
    assert.strictEqual(deletedDiff("f", "x\n"), "--- f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n")
    assert.strictEqual(changedDiff("f", "x\n", ""), "--- f\n+++ f\n@@ -1,1 +0,0 @@\n-x\n")
  })

  it("makes a file out of nothing, and nothing out of a file, whatever is in it", () => {
    fc.assert(fc.property(file, (content) => {
      const [created, deleted] = [createdDiff("f", content), deletedDiff("f", content)]
      assert.strictEqual(content === "" ? "" : applyPatch("", created), content, created)
      assert.strictEqual(content === "" ? "" : applyPatch(content, deleted), "", deleted)
    }))
    assert.strictEqual(
      createdDiff("f", ""),
      "diff --git f f\nnew file mode 100644\nindex 0000000..e69de29\n--- /dev/null\n+++ f\n"
    )
    assert.strictEqual(
      deletedDiff("f", ""),
      "diff --git f f\ndeleted file mode 100644\nindex e69de29..0000000\n--- f\n+++ /dev/null\n"
    )
  })

  it("tells hunks an agent has made as they are", () => {
    const hunk = { oldStart: 1, oldLines: 2, newStart: 1, newLines: 2, lines: [" a", "-b", "+c"] }
    const last = {
      oldStart: 9,
      oldLines: 1,
      newStart: 9,
      newLines: 1,
      lines: ["-x", "\\ No newline at end of file", "+x"]
    }
    assert.strictEqual(
      editedDiff("f", [hunk, last]),
      "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n@@ -9,1 +9,1 @@\n-x\n\\ No newline at end of file\n+x\n"
    )
    assert.strictEqual(editedDiff("f", []), "--- f\n+++ f\n")
  })

  it("places pieces by their lines, and says nothing of the end of the file", () => {
    const parts = [
      { line: 3, oldText: "a\nb", newText: "a" },
      { line: 9, oldText: "", newText: "new" }
    ]
    assert.strictEqual(
      partsDiff("f", parts),
      "--- f\n+++ f\n@@ -4,1 +3,0 @@\n-b\n@@ -9,0 +9,1 @@\n+new\n"
    )
  })

  it("tells texts that have little in common as removed and added, without looking for long", () => {
    const text = (word: string) => Array.from({ length: 50_000 }, (_, index) => `${word} ${index}\n`).join("")
    let diff = ""
    const took = cpuTime(() => void (diff = changedDiff("f", text("old"), text("new"))))
    assert.isBelow(took, 3000)
    assert.include(diff, "@@ -1,50000 +1,50000 @@\n-old 0\n")
  })
})
