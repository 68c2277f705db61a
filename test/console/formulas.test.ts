/** Formulas in what agents write: found where they are formulas, and left alone where they are prices, shells or code. */
import { assert, describe, expect, it } from "vitest"
import { formulaIn, markMaths } from "../../src/console/components/formulas.js"
import { cpuTime } from "../support/cpuTime.js"

/** The formulas of a text, each as `display:tex` or `inline:tex`. */
const formulas = (text: string): ReadonlyArray<string> =>
  [...markMaths(text).matchAll(/`([^`\n]+)`/g)].flatMap(([, code = ""]) => {
    const found = formulaIn(code)
    return found === undefined ? [] : [`${found.display ? "display" : "inline"}:${found.tex}`]
  })

/** A text with its formulas put back: nothing else may have changed. */
const back = (text: string): string =>
  markMaths(text).replaceAll(
    /`(\u{e0f0}[^`\n]+)`/gu,
    (code, inner: string) => formulaIn(inner)?.source ?? code
  )

describe("formulas in Markdown", () => {
  it("are what stands between TeX's delimiters", () => {
    expect(formulas("Let \\(a^2 + b^2\\) be\n\\[\nc^2\n\\]\nand $$E = mc^2$$ and so on.")).toEqual([
      "inline:a^2 + b^2",
      "display:c^2",
      "inline:E = mc^2"
    ])
    expect(formulas("$$\n\\int_0^1 x\\,dx\n\n= \\frac12\n$$")).toEqual([
      "display:\\int_0^1 x\\,dx\n\n= \\frac12"
    ])
    expect(formulas("1. first\n   $$ x = 1 $$\n2. second")).toEqual(["display:x = 1"])
    expect(formulas("1. first\n\n    \\[ x = 1 \\]\n")).toEqual(["display:x = 1"])
    expect(formulas("设\\(x\\)为实数，$x>0$。")).toEqual(["inline:x", "inline:x>0"])
    expect(formulas("| a | b |\n|---|---|\n| \\(|x|\\) | $\\|y\\|$ |")).toEqual([
      "inline:|x|",
      "inline:\\|y\\|"
    ])
  })

  it("stand between single dollars where they are clearly formulas", () => {
    expect(formulas("For $n$ and $x_1 = 2$, $O(n \\log n)$ or $f(x)$, **$\\alpha$**, ($3$).")).toEqual([
      "inline:n",
      "inline:x_1 = 2",
      "inline:O(n \\log n)",
      "inline:f(x)",
      "inline:\\alpha",
      "inline:3"
    ])
    for (
      const text of [
        "It costs $5 and $10.",
        "$5-$10k, $100/mo vs $200/mo",
        "between $5 and 10$",
        "US$5=US$6, A$ and C$",
        "(~$0.04 → $0.05)",
        "$HOME/$USER or $FOO=$BAR or ${a}=${b} or $(x)=$(y)",
        "$x = $y; $this->a = $b->c;",
        "the PID is $$ and its parent's $$ too",
        "a \\$5 and \\$6",
        "we paid $good money for it$ today",
        "$5$6$7"
      ]
    ) {
      assert.deepStrictEqual(formulas(text), [], text)
      assert.strictEqual(markMaths(text), text)
    }
  })

  it("are not looked for in code and in HTML", () => {
    for (
      const text of [
        "`\\(a\\)` and ``$x$ ` $y$``",
        "```sh\necho \\(a\\) $$x=1$$\n```",
        "~~~~\n$x$\n~~~\n$y$\n~~~~",
        "- item\n  ```\n  $x$\n  ```",
        "Code:\n\n    $x = $\n    \\(a\\)\n\nDone.",
        "<pre>\n\\(a\\) $x$\n</pre>",
        "```\n\\(a\\) half a block"
      ]
    ) assert.strictEqual(markMaths(text), text)
    expect(formulas("```\n$x$\n```\n$y$")).toEqual(["inline:y"])
  })

  it("are text as it was written until they are closed", () => {
    for (const text of ["So \\(a", "So $$a = ", "So $a", "$$\na\n", "So `", "a $"]) {
      assert.deepStrictEqual(formulas(text), [], text)
    }
    // Markdown would take the backslash away.
    expect(markMaths("So \\(a^2")).toBe("So \\\\(a^2")
    expect(markMaths("a \\] b \\) c")).toBe("a \\\\] b \\\\) c")
    const text = "We have \\(a_1\\), $b$ and\n\n$$\nc \\le d\n$$\n"
    let before = 0
    for (let end = 0; end <= text.length; end++) {
      const found = formulas(text.slice(0, end)).length
      expect(found).toBeGreaterThanOrEqual(before)
      before = found
    }
    expect(before).toBe(3)
  })

  it("lose nothing of the text around them, and brackets that are no formula stay brackets", () => {
    const text =
      "# A $x$\n\n> \\(a\\)\n> - \\[b = 1\\] [link](https://example.com/$1) `code`\n\n`` ` `` $y$\n"
    expect(back(text)).toBe(text)
    expect(markMaths("see \\[TODO\\] there")).toBe("see \\[TODO\\] there")
    expect(markMaths("\u{e0f0}d1 \\(a\\)")).toBe("\u{e0f0}d1 \\(a\\)")
    expect(markMaths("\ud800 \\(a\\)")).toBe("\ud800 \\(a\\)")
    expect(formulaIn("x")).toBeUndefined()
  })

  it("are found fast, whatever is written", () => {
    const attacks = [
      "\\(",
      "\\[",
      "$$",
      "$a",
      "`",
      "`` ` ",
      "$$a$$",
      "\\(a",
      "\\(\\",
      "aaaa$",
      "\\)\\(",
      "    \n$$\n",
      "~~~\n"
    ]
    for (const attack of attacks) {
      const text = attack.repeat(150_000 / attack.length)
      assert.isBelow(cpuTime(() => void markMaths(text)), 1000, attack)
    }
    const letters = `$$${"a".repeat(3990)}$$ x `.repeat(37)
    assert.isBelow(cpuTime(() => void markMaths(letters)), 1000)
  })
})
