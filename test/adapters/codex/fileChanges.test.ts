import { assert, describe, it } from "@effect/vitest"
import { toFileDiffs } from "../../../src/adapters/codex/fileChanges.js"

const diffOf = (kind: { type: string; move_path?: string }, diff: string) =>
  toFileDiffs([{ path: "/w/a", kind, diff }], "call")[0]

describe("toFileDiffs", () => {
  it("gives headers to each kind of change", () => {
    assert.deepStrictEqual(diffOf({ type: "add" }, "one\ntwo"), {
      type: "file_diff",
      file_path: "/w/a",
      diff: "--- /dev/null\n+++ /w/a\n@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file\n",
      tool_use_id: "call"
    })
    assert.strictEqual(
      diffOf({ type: "update" }, "@@ -1,1 +1,1 @@\n-a\n+b\n")?.diff,
      "--- /w/a\n+++ /w/a\n@@ -1,1 +1,1 @@\n-a\n+b\n"
    )
    assert.strictEqual(
      diffOf({ type: "delete" }, "x\n")?.diff,
      "--- /w/a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n"
    )
  })

  it("takes the note of a move out of the hunks, and names the file as it is now", () => {
    const moved = diffOf({ type: "update", move_path: "/w/b" }, "@@ -1,1 +1,1 @@\n-a\n+b\n\n\nMoved to: /w/b")
    assert.deepInclude(moved, {
      file_path: "/w/b",
      diff: "--- /w/a\n+++ /w/b\n@@ -1,1 +1,1 @@\n-a\n+b\n"
    })
    assert.strictEqual(
      diffOf({ type: "update", move_path: "/w/b" }, "\n\nMoved to: /w/b")?.diff,
      "diff --git /w/a /w/b\nsimilarity index 100%\nrename from /w/a\nrename to /w/b\n"
    )
  })
})
