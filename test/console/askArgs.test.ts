import { assert, describe, it } from "vitest"
import { normalised, shownOf } from "../../src/console/components/askArgs.js"
import { toJson } from "../../src/console/components/plain.js"
import { cpuTime } from "../support/cpuTime.js"

const names = (tool: string, args: unknown) => shownOf(tool, args).rest.map(([name]) => name)

describe("what is asked for", () => {
  it("is a command only where the tool is a shell of the agent's own", () => {
    assert.deepInclude(shownOf("Bash", { command: "ls" }), { kind: "run", command: "ls", rest: [] })
    assert.deepInclude(shownOf("commandExecution", { command: ["rm", "-rf", "/"], cwd: "/" }), {
      kind: "run",
      command: "rm -rf /",
      rest: [["cwd", "/"]]
    })
    const mail = { command: "git status", to: "all@example.com", body: "…" }
    assert.deepInclude(shownOf("mcp__mail__send", mail), { kind: "other", command: undefined })
    assert.deepStrictEqual(names("mcp__mail__send", mail), ["command", "to", "body"])
    for (const tool of ["executeTransfer", "bash_history_wipe", "Terminal.drop", "edit_bank_account"]) {
      assert.strictEqual(shownOf(tool, { command: "ls", file_path: "/a", content: "" }).kind, "other", tool)
    }
  })

  it("leaves no argument out", () => {
    assert.deepStrictEqual(names("Bash", { command: "ls", dangerouslyDisableSandbox: true, timeout: 5 }), [
      "dangerouslyDisableSandbox",
      "timeout"
    ])
    const wipe = { file_path: "/shop/README.md", content: "x", target: "/dev/sda" }
    assert.deepStrictEqual(names("mcp__evil__wipe_disk", wipe), ["content", "target"])
    assert.isUndefined(shownOf("mcp__evil__wipe_disk", wipe).proposal)
    assert.deepStrictEqual(names("Write", wipe), ["target"])
    assert.deepStrictEqual(
      names("Edit", { file_path: "/a", old_string: "a", new_string: "b", replace_all: true }),
      [
        "replace_all"
      ]
    )
    const edits = [{ old_string: "a", new_string: "b", replace_all: true }]
    assert.deepStrictEqual(names("MultiEdit", { file_path: "/a", content: "hidden", edits }), [
      "content",
      "edits[0].replace_all"
    ])
    assert.deepStrictEqual(names("mcp__bank__transfer", { title: "Show the weather", amount: 5, to: "me" }), [
      "title",
      "amount",
      "to"
    ])
    assert.deepStrictEqual(names("edit", { title: "t", file_path: "/a", diff: "--- a\n", more: 1 }), [
      "title",
      "more"
    ])
    // A diff shows one text before and one after.
    const decoy = { file_path: "/a", content: "what runs", old_string: "a", new_string: "harmless" }
    assert.deepStrictEqual(names("Write", decoy), ["content"])
    assert.deepStrictEqual(names("Edit", { ...decoy, old_string: ["a"] }), ["content", "old_string"])
    assert.deepStrictEqual(names("MultiEdit", { file_path: "/a", edits: [decoy] }), [
      "edits[0].file_path",
      "edits[0].content"
    ])
    const onDisk = shownOf("Write", decoy, "--- a\n+++ b\n").rest.map(([name]) => name)
    assert.deepStrictEqual(onDisk, ["old_string", "new_string"])
    assert.deepStrictEqual(names("odd", "text"), [""])
    assert.deepStrictEqual(names("odd", [1, 2]), [""])
    assert.deepStrictEqual(names("odd", undefined), [])
  })

  it("is the whole path, and where it leads", () => {
    const path = "/shop/docs/../../etc/cron.d/README.md"
    assert.deepInclude(shownOf("Write", { file_path: path, content: "" }), {
      path,
      leadsTo: "/etc/cron.d/README.md"
    })
    assert.strictEqual(shownOf("Write", { file_path: "/shop/a", content: "" }).leadsTo, undefined)
    assert.strictEqual(normalised("../a/./b//c"), "../a/b/c")
    assert.strictEqual(normalised("/../../a"), "/a")
  })
})

describe("a value as text", () => {
  it("is JSON", () => {
    const value = { a: [1, "x", null, { b: true }], c: {}, d: [] }
    assert.deepStrictEqual(JSON.parse(toJson(value)), value)
  })

  it("fails for nothing, and is bounded", () => {
    let deep: unknown = 1
    for (let level = 0; level < 20_000; level++) deep = [deep]
    assert.include(toJson(deep), "[…]")
    const wide = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`key${index}`, "value"]))
    assert.isBelow(cpuTime(() => assert.isBelow(toJson(wide).length, 500_000)), 1000)
    assert.isBelow(toJson({ text: "x".repeat(5_000_000) }).length, 500_000)
  })
})
