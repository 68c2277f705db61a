import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { join } from "node:path"
import * as User from "../../src/lab/User.js"

describe("User", () => {
  it("leaves a plain name as it is", () => {
    for (const id of ["ada", "user-7", "a_b", "0"]) assert.strictEqual(User.make(id).name, id)
  })

  it("makes a readable name of any other, with a hash", () => {
    assert.match(User.make("Ada Lovelace <ada@example.com>").name, /^ada-lovelace-ada-exa--[0-9a-f]{24}$/)
    assert.match(User.make("../../etc").name, /^etc--[0-9a-f]{24}$/)
    assert.match(User.make("安").name, /^user--[0-9a-f]{24}$/)
  })

  it("never gives two users one name, however alike", () => {
    const alike = [
      "ada",
      "Ada",
      "ADA",
      "ada ",
      "ada.",
      "a-da",
      "ada--x",
      User.make("Ada").name,
      "auth0|ada",
      "auth0-ada"
    ]
    assert.strictEqual(new Set(alike.map((id) => User.make(id).name)).size, alike.length)
  })

  it("stays in its folder, and is a name for folders, containers and services, whatever the id", () =>
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 80, unit: "grapheme" }), (id) => {
        const { name } = User.make(id)
        assert.strictEqual(join("/root", name), `/root/${name}`)
        assert.match(name, /^[a-z0-9](?:[-_]*[a-z0-9])*$/)
        assert.isAtMost(name.length, 46)
      }),
      { numRuns: 20 }
    ))
})
