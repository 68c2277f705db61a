/** Every `file_diff` we make applies: `patch` turns the file before into the file after, byte by byte. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { structuredPatch } from "diff"
import * as fc from "fast-check"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { toFileDiffs } from "../../../src/adapters/acp/toolFields.js"
import { diffOf } from "../../../src/adapters/claude/fileDiff.js"
import {
  changedDiff,
  createdDiff,
  deletedDiff,
  hunksDiff,
  partsDiff
} from "../../../src/adapters/wire/unifiedDiff.js"

const isThere = spawnSync("patch", ["--version"]).status === 0

const folder = mkdtempSync(join(tmpdir(), "ai-relay-patch-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** What `patch` makes of a file with this text; undefined stands for no file. */
const applied = (before: string | undefined, diff: string): string => {
  const [file, reject] = [join(folder, "file"), join(folder, "rejected")]
  rmSync(file, { force: true })
  if (before !== undefined) writeFileSync(file, before)
  const args = ["--binary", "--batch", "--forward", "--no-backup-if-mismatch", "-r", reject, file]
  const { status, stderr, stdout } = spawnSync("patch", args, { input: diff })
  assert.strictEqual(
    status,
    0,
    `${stdout.toString()}${stderr.toString()}\n${JSON.stringify({ before, diff })}`
  )
  return readFileSync(file, "utf8")
}

const word = fc.constantFrom(
  "",
  "a",
  "b",
  "\tindented",
  "  two",
  "é",
  "日本",
  "😀",
  "-- x",
  "++ y",
  "@@",
  "\\ no",
  "\u0000",
  "\u2028",
  "\f"
)
const lineEnd = fc.constantFrom("\n", "\n", "\r\n", "\r")
const line = fc.tuple(word, lineEnd).map((parts) => parts.join(""))
const lines = fc.array(line, { maxLength: 14 })
/** With or without a mark at its beginning, and a line end at its end. */
const file = fc.tuple(fc.constantFrom("", "", "\ufeff"), lines, word).map(([mark, lines, last]) =>
  mark + lines.join("") + last
)
/** Two that have something in common. */
const pair = fc.oneof(
  fc.tuple(file, file),
  fc.tuple(lines, lines, lines, lines).map(([head, old, next, tail]) =>
    [[...head, ...old, ...tail].join(""), [...head, ...next, ...tail].join("")] as [string, string]
  )
)

