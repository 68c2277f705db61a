import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as TerminalText from "../../../src/adapters/generic/TerminalText.js"

const textOf = (...pieces: ReadonlyArray<string>): string => {
  const text = TerminalText.make()
  return pieces.map(text.feed).join("")
}

/** Cut at these places, given as shares of the whole. */
const cutAt = (whole: string, shares: ReadonlyArray<number>): ReadonlyArray<string> => {
  const places = shares.map((share) => Math.floor(share * whole.length)).toSorted((a, b) => a - b)
  return [0, ...places].map((from, index) => whole.slice(from, places[index] ?? whole.length))
}
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

// What real programs print, and what is meant to be hard.
const sequences = {
  "a colour": "\x1b[1;38;5;208m",
  "a colour with colons": "\x1b[38:2::1:2:3m",
  "a cursor's shape": "\x1b[2 q",
  "a private mode": "\x1b[?1049h",
  "vim's keyboard": "\x1b[>4;2m",
  "a question": "\x1b[>c",
  "a title with spaces and letters": "\x1b]0;root@host: ~/Übung\x07",
  "a title that ends with ST": "\x1b]2;a b\x1b\\",
  "a link": "\x1b]8;id=1;https://example.com/?a=b\x1b\\",
  "vim's request": "\x1bP+q436f;5443\x1b\\",
  "a picture": `\x1bPq${"#0;2;0;0;0~~@@vv\n".repeat(20)}\x1b\\`,
  "a picture of kitty": `\x1b_Gf=100,a=T;${"QUJD".repeat(20)}\x1b\\`,
  "a character set": "\x1b(B",
  "a saved cursor": "\x1b7",
  "a keypad": "\x1b=",
  "an aligned screen": "\x1b#8",
  "as one character": "\x9b31m",
  "a string as one character": "\x9d0;title\x9c",
  "given up": "\x1b[12\x18",
  "a bell": "\x07",
  "shifts": "\x0e\x0f",
  "none, and deleted": "\x00\x7f"
}

describe("TerminalText", () => {
  it.each(Object.entries(sequences))("leaves out %s", (_, sequence) => {
    assert.strictEqual(textOf(`a${sequence}b`), "ab")
  })

  it("keeps what lays text out, and all characters", () => {
    const text = "grün\t日本語 🙂 ﻿\r\nab\b \b\n"
    assert.strictEqual(textOf(text), text)
  })

  it("lets a line end in the middle of a sequence, as terminals do", () => {
    assert.strictEqual(textOf("a\x1b[3\n1mb"), "a\nb")
  })

  it("goes on after what was no sequence", () => {
    assert.strictEqual(textOf("\x1b[1éx"), "éx")
    assert.strictEqual(textOf("\x1b\x1b[31mx"), "x")
    assert.strictEqual(textOf("\x1b]0;cut off\x1b[31mx"), "x")
  })

  it("gives the same text wherever its input is cut", () => {
    const text = fc.stringMatching(/^[a-zé🙂 \r\n\t]{0,8}$/u)
    const part = fc.tuple(text, fc.constantFrom(...Object.values(sequences)))
    fc.assert(fc.property(fc.array(part, { maxLength: 12 }), cuts, (parts, shares) => {
      const printed = parts.flat().join("")
      assert.strictEqual(textOf(...cutAt(printed, shares)), parts.map(([shown]) => shown).join(""))
    }))
  })

  it("never lets an escape through, and cuts change nothing, whatever is printed", () => {
    const unit = fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(..."\x1b\x1b[]P_\\;?0189mhl\x07\x18\n\x9b\x9c\x9d") },
      { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) }
    )
    fc.assert(fc.property(fc.array(unit), cuts, (units, shares) => {
      const printed = units.join("")
      const shown = textOf(printed)
      assert.notMatch(shown, /[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]/)
      assert.strictEqual(textOf(...cutAt(printed, shares)), shown)
    }))
  })

  it("knows whether the program marks pastes, wherever the wish is cut", () => {
    const marks = (...pieces: ReadonlyArray<string>) => {
      const text = TerminalText.make()
      pieces.forEach(text.feed)
      return text.marksPastes()
    }
    fc.assert(fc.property(cuts, (shares) => {
      assert.isTrue(marks(...cutAt("x\x1b[?2004hy", shares)))
      assert.isTrue(marks(...cutAt("\x1b[1m\x1b[?1;2004h", shares)))
      assert.isFalse(marks(...cutAt("\x1b[?2004h\x1b[?2004l", shares)))
    }))
    assert.isFalse(marks("\x1b[2004h", "\x1b[?20040h", "\x1b]?2004h\x07"))
  })

  it("keeps nothing of a sequence that never ends", () => {
    const text = TerminalText.make()
    for (let n = 0; n < 1000; n += 1) {
      assert.strictEqual(text.feed(n === 0 ? "\x1b]" : "x".repeat(10_000)), "")
    }
    assert.strictEqual(text.feed("\x07back"), "back")
  })
})
