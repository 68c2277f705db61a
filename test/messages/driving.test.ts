import { assert, describe, it } from "@effect/vitest"
import type { RelayEvent } from "../../src/client/browser.js"
import { whoDrives } from "../../src/messages/driving.js"
import { reduce } from "../../src/messages/reduce.js"
import { empty, type View } from "../../src/messages/View.js"

const told = (...events: ReadonlyArray<object>): View =>
  reduce(
    empty,
    events.map((event, index) =>
      ({ ts: 1000, session_id: "s", seq: index + 1, ...event }) as unknown as RelayEvent
    )
  )
const start = { type: "session_start", metadata: { drivers: "one" } }
const joined = { type: "status", status: "joined", metadata: { connection: 7 }, seq: 0 }
const status = (status: string, metadata: object, text = "") => ({ type: "status", status, text, metadata })
const driver = (by?: object) => status("driver", { ...by !== undefined && { driver: by }, reason: "took" })

describe("who drives", () => {
  it("is everybody, where nobody is asked", () => {
    assert.strictEqual(whoDrives(told({ type: "session_start", metadata: {} })), "everybody")
  })

  it("is nobody at first, then me or another, by the number of the connection", () => {
    assert.strictEqual(whoDrives(told(joined, start)), "nobody")
    assert.strictEqual(whoDrives(told(joined, start, driver({ connection: 7 }))), "me")
    assert.strictEqual(whoDrives(told(start, joined, driver({ connection: 8 }))), "other")
    assert.strictEqual(whoDrives(told(start, driver({ address: "::1" }), joined)), "other")
    assert.strictEqual(whoDrives(told(joined, start, driver({ connection: 7 }), driver())), "nobody")
  })

  it("is not me, before I know who I am", () => {
    assert.strictEqual(whoDrives(told(start, driver({ connection: 7 }))), "other")
    assert.strictEqual(whoDrives(told(start, driver({ address: "::1" }))), "other")
  })

  it("is known to who comes later, and forgotten with the relay", () => {
    const metadata = {
      drivers: "one",
      driver: { connection: 8, token: "ann", front: "acp" },
      drive_requests: [{ request_id: "r", by: { token: "bob" }, expires_at: 5 }],
      suggestions: [{ suggestion_id: "g", text: "do it", by: { address: "10.0.0.1" } }]
    }
    assert.deepStrictEqual(told({ type: "session_start", metadata }).driving, {
      driver: { connection: 8, name: "ann", front: "acp" },
      requests: [{ request_id: "r", by: { name: "bob" }, expires_at: 5 }],
      suggestions: [{ suggestion_id: "g", by: { name: "10.0.0.1" }, text: "do it" }]
    })
    assert.deepStrictEqual(told({ type: "session_start", metadata }, start).driving, {
      requests: [],
      suggestions: []
    })
  })
})

describe("those who ask, and what they suggest", () => {
  it("are there until they are settled", () => {
    const asks = status("drive_requested", { request_id: "r", by: { user: "bob" }, expires_at: 5 })
    const suggests = status("suggestion", { suggestion_id: "g", by: { user: "bob" } }, "do it")
    const { driving } = told(start, asks, suggests)
    assert.deepStrictEqual(driving?.requests, [{ request_id: "r", by: { name: "bob" }, expires_at: 5 }])
    assert.deepStrictEqual(driving?.suggestions, [{ suggestion_id: "g", by: { name: "bob" }, text: "do it" }])
    const over = told(
      start,
      asks,
      suggests,
      status("drive_settled", { request_id: "r", outcome: "refused" }),
      status("suggestion_settled", { suggestion_id: "g", outcome: "dropped" })
    ).driving
    assert.deepStrictEqual(over, { requests: [], suggestions: [] })
  })
})