describe.skipIf(!isThere)(`a file_diff${isThere ? "" : " (skipped: there is no program `patch`)"}`, () => {
  it("turns the file before into the file after, whatever stands in it", () => {
    fc.assert(
      fc.property(pair, ([before, after]) => {
        fc.pre(before !== "" && before !== after && after !== "")
        assert.strictEqual(applied(before, changedDiff("file", before, after)), after)
      }),
      { numRuns: 300 }
    )
  })

  it("makes a file that was not there", () => {
    fc.assert(
      fc.property(file, (content) => {
        fc.pre(content !== "")
        assert.strictEqual(applied(undefined, createdDiff("file", content)), content)
      }),
      { numRuns: 80 }
    )
  })

  it("turns the file before into the file after an edit of Claude's, whose own patch is made for the eye", () => {
    const text = fc.array(fc.constantFrom("a", "b", "\tc", "\t\td", "  e", "é"), {
      minLength: 1,
      maxLength: 6
    })
    const forEyes = (text: string) =>
      text.replaceAll("\r\n", "\n").replace(/^\t+/gm, (tabs) => "  ".repeat(tabs.length))
    fc.assert(
      fc.property(
        text,
        text,
        text,
        text,
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        (head, from, to, tail, end, told) => {
          const [before, after] = [from, to].map((middle) => [...head, ...middle, ...tail, ""].join(end)) as [
            string,
            string
          ]
          fc.pre(before !== after)
          const { hunks } = structuredPatch("", "", forEyes(before), forEyes(after), "", "", { context: 3 })
          const change = {
            // An edit that does not fit the file leaves nothing but the patch.
            oldString: told ? [...head, ...from].join("\n") : "not there",
            newString: [...head, ...to].join("\n"),
            originalFile: before,
            structuredPatch: hunks
          }
          assert.strictEqual(applied(before, diffOf("file", change) ?? ""), after)
        }
      ),
      { numRuns: 200 }
    )
  })

  it("says which file it is of: its name may have spaces, quotes, tabs and letters of any kind", () => {
    for (
      const path of [
        "a b",
        "two  spaces ",
        "tab\tname",
        "a \"quoted\" one",
        "back\\slash",
        "日本 é",
        "-dash",
        "new\nline"
      ]
    ) {
      const work = mkdtempSync(join(folder, "named-"))
      const patch = (input: string) => {
        const { status, stderr, stdout } = spawnSync("patch", ["-p0", "--binary", "--batch"], {
          cwd: work,
          input
        })
        assert.strictEqual(status, 0, `${stdout.toString()}${stderr.toString()}\n${input}`)
      }
      patch(createdDiff(path, "one\n"))
      patch(changedDiff(path, "one\n", "two\n"))
      assert.strictEqual(readFileSync(join(work, path), "utf8"), "two\n")
      patch(hunksDiff(path, path, "old mode 100644\nnew mode 100755\n@@ -1 +1 @@\n-two\n+three\n"))
      assert.strictEqual(readFileSync(join(work, path), "utf8"), "three\n")
      assert.strictEqual(statSync(join(work, path)).mode & 0o111, 0o111)
      patch(hunksDiff(path, `${path}.new`, ""))
      patch(deletedDiff(`${path}.new`, "three\n"))
      patch(createdDiff(path, ""))
      assert.deepStrictEqual(readdirSync(work), [path])
      patch(deletedDiff(path, ""))
      assert.deepStrictEqual(readdirSync(work), [])
    }
  })

  it("is one of a file that was changed twice in one call", () => {
    const change = (oldText: string | null, newText: string | null) => ({
      type: "diff",
      path: "file",
      ...(oldText !== null && { oldText }),
      ...(newText !== null && { newText })
    })
    const diffsOf = (...content: ReadonlyArray<ReturnType<typeof change>>) =>
      toFileDiffs({ toolCallId: "t", content }).map(({ diff }) => diff)
    const [first, next, last] = ["a\nb\nc\n", "A\nb\nc\n", "A\nb\nC\n"] as const
    const [diff = "", ...others] = diffsOf(change(first, next), change(next, last))
    assert.deepStrictEqual(others, [])
    assert.strictEqual(applied(first, diff), last)
    // What is nothing in the end is gone.
    assert.include(diffsOf(change(first, next), change(next, null))[0], "+++ /dev/null")
  })

  it("makes and empties files", () => {
    assert.strictEqual(applied(undefined, createdDiff("file", "")), "")
    assert.strictEqual(applied("", changedDiff("file", "", "a\n")), "a\n")
    assert.strictEqual(applied("a\n", changedDiff("file", "a\n", "")), "")
  })

  it("applies where only pieces of the file are known", () => {
    const text = fc.array(fc.constantFrom("a\n", "b\n", "\tc\n", "d\r\n"), { minLength: 1, maxLength: 5 })
      .map((lines) => lines.join(""))
    fc.assert(
      fc.property(text, text, text, text, text, (head, oldOne, newOne, between, oldTwo) => {
        const before = head + oldOne + between + oldTwo
        const after = head + newOne + between + head
        fc.pre(before !== after)
        const count = (part: string) => part.split("\n").length - 1
        const diff = partsDiff("file", [
          { line: count(head) + 1, oldText: oldOne, newText: newOne },
          { line: count(head + newOne + between) + 1, oldText: oldTwo, newText: head }
        ])
        assert.strictEqual(applied(before, diff), after)
      }),
      { numRuns: 100 }
    )
  })
})
