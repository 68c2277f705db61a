import { assert, describe, it } from "vitest"
import { hunksOf } from "../../src/console/components/diffLines.js"
import { proposedDiff } from "../../src/console/components/proposal.js"
import { cpuTime } from "../support/cpuTime.js"

const linesOf = (args: unknown) =>
  (hunksOf(proposedDiff(args)?.diff ?? "") ?? []).flatMap(({ lines }) =>
    lines.map(({ kind, text }) => `${kind} ${text}`)
  )

describe("what a tool asks to change", () => {
  const file_path = "/shop/a.ts"

  it("is what it would replace, and with what", () => {
    const args = { file_path, old_string: "one\ntwo\n", new_string: "one\n2\n" }
    assert.deepStrictEqual(linesOf(args), ["same one", "removed two", "added 2"])
  })

  it("is all that it would write, or each of several edits", () => {
    assert.deepStrictEqual(linesOf({ file_path, content: "new\n" }), ["added new"])
    const edits = [{ old_string: "a", new_string: "b" }, { old_string: "c", new_string: "d" }]
    assert.deepStrictEqual(linesOf({ file_path, edits }), ["removed a", "added b", "removed c", "added d"])
  })

  it("is not guessed when the arguments do not tell", () => {
    for (
      const args of [undefined, {}, { file_path }, { file_path, edits: [] }, { file_path, edits: [{}] }, {
        content: "x"
      }]
    ) {
      assert.isUndefined(proposedDiff(args), JSON.stringify(args))
    }
  })

  it("is told as removed and added where comparing would take long", () => {
    const text = (word: string) => Array.from({ length: 20_000 }, (_, index) => `${word} ${index}`).join("\n")
    const [before, after] = [text("line"), text("other")]
    const mixed = Array.from({ length: 20_000 }, (_, index) => index % 3 ? `line ${index}` : `new ${index}`)
      .join("\n")
    for (
      const args of [
        { file_path, old_string: before, new_string: after },
        { file_path, old_string: before, new_string: mixed },
        { file_path, content: before },
        {
          file_path,
          edits: Array.from({ length: 100 }, () => ({
            old_string: before.slice(0, 9_000),
            new_string: after.slice(0, 9_000)
          }))
        }
      ]
    ) {
      assert.isBelow(cpuTime(() => assert.isDefined(hunksOf(proposedDiff(args)?.diff ?? ""))), 1000)
    }
    const huge = Array.from({ length: 200 }, () => ({ old_string: before, new_string: after }))
    assert.isUndefined(proposedDiff({ file_path, edits: huge }))
    const lines = linesOf({ file_path, old_string: before, new_string: after })
    assert.strictEqual(lines.length, 40_000)
  })

  it("is drawn whatever a path or a text holds", () => {
    const args = { file_path: "/a\n@@ -1 +1 @@\n-x", old_string: "a\r\n--- b\n", new_string: "+++ c\n\\ d\n" }
    assert.deepStrictEqual(linesOf(args), ["removed a\r", "removed --- b", "added +++ c", "added \\ d"])
  })
})
