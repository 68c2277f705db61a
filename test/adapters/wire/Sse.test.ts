import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type SseEvent, SseSplitter } from "../../../src/adapters/wire/Sse.js"

/** What comes out when these chunks go in. */
const split = (chunks: ReadonlyArray<Uint8Array>, limit?: number) => {
  const events: Array<SseEvent> = []
  const splitter = new SseSplitter((event) => void events.push(event), limit)
  const taken = chunks.map((chunk) => splitter.push(chunk))
  splitter.end()
  return { events, taken }
}
const eventsOf = (...texts: ReadonlyArray<string>) => split(texts.map((text) => Buffer.from(text))).events

/** Cut at these places. */
const cut = (bytes: Uint8Array, places: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

describe("SseSplitter", () => {
  it("names an event that has no name `message`", () => {
    assert.deepStrictEqual(eventsOf("data: {}\n\n"), [{ event: "message", data: "{}" }])
  })

  it("joins data lines by newlines, and takes one space off each", () => {
    assert.deepStrictEqual(eventsOf("event: a\ndata:1\ndata:  2\ndata\n\n"), [{
      event: "a",
      data: "1\n 2\n"
    }])
  })

  it("takes \\n, \\r\\n and \\r for the end of a line", () => {
    const expected = [{ event: "a", data: "1" }, { event: "message", data: "2" }]
    for (const eol of ["\n", "\r\n", "\r"]) {
      assert.deepStrictEqual(eventsOf(["event: a", "data: 1", "", "data: 2", "", ""].join(eol)), expected)
    }
  })

  it("passes over comments, ids, retries and what it does not know", () => {
    assert.deepStrictEqual(eventsOf(": keep-alive\n\nid: 7\nretry: 10\nfoo: bar\ndata: 1\n\n"), [
      { event: "message", data: "1" }
    ])
  })

  it("takes a \\r\\n that is cut in two for one line end", () => {
    assert.deepStrictEqual(eventsOf("event: a\r", "\ndata: 1\r", "\n\r", "\n"), [{ event: "a", data: "1" }])
  })

  it("hands on a last event that lacks its blank line, and none that lacks its data", () => {
    assert.deepStrictEqual(eventsOf("data: [DONE]"), [{ event: "message", data: "[DONE]" }])
    assert.deepStrictEqual(eventsOf("data: 1\n\nevent: done\n"), [{ event: "message", data: "1" }])
  })

  it("begins behind a byte order mark", () => {
    assert.deepStrictEqual(eventsOf("\uFEFFdata: 1\n\n"), [{ event: "message", data: "1" }])
  })

  it("says when an event is longer than the limit, and takes nothing more", () => {
    const long = split([Buffer.from("data: 123"), Buffer.from("4567890"), Buffer.from("\n\ndata: 1\n\n")], 12)
    assert.deepStrictEqual(long, { taken: [true, false, false], events: [] })
  })

  it("gives the same events wherever the bytes are cut", () => {
    const text = fc.stringMatching(/^[a-zäß€😀 :"]*$/u)
    const event = fc.record({ name: fc.option(text), lines: fc.array(text, { minLength: 1, maxLength: 3 }) })
    const eol = fc.constantFrom("\n", "\r\n")
    fc.assert(
      fc.property(fc.array(event), eol, fc.array(fc.nat()), (sent, end, places) => {
        const bytes = Buffer.from(
          sent.map(({ lines, name }) =>
            [
              ...name === null ? [] : [`event: ${name}`],
              ": …",
              ...lines.map((line) => `data: ${line}`),
              "",
              ""
            ]
              .join(end)
          ).join("")
        )
        const whole = split([bytes]).events
        assert.deepStrictEqual(split(cut(bytes, places)).events, whole)
        assert.deepStrictEqual(split([...bytes].map((byte) => Uint8Array.of(byte))).events, whole)
        assert.strictEqual(whole.length, sent.length)
      })
    )
  })
})
