import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { encodeLine } from "../../../src/adapters/wire/encodeLine.js"
import { layerSession, openFake } from "../../support/fakeAcpAgent.js"
import { claude } from "../cases/lines.js"
import { playLines } from "../cases/play.js"

/** Any sequence of 16 bits, halves of pairs among them. */
const text = fc.array(fc.oneof(
  fc.integer({ min: 0xd7fe, max: 0xe001 }),
  fc.integer({ min: 0, max: 0xffff }),
  fc.constantFrom(0x5c, 0x22, 0x75, 0x64)
)).map((units) => String.fromCharCode(...units))

/** What UTF-8 makes of it. */
const toWellFormed = (value: string) => Buffer.from(value, "utf8").toString("utf8")

const wellFormed = (value: unknown): unknown =>
  typeof value === "string"
    ? toWellFormed(value)
    : Array.isArray(value)
    ? value.map(wellFormed)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(
      Object.entries(value).map(([name, field]) => [toWellFormed(name), wellFormed(field)])
    )
    : value

describe("a line for an agent", () => {
  it("is well-formed, and says what the message says but for halves of characters", () =>
    fc.assert(fc.property(text, text, (one, other) => {
      const message = { [`k${one}`]: [other, { deep: one }], n: 1 }
      const line = encodeLine(message)
      assert.strictEqual(line, toWellFormed(line))
      assert.notMatch(line, /[\r\n]/)
      assert.deepStrictEqual(JSON.parse(line), wellFormed(message))
    })))

  const half = "x \ud83d y"

  it.effect("is so for a prompt", () =>
    Effect.gen(function*() {
      const { prompt, requested } = yield* openFake()
      yield* prompt(half)
      const { params } = yield* requested("session/prompt")
      assert.strictEqual(params.prompt[0].text, "x \ufffd y")
    }).pipe(Effect.provide(layerSession)))

  it.live("is so for an answer to a question", () =>
    Effect.gen(function*() {
      const { told } = yield* playLines(
        "claude",
        claude.conversation(
          claude.calls("t", "Bash"),
          ...claude.asks({ subtype: "can_use_tool", tool_name: "Bash", tool_use_id: "t", input: {} })
        ),
        { answer: { behavior: "deny", message: half } }
      )
      assert.include(JSON.stringify(told.at(-1)), "x \ufffd y")
    }))
})
