import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { LineSplitter } from "../../../src/adapters/wire/NdJson.js"
import { cpuTime } from "../../support/cpuTime.js"

/** The lines of a stream that arrives in these chunks. */
const split = (chunks: ReadonlyArray<Buffer | string>, limit?: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const splitter = new LineSplitter((line) => lines.push(line.toString()), limit)
  for (const chunk of chunks) splitter.push(Buffer.from(chunk))
  splitter.end()
  return lines
}

/** Cut at these places, given as fractions of the length. */
const cutAt = (bytes: Buffer, places: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const cuts = [0, ...places.map((place) => Math.floor(place * bytes.length)), bytes.length].toSorted((
    a,
    b
  ) => a - b)
  return cuts.slice(1).map((cut, index) => bytes.subarray(cuts[index], cut))
}

const text = fc.array(fc.constantFrom("a", "{\"n\":1}", "é—", "\u2028", "🙂", "\n", "\r\n", "\n\n", " "), {
  maxLength: 60
})
  .map((parts) => parts.join(""))

describe("LineSplitter", () => {
  it("gives the same lines however the bytes are chunked", () => {
    fc.assert(
      fc.property(
        text,
        fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
        (whole, places) => {
          const expected = whole.split(/\r?\n/).filter((line) => line !== "")
          assert.deepStrictEqual(split(cutAt(Buffer.from(whole), places)), expected)
        }
      )
    )
  })

  it("cuts at newlines only, with or without a carriage return", () => {
    assert.deepStrictEqual(split(["a\r\nb\nc\rd\r\n"]), ["a", "b", "c\rd"])
  })

  it("takes a carriage return for part of the line end also when the chunk ends between the two", () => {
    assert.deepStrictEqual(split(["a\r", "\nb"]), ["a", "b"])
  })

  it("passes over empty lines", () => {
    assert.deepStrictEqual(split(["\n\r\n\na\n\n"]), ["a"])
  })

  it("hands on the last line without its newline, once", () => {
    const lines: Array<string> = []
    const splitter = new LineSplitter((line) => lines.push(line.toString()))
    splitter.push(Buffer.from("a\nb"))
    assert.deepStrictEqual(lines, ["a"])
    splitter.end()
    splitter.end()
    assert.deepStrictEqual(lines, ["a", "b"])
  })

  it("cuts a line that outgrows the limit, and loses no byte", () => {
    const lines = split(["aaaa", "aaaa", "aaaa", "aaaa\nb\n"], 10)
    assert.deepStrictEqual(lines, ["aaaaaaaaaaaa", "aaaa", "b"])
  })

  it("hands on a line within a chunk as a view, without a copy", () => {
    const chunk = Buffer.from("one\ntwo\n")
    const splitter = new LineSplitter((line) => assert.strictEqual(line.buffer, chunk.buffer))
    splitter.push(chunk)
  })

  it("takes time in proportion to a line's length", () => {
    const piece = Buffer.alloc(8 * 1024, "x")
    const pieces = (bytes: number) => Array<Buffer>(bytes / piece.length).fill(piece)
    const timed = (bytes: number) => {
      let length = 0
      const splitter = new LineSplitter((line) => {
        length = line.length
      })
      const took = cpuTime(() => {
        for (const chunk of pieces(bytes)) splitter.push(chunk)
        splitter.end()
      })
      assert.strictEqual(length, bytes)
      return took
    }
    const mib = 1024 * 1024
    timed(5 * mib)
    // If every piece copied what came before it, these would be 25 GiB.
    assert.isBelow(timed(20 * mib), 1000)
  })
})
