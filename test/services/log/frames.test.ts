import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import {
  after,
  type Batch,
  type Draft,
  encodeBatch,
  frameAt,
  lastSeqOf,
  textsOf
} from "../../../src/services/log/frames.js"

/** Text that JSON, UTF-8 and latin1 see differently: escapes, half surrogates, line separators, any character. */
const text = fc.array(
  fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "\u2028",
      "\u2029",
      "\ud83d",
      "\ude00",
      "😀",
      "é",
      "\u00a0",
      "\"",
      "\\",
      "\\u0041",
      "\n",
      "\r",
      "\0",
      ""
    )
  ),
  { maxLength: 6 }
).map((pieces) => pieces.join(""))

interface Said {
  readonly event: Readonly<Record<string, unknown>>
  readonly raw: Buffer | undefined
  readonly encoding: "utf8" | "latin1"
}

/** A native line: JSON as some agent may write it, with spaces, escapes or neither. */
const raw = fc.tuple(fc.jsonValue(), fc.constantFrom(undefined, 1), fc.boolean()).map(
  ([value, indent, ascii]) => {
    const json = JSON.stringify(value, undefined, indent).replaceAll("\n", " ")
    const escaped = json.replaceAll(
      /[\u0080-\uffff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
    )
    return Buffer.from(ascii ? escaped : json)
  }
)

const said: fc.Arbitrary<Said> = fc.record({
  event: fc.record({
    type: fc.constantFrom("stdout", "reasoning"),
    text,
    metadata: fc.dictionary(text, text)
  }),
  raw: fc.option(raw, { nil: undefined }),
  encoding: fc.constantFrom("utf8", "latin1")
})

const toDraft = ({ encoding, event, raw }: Said): Draft => {
  const head = JSON.stringify(event).slice(0, -1)
  return {
    head: encoding === "latin1" ? Buffer.from(head).toString("latin1") : head,
    encoding,
    text: undefined,
    rest: "",
    raw
  }
}

const batchOf = (events: ReadonlyArray<Said>, firstSeq = 1) => encodeBatch(firstSeq, events.map(toDraft))

const expected = ({ event, raw }: Said) => ({ ...event, ...(raw && { raw: JSON.parse(raw.toString()) }) })

const framesOf = (batch: Batch, withRaw = true) =>
  batch.ends.map((_, index) => JSON.parse(frameAt(batch, index, withRaw).toString()))

const several = fc.array(said, { minLength: 1, maxLength: 8 })

describe("a batch of frames", () => {
  it("is a line of JSON per event, whatever characters the event and its native message hold", () => {
    fc.assert(fc.property(several, (events) => {
      const batch = batchOf(events)
      const lines = batch.bytes.toString().split("\n")
      assert.strictEqual(lines.pop(), "")
      assert.deepStrictEqual(lines.map((line) => JSON.parse(line)), events.map(expected))
      assert.deepStrictEqual(textsOf(batch), lines)
      assert.deepStrictEqual(framesOf(batch), events.map(expected))
    }))
  })

  it("holds the native message byte by byte, as the last field", () => {
    fc.assert(fc.property(several, (events) => {
      const batch = batchOf(events)
      events.forEach(({ raw }, index) => {
        const end = raw === undefined ? Buffer.from("}") : Buffer.from(`,"raw":${raw.toString()}}`)
        assert.isTrue(frameAt(batch, index).subarray(-end.length).equals(end))
      })
    }))
  })

  it("is the same bytes whether a text came as a string or as a latin1 view of UTF-8", () => {
    fc.assert(fc.property(several, (events) => {
      const encoded = (encoding: Said["encoding"]) =>
        batchOf(events.map((event) => ({ ...event, encoding }))).bytes
      assert.isTrue(encoded("latin1").equals(encoded("utf8")))
    }))
  })

  it("gives frames without the native message to who does not want it", () => {
    fc.assert(fc.property(several, (events) => {
      assert.deepStrictEqual(framesOf(batchOf(events), false), events.map(({ event }) => event))
    }))
  })

  it("is cut after any of its frames, as a view that goes on where it was cut", () => {
    fc.assert(fc.property(several, fc.nat(), fc.integer({ min: 1, max: 1e6 }), (events, place, firstSeq) => {
      const batch = batchOf(events, firstSeq)
      const skip = place % (events.length + 1)
      const rest = after(batch, firstSeq - 1 + skip)
      const left = events.slice(skip)
      assert.strictEqual(rest.firstSeq, firstSeq + skip)
      assert.strictEqual(lastSeqOf(rest), lastSeqOf(batch))
      assert.deepStrictEqual(framesOf(rest), left.map(expected))
      assert.deepStrictEqual(framesOf(rest, false), left.map(({ event }) => event))
      assert.isTrue(rest.bytes.equals(batch.bytes.subarray(batch.bytes.length - rest.bytes.length)))
      assert.strictEqual(rest.bytes.buffer, batch.bytes.buffer)
    }))
  })

  it("is given whole to who has seen nothing of it", () => {
    const batch = batchOf([{ event: { type: "stdout" }, raw: undefined, encoding: "utf8" }], 7)
    assert.strictEqual(after(batch, 2), batch)
  })

  it("hands out frames as views, without a copy", () => {
    const batch = batchOf([{ event: { type: "stdout" }, raw: Buffer.from("{}"), encoding: "utf8" }])
    assert.strictEqual(frameAt(batch, 0).buffer, batch.bytes.buffer)
  })
})
