import { assert, describe, it } from "@effect/vitest"
import * as Tickets from "../../../src/services/access/Tickets.js"

describe("Tickets", () => {
  it("lets each in once, within half a minute", () => {
    const tickets = Tickets.make()
    const [one = "", other = "", late = ""] = [tickets.give(0), tickets.give(0), tickets.give(0)]
    assert.lengthOf(new Set([one, other, late]), 3)
    assert.isAtLeast(one.length, 43)
    assert.isTrue(tickets.take(one, 0))
    assert.isFalse(tickets.take(one, 0))
    assert.isTrue(tickets.take(other, 29_999))
    assert.isFalse(tickets.take(late, 30_000))
  })

  it("knows no others", () => {
    const tickets = Tickets.make()
    tickets.give(0)
    for (const ticket of ["", "x", "undefined", "__proto__"]) assert.isFalse(tickets.take(ticket, 0))
  })

  it("gives only so many at once, and goes on when they are too old", () => {
    const tickets = Tickets.make()
    for (let n = 0; n < 1000; n++) assert.isDefined(tickets.give(0))
    assert.isUndefined(tickets.give(29_999))
    assert.isDefined(tickets.give(30_000))
  })
})
