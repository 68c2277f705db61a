/** A secret that is cut into streamed pieces is found all the same. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Redact from "../../../src/services/access/redact.js"
import * as RedactPieces from "../../../src/services/access/redactPieces.js"

const known = "a value with spaces"
const redactor = Redact.make({ env: [{ MY_TOKEN: known }] })

interface Piece {
  readonly type: string
  readonly text?: string
  readonly raw?: unknown
  readonly [field: string]: unknown
}

const piece = (text: string, more: object = {}): Piece => ({
  type: "stream_event",
  delta: "text",
  text,
  ...more,
  raw: { text }
})
const lines = (events: ReadonlyArray<Piece>) => events.map((event) => `${JSON.stringify(event)}\n`).join("")

/** What is written of these, fed in batches of so many. */
const written = (events: ReadonlyArray<Piece>, batch = 1): ReadonlyArray<Piece> => {
  const transcript = RedactPieces.make(redactor)
  let text = ""
  for (let at = 0; at < events.length; at += batch) {
    text += transcript.feed(lines(events.slice(at, at + batch)))
  }
  text += transcript.flush()
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
}
const textOf = (events: ReadonlyArray<Piece>) => events.map(({ text = "" }) => text).join("")

/** Cut at these places. */
const cut = (text: string, places: ReadonlyArray<number>): ReadonlyArray<string> => {
  const at = [0, ...places.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b), text.length]
  return at.slice(1).map((end, index) => text.slice(at[index], end)).filter((part) => part !== "")
}

const secrets = [
  "sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWx",
  "AKIAIOSFODNN7EXAMPLE",
  known,
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLWJ5dGVz",
  Buffer.from(known).toString("base64").slice(0, -3)
]

describe("redactPieces", () => {
  it("finds a secret wherever it is cut, and whatever comes between its pieces", () => {
    const places = fc.array(fc.nat(200), { maxLength: 12 })
    fc.assert(
      fc.property(
        fc.constantFrom(...secrets),
        places,
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (secret, at, batch, other) => {
          const text = `the key is ${secret} and "that" is all`
          const parts = cut(text, at)
          const events = parts.flatMap((part, index): ReadonlyArray<Piece> => [
            piece(part),
            ...other && index % 2 === 0
              ? [
                { type: "status", status: "thinking" },
                piece("elsewhere ", { metadata: { parent_tool_use_id: "t" } })
              ]
              : []
          ])
          const out = written(events, batch)
          assert.lengthOf(out, events.length)
          assert.deepStrictEqual(out.map(({ type }) => type), events.map(({ type }) => type))
          const own = out.filter(({ metadata, type }) => type === "stream_event" && metadata === undefined)
          assert.strictEqual(textOf(own), "the key is [REDACTED] and \"that\" is all")
          // Nor do the native messages tell it, put together.
          const raw = own.map(({ raw, text }) => raw === undefined ? text : (raw as Piece).text).join("")
          assert.notInclude(raw, secret)
        }
      )
    )
  })

  it("leaves everything else as it is, byte by byte and in its order", () => {
    const event = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => piece(text)),
      fc.string().map((text) => piece(text, { delta: "tool_output" })),
      fc.string().map((text): Piece => ({ type: "stdout", text })),
      fc.constantFrom<Piece>({ type: "turn_end" }, { type: "assistant_message", text: "x" }, {
        type: "status"
      })
    )
    fc.assert(fc.property(fc.array(event), fc.integer({ min: 1, max: 4 }), (events, batch) => {
      assert.deepStrictEqual(written(events, batch), JSON.parse(JSON.stringify(events)))
    }))
  })

  it("holds little back: words go out as they are said, and nothing for ever", () => {
    const transcript = RedactPieces.make(redactor)
    let out = ""
    let longest = 0
    for (let n = 0; n < 2000; n++) {
      const before = out.length
      out += transcript.feed(lines([piece(n % 50 === 0 ? " word. " : "piece")]))
      longest = out.length > before ? 0 : longest + 1
      assert.isBelow(longest, 200)
    }
    for (let n = 0; n < 300; n++) out += transcript.feed(lines([piece("x".repeat(1000))]))
    assert.isAbove(out.length, 200_000)
    assert.include(transcript.feed(lines([{ type: "turn_end" }])), "turn_end")
    assert.isFalse(transcript.isHolding())
  })

  it("finds the rest of a secret whose beginning was let go", () => {
    const transcript = RedactPieces.make(redactor)
    transcript.feed(lines([piece("key sk-ant-api03-")]))
    transcript.flush()
    const rest = transcript.feed(lines([piece("AbCdEfGhIjKlMnOpQrStUvWx"), piece(" done ok now ")])) +
      transcript.flush()
    assert.notInclude(rest, "AbCdEf")
    assert.include(rest, "done")
  })

  it("takes time in proportion to what is said", () => {
    const began = process.cpuUsage()
    const transcript = RedactPieces.make(redactor)
    for (let n = 0; n < 3000; n++) transcript.feed(lines([piece("eyJaaaaaaaa-".repeat(4))]))
    transcript.flush()
    const { system, user } = process.cpuUsage(began)
    assert.isBelow((system + user) / 1000, 3000)
  })
})
