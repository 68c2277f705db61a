import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { isTooDeep, oddity, parseFields } from "../../src/schema/parseFields.js"
import { cpuTime } from "../support/cpuTime.js"

const nested = (levels: number) => "{\"a\":".repeat(levels - 1) + "{}" + "}".repeat(levels - 1)

describe("parseFields", () => {
  it.each(["hello", "", "42", "\"hello\"", "null", "true", "[]", "[{}]", "{\"a\":", "{}{}", "\u0000"])(
    "takes %j for no object",
    (frame) => assert.isUndefined(parseFields(frame))
  )

  it("gives a JSON object, whatever surrounds it", () => {
    assert.deepStrictEqual(parseFields(" \n{\"a\":1}\r\n"), { a: 1 })
  })
})

describe("isTooDeep", () => {
  it("lets so many levels pass and not one more", () => {
    assert.isFalse(isTooDeep(nested(100), 100))
    assert.isTrue(isTooDeep(nested(101), 100))
    assert.isTrue(isTooDeep(` {"a":${"[".repeat(100)}${"]".repeat(100)}}`, 100))
  })

  it.each([
    `{"a":"${"[".repeat(200)}"}`,
    `{"a":"\\"${"[".repeat(200)}"}`,
    `{"a":"\\\\","b":"${"{".repeat(200)}\\\\\\""}`,
    `{"a":[${"[],".repeat(200)}[]]}`,
    "[".repeat(200),
    "hello",
    ""
  ])(
    "counts no brackets in strings, none side by side, and nothing that is no object: %j",
    (frame) => assert.isFalse(isTooDeep(frame, 100))
  )

  it("agrees with the parser on any object", () => {
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
        : 0
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue({ depthSize: "large" })), (fields) => {
      const depth = depthOf(fields)
      const frame = JSON.stringify(fields)
      assert.isFalse(isTooDeep(frame, depth))
      assert.isTrue(isTooDeep(frame, depth - 1))
    }))
  })

  it("takes no time for a frame of brackets alone, which the parser takes minutes for", () => {
    const frame = `{"a":${"[".repeat(10_000_000)}${"]".repeat(10_000_000)}}`
    assert.isBelow(cpuTime(() => assert.isTrue(isTooDeep(frame, 100))), 1000)
  })
})

describe("oddity", () => {
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
