import { assert, describe, it } from "vitest"
import { type Command, matching } from "../../src/console/components/commands.js"

const command = (name: string, about?: string): Command => ({
  id: name,
  name,
  ...(about !== undefined && { about }),
  run: () => {}
})
const all = [
  command("Mend the total", "Claude Code · /srv/shop"),
  command("New session"),
  command("Total recall")
]
const names = (query: string) => matching(all, query).map(({ name }) => name)

describe("the palette", () => {
  it("shows everything until something is typed", () => {
    assert.deepStrictEqual(names(""), all.map(({ name }) => name))
    assert.deepStrictEqual(names("  "), all.map(({ name }) => name))
  })

  it("finds what has all words, in any order and case, what begins so first", () => {
    assert.deepStrictEqual(names("total"), ["Total recall", "Mend the total"])
    assert.deepStrictEqual(names("SHOP mend"), ["Mend the total"])
    assert.deepStrictEqual(names("nothing"), [])
  })

  it("offers so many that a list of sessions without end is no burden", () => {
    const many = Array.from({ length: 5000 }, (_, index) => command(`Session ${index}`))
    assert.lengthOf(matching(many, "session"), 50)
  })
})
