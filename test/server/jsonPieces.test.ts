/** A long answer in JSON: the same text as in one piece, and others have their turn while it is made and sent. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { sendJson } from "../../src/server/Call.js"
import { jsonPieces } from "../../src/server/jsonPieces.js"

/** Sends this body, and gives what the client got and how often others had their turn meanwhile. */
const sent = async (body: unknown) => {
  let turns = 0
  const server = createServer((_, response) => {
    const others = () => {
      turns += 1
      if (!response.writableEnded) setImmediate(others)
    }
    setImmediate(others)
    void Effect.runPromise(sendJson(response, 201, body))
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const text = await answer.text()
  server.close()
  return { answer, text, turns }
}

describe("an answer in JSON", () => {
  it("is what JSON.stringify makes of it", () => {
    const value = fc.oneof(
      fc.anything({ withDate: true, withNullPrototype: true, withObjectString: true }),
      fc.jsonValue(),
      fc.array(
        fc.record({ id: fc.string(), parts: fc.array(fc.jsonValue()), left_out: fc.constant(undefined) })
      )
    )
    fc.assert(
      fc.property(value, (value) => {
        assert.strictEqual([...jsonPieces(value)].join(""), JSON.stringify(value) ?? "null")
      }),
      { numRuns: 1000 }
    )
  })

  const part = { type: "text", text: "x".repeat(500) }
  const long: Readonly<Record<string, unknown>> = {
    "a long list": Array.from({ length: 20_000 }, () => part),
    "a list in a field": { total: 20_000, sessions: Array.from({ length: 20_000 }, () => part) },
    "one message of many parts": [{ id: "t-1", parts: Array.from({ length: 20_000 }, () => part) }]
  }
  for (const [name, body] of Object.entries(long)) {
    it(`lets others go first: ${name}`, async () => {
      const { answer, text, turns } = await sent(body)
      assert.strictEqual(answer.status, 201)
      assert.strictEqual(text, `${JSON.stringify(body)}\n`)
      assert.isAbove(turns, 50)
    })
  }

  it("comes in one piece if it is short", async () => {
    const { text, turns } = await sent({ sessions: [part] })
    assert.strictEqual(text, `${JSON.stringify({ sessions: [part] })}\n`)
    assert.isBelow(turns, 3)
  })
})
