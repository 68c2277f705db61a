import { assert, describe, it } from "vitest"
import { hunksOf } from "../../src/console/components/diffLines.js"
import { proposedDiff } from "../../src/console/components/proposal.js"

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
})
