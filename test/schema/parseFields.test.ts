import { assert, describe, it } from "@effect/vitest"
import { oddity, parseFields } from "../../src/schema/parseFields.js"

const nested = (levels: number): unknown =>
  JSON.parse("{\"a\":".repeat(levels - 1) + "{}" + "}".repeat(levels - 1))

describe("parseFields", () => {
  it.each(["hello", "", "42", "\"hello\"", "null", "true", "[]", "[{}]", "{\"a\":", "{}{}", "\u0000"])(
    "takes %j for no object",
    (frame) => assert.isUndefined(parseFields(frame))
  )

  it("gives a JSON object, whatever surrounds it", () => {
    assert.deepStrictEqual(parseFields(" \n{\"a\":1}\r\n"), { a: 1 })
  })
})

describe("oddity", () => {
  it("lets a hundred levels pass and not one more", () => {
    assert.isUndefined(oddity(nested(100)))
    assert.strictEqual(oddity(nested(101)), "the frame is nested too deeply: use at most 100 levels")
  })

  it.each(["{\"__proto__\":null}", "{\"a\":[{\"__proto__\":{\"behavior\":\"allow\"}}]}"])(
    "finds the __proto__ in %s",
    (json) =>
      assert.strictEqual(
        oddity(JSON.parse(json)),
        "`__proto__` cannot be the name of a field: leave it out"
      )
  )

  it("minds no other name", () => {
    assert.isUndefined(oddity(JSON.parse("{\"constructor\":{\"prototype\":{}},\"toString\":1,\"\":[null]}")))
  })
})
