import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { isUtf8 } from "node:buffer"
import { readFileSync } from "node:fs"
import { generate, generated } from "../../../scripts/wasm.mjs"
import { afterString, standsAt } from "../../../src/adapters/wire/jsonBytes.js"
import { cpuTime } from "../../support/cpuTime.js"

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

/** The first quote that closes it decides. */
const expectedEnd = (bytes: Buffer, start: number): number =>
  [...bytes.keys()].map((index) => index + 1).filter((index) => index > start)
    .find((index) => isJson(bytes.toString("utf8", start, index))) ?? -1

describe("a JSON string in place", () => {
  it("ends where JSON.parse says it does, and is none where JSON.parse takes none", () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.string({ maxLength: 4 }), (parts, before) => {
        const start = Buffer.byteLength(before)
        const bytes = Buffer.from(`${before}"${parts.join("")}"`)
        assert.strictEqual(afterString(bytes, start), expectedEnd(bytes, start))
      }),
      { numRuns: 2000 }
    )
  })

  it("ends there however long it is, and whatever follows", () => {
    // Sixteen bytes are looked at at once, a thousand and then more are copied: escapes may lie across each border.
    const lengths = fc.oneof(
      fc.nat(100),
      ...[1024, 1024 + 4096, 1024 + 4096 + 16_384].map((border) =>
        fc.integer({ min: border - 30, max: border })
      )
    )
    const few = fc.array(part, { maxLength: 12 })
    const plain = fc.constantFrom("x", "é", "\\\\", "\\n", "😀")
    fc.assert(
      fc.property(
        lengths,
        plain,
        few,
        few,
        fc.string({ maxLength: 40 }),
        (length, filler, parts, after, rest) => {
          const head = filler.repeat(Math.ceil(length / Buffer.byteLength(filler)))
          const tail = Buffer.from(`"${parts.join("")}"${after.join("")}"${rest}`)
          const end = expectedEnd(tail, 0)
          const bytes = Buffer.concat([Buffer.from(`"${head}`), tail.subarray(1)])
          assert.strictEqual(afterString(bytes, 0), end === -1 ? -1 : end + Buffer.byteLength(head))
        }
      ),
      { numRuns: 3000 }
    )
  })

  it("takes no longer per byte if all of it is escaped", () => {
    const text = Buffer.from(JSON.stringify("\u0001".repeat(200_000)))
    const took = cpuTime(() => assert.strictEqual(afterString(text, 0), text.length))
    assert.isBelow(took, 1000)
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

it("the generated file is what its source says: npm run wasm", async () => {
  assert.strictEqual(readFileSync(generated, "utf8"), await generate())
})
