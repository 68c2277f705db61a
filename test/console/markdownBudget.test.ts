import { assert, describe, it } from "vitest"
import { splitMarkdown } from "../../src/console/components/markdownBudget.js"
import { cpuTime } from "../support/cpuTime.js"
import { markdownAttacks } from "../support/markdownAttacks.js"

describe("what may be drawn as Markdown", () => {
  it("is all of what agents write", () => {
    const section = (index: number) =>
      `## Step ${index}\n\nThe **total** of \`cart ${index}\` was _rounded twice_; see [the code](https://example.com/${index}).\n\n`
      + "- one `thing`\n  - a second\n    - a third\n1. first\n2. second\n\n> said before\n\n"
      + `| a | b | c |\n|---|:-:|--:|\n${"| 1073 | **Before** | `x` |\n".repeat(5)}\n`
      + `\`\`\`ts\nconst a = [1, 2].map((b) => b * 2) // *_*_*_\n\`\`\`\n\n`
    const answer = Array.from({ length: 12 }, (_, index) => section(index)).join("")
    assert.deepStrictEqual(splitMarkdown(answer), { rich: answer, plain: "" })
    const code = `Here:\n\n\`\`\`html\n${"<div><b>*a_</b></div>\n".repeat(1000)}\`\`\`\nDone.`
    assert.deepStrictEqual(splitMarkdown(code), { rich: code, plain: "" })
    const table = `|a|b|\n|-|-|\n${"|**1**|`2`|\n".repeat(150)}`
    assert.deepStrictEqual(splitMarkdown(table), { rich: table, plain: "" })
    assert.deepStrictEqual(splitMarkdown(""), { rich: "", plain: "" })
  })

  it("ends where it becomes too much, at an empty line, and loses nothing", () => {
    const before = "# Before\n\nAll is well.\n\n"
    for (const [name, attack] of Object.entries(markdownAttacks)) {
      const text = before + attack(60_000)
      const { plain, rich } = splitMarkdown(text)
      assert.strictEqual(rich + plain, text, name)
      assert.isTrue(rich.startsWith(before.trimEnd()), name)
    }
  })

  it("is decided at once, also for a megabyte", () => {
    for (const [name, attack] of Object.entries(markdownAttacks)) {
      const text = attack(300_000)
      assert.isBelow(cpuTime(() => void splitMarkdown(text)), 1000, name)
      const { plain, rich } = splitMarkdown(text)
      assert.strictEqual(rich.length + plain.length, text.length, name)
      assert.isBelow(rich.length, 160_000, name)
    }
  })

  it("holds nothing that nests too deep, however it is hidden", () => {
    for (
      const name of [
        "quotes",
        "quotes and lists",
        "lists in a line",
        "numbers in a line",
        "elements",
        "elements closed by others",
        "elements of two kinds",
        "elements in a fence that is none",
        "elements in a fence in HTML"
      ]
    ) assert.strictEqual(splitMarkdown(markdownAttacks[name]?.(20_000) ?? "").rich, "", name)
    assert.include(splitMarkdown(`${"> ".repeat(9)}deep`).rich, "deep")
  })
})
