import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { isUtf8 } from "node:buffer"
import { afterString, standsAt } from "../../../src/adapters/wire/jsonBytes.js"

const isJson = (text: string) => {
  try {
    return typeof JSON.parse(text) === "string"
  } catch {
    return false
  }
}

/** What may stand in a string, and what may not. */
const part = fc.oneof(
  fc.constantFrom(
    "a",
    "é",
    "😀",
    "\u2028",
    "\u00a0",
    "\u007f",
    "#",
    "]",
    "\\\"",
    "\\\\",
    "\\/",
    "\\n",
    "\\u0041",
    "\\uD83D",
    "\\udE00"
  ),
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "\"",
      "\\",
      "\\u",
      "\\u12",
      "\\u12G4",
      "\\x",
      "\\U0041",
      "\n",
      "\t",
      "\0",
      "\u001f"
    )
  },
  fc.string({ unit: "binary", maxLength: 3 })
)

describe("a JSON string in place", () => {
  it("ends where JSON.parse says it does, and is none where JSON.parse takes none", () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.string({ maxLength: 4 }), fc.nat(7), (parts, before, offset) => {
        const start = Buffer.byteLength(before)
        // Four bytes are looked at at once, wherever in memory the first of them lies, and whatever lies behind.
        const bytes = Buffer.from(`${"\"".repeat(offset)}${before}"${parts.join("")}"\\""`).subarray(offset, -3)
        const end = afterString(bytes, start)
        // The first quote that closes it decides.
        const ends = [...bytes.keys()].map((index) => index + 1).filter((index) => index > start)
        const expected = ends.find((index) => isJson(bytes.toString("utf8", start, index))) ?? -1
        assert.strictEqual(end, expected)
      }),
      { numRuns: 2000 }
    )
  })

  it("is told the same of bytes that are no UTF-8, so that only that is left to be looked at", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (inside) => {
        const bytes = Buffer.from([0x22, ...inside, 0x22])
        const isString = afterString(bytes, 0) === bytes.length
        assert.strictEqual(isString, isJson(bytes.toString("latin1")))
        if (isUtf8(bytes)) assert.strictEqual(isString, isJson(bytes.toString("utf8")))
      }),
      { numRuns: 2000 }
    )
  })

  it("is none where no quote stands, or none closes it", () => {
    for (const text of ["", "a", "\"", "\"a", "\"\\", "\"\\u", "\"\\u12"]) {
      assert.strictEqual(afterString(Buffer.from(text), 0), -1, text)
    }
    assert.strictEqual(afterString(Buffer.from("\"\""), 9), -1)
  })
})

it("bytes stand at a place, or not", () => {
  const bytes = Buffer.from("abc")
  assert.isTrue(standsAt(bytes, 1, Buffer.from("bc")))
  assert.isTrue(standsAt(bytes, 3, Buffer.from("")))
  assert.isFalse(standsAt(bytes, 1, Buffer.from("bd")))
  assert.isFalse(standsAt(bytes, 2, Buffer.from("cd")))
})
