import { assert, describe, it } from "@effect/vitest"
import * as Tickets from "../../../src/services/access/Tickets.js"

describe("Tickets", () => {
  it("lets each in once, within half a minute, as whoever asked for it", () => {
    const tickets = Tickets.make<string>()
    const [one = "", other = "", late = ""] = [
      tickets.give(0, "one"),
      tickets.give(0, "other"),
      tickets.give(0, "late")
    ]
    assert.lengthOf(new Set([one, other, late]), 3)
    assert.isAtLeast(one.length, 43)
    assert.strictEqual(tickets.take(one, 0), "one")
    assert.isUndefined(tickets.take(one, 0))
    assert.strictEqual(tickets.take(other, 29_999), "other")
    assert.isUndefined(tickets.take(late, 30_000))
  })

  it("knows no others", () => {
    const tickets = Tickets.make<string>()
    tickets.give(0, "one")
    for (const ticket of ["", "x", "undefined", "__proto__"]) assert.isUndefined(tickets.take(ticket, 0))
  })

  it("gives only so many at once, and goes on when they are too old", () => {
    const tickets = Tickets.make<string>()
    for (let n = 0; n < 1000; n++) assert.isDefined(tickets.give(0, "one"))
    assert.isUndefined(tickets.give(29_999, "one"))
    assert.isDefined(tickets.give(30_000, "one"))
  })
})
