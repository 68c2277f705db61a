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

  it("leaves out headers that an agent has put before its hunks, and keeps what they say of the mode", () => {
    const hunk = "@@ -1 +1 @@\n-a\n+b\n"
    const own = `--- /w/a\n+++ /w/a\n${hunk}`
    const git = "diff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n"
    for (const headers of ["", git, "--- a/a\n+++ b/a\n", "diff --git a/a b/a\n"]) {
      assert.strictEqual(diffOf({ type: "update" }, headers + hunk)?.diff, own)
    }
    const modes = "old mode 100644\nnew mode 100755\n"
    assert.strictEqual(diffOf({ type: "update" }, modes)?.diff, `diff --git /w/a /w/a\n${modes}`)
    assert.strictEqual(
      diffOf({ type: "update" }, modes + git + hunk)?.diff,
      `diff --git /w/a /w/a\n${modes}${own}`
    )
    assert.isUndefined(diffOf({ type: "update" }, "Binary files differ"))
  })

  it("tells a whole file by its text, and by a patch that makes it or takes it away", () => {
    const created = "--- /dev/null\n+++ /w/a\n@@ -0,0 +1,1 @@\n+hello\n"
    assert.strictEqual(diffOf({ type: "add" }, "hello\n")?.diff, created)
    assert.strictEqual(diffOf({ type: "add" }, "@@ -0,0 +1 @@\n+hello\n")?.diff, created)
    assert.strictEqual(
      diffOf({ type: "add" }, "--- /dev/null\n+++ b/a\n@@ -0,0 +1,1 @@\n+hello\n")?.diff,
      created
    )
    assert.include(diffOf({ type: "add" }, "@@ -0,0 +1,2 @@\n+hello\n")?.diff, "\n+@@ -0,0 +1,2 @@\n")
    assert.strictEqual(
      diffOf({ type: "delete" }, "@@ -1,2 +0,0 @@\n-x\n-y\n\\ No newline at end of file\n")?.diff,
      "--- /w/a\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n\\ No newline at end of file\n"
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
