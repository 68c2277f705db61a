/** The rows of a conversation: what is told together, and what stands alone. */
import { assert, describe, it } from "vitest"
import { rowAt, rowsOf } from "../../src/console/components/rows.js"
import type { Item, ToolItem } from "../../src/messages/View.js"

let seq = 0
const tool = (name: string, more: Partial<ToolItem> = {}): ToolItem => ({
  kind: "tool",
  key: `e${++seq}`,
  ts: seq,
  tool_use_id: `t${seq}`,
  tool: name,
  args: {},
  input: "",
  output: "",
  progress: "",
  state: "ok",
  diffs: [],
  ...more
})
const said = (text: string): Item => ({ kind: "text", key: `e${++seq}`, ts: seq, text, whole: true })
const shape = (items: ReadonlyArray<Item>) =>
  rowsOf(items).map(({ group, inner, item }) =>
    group !== undefined
      ? `group of ${group.length}`
      : `${item.kind === "tool" ? item.tool : item.kind}${inner === undefined ? "" : ` with ${inner.length}`}`
  )

describe("steps that only look", () => {
  it("are one row when three or more stand together and are done", () => {
    assert.deepStrictEqual(shape([tool("Read"), tool("Grep"), said("so"), tool("Read")]), [
      "Read",
      "Grep",
      "text",
      "Read"
    ])
    assert.deepStrictEqual(shape([tool("Read"), tool("Grep"), tool("Glob"), said("so")]), [
      "group of 3",
      "text"
    ])
  })

  it("leave out what runs, failed, changed something, or was decided by a person", () => {
    assert.deepStrictEqual(
      shape([tool("Read"), tool("Read"), tool("Read"), tool("Read", { state: "running" })]),
      ["group of 3", "Read"]
    )
    for (
      const other of [
        tool("Read", { state: "error" }),
        tool("Bash"),
        tool("Edit", { diffs: [{ file_path: "a", diff: "" }] }),
        tool("Read", { decided: { verdict: "allowed" } })
      ]
    ) assert.deepStrictEqual(shape([tool("Read"), tool("Read"), other, tool("Read")]).length, 4)
  })
})

describe("what a subagent does", () => {
  it("is told in the row of the call that started it, in order, whatever else happens meanwhile", () => {
    const one = tool("Task", { state: "running" })
    const two = tool("Task")
    const items = [
      one,
      tool("Read", { parent: one.tool_use_id }),
      two,
      tool("Bash", { parent: two.tool_use_id }),
      said("meanwhile"),
      tool("Grep", { parent: one.tool_use_id })
    ]
    assert.deepStrictEqual(shape(items), ["Task with 2", "Task with 1", "text"])
    assert.deepStrictEqual(rowsOf(items)[0]?.inner?.map(({ tool }) => tool), ["Read", "Grep"])
  })

  it("with a subagent of its own is told there, too; a call whose agent is unknown stands alone", () => {
    const outer = tool("Task")
    const nested = tool("Task", { parent: outer.tool_use_id })
    assert.deepStrictEqual(
      shape([outer, nested, tool("Read", { parent: nested.tool_use_id }), tool("Bash", { parent: "gone" })]),
      ["Task with 2", "Bash"]
    )
  })

  it("ends where calls name each other in a circle", () => {
    const left = tool("Task", { tool_use_id: "left", parent: "right" })
    const right = tool("Task", { tool_use_id: "right", parent: "left" })
    assert.isAtLeast(rowsOf([left, right, tool("Read", { parent: "left" })]).length, 1)
  })
})

describe("a place", () => {
  it("is in the row that shows it, also within a group or a subagent", () => {
    const before = said("before")
    const reads = [tool("Read"), tool("Read"), tool("Read")] as const
    const task = tool("Task")
    const middle = said("middle")
    const late = tool("Bash", { parent: task.tool_use_id })
    const rows = rowsOf([before, ...reads, task, middle, late])
    const at = (item: Item) => rowAt(rows, Number(item.key.slice(1)))
    assert.deepStrictEqual([before, ...reads, task, middle, late].map(at), [0, 1, 1, 1, 2, 3, 2])
    assert.strictEqual(rowAt(rows, 0), -1)
    assert.strictEqual(rowAt(rows, 1e9), 2)
  })
})
