import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { isTooDeep, oddity, parseBounded, parseFields } from "../../src/schema/parseFields.js"
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

describe("parseBounded", () => {
  const bounds = { levels: 100, values: 20_000 }
  const many = (values: number) => `{"a":[${"1,".repeat(values - 2)}1]}`

  it("gives an object within the bounds, and nothing for a text that is none", () => {
    assert.deepStrictEqual(parseBounded("{\"a\":[1,{\"b\":null}]}", bounds), { a: [1, { b: null }] })
    for (const text of ["hello", "{ a plain text, of a person", "[1]", "{\"a\":1", "{\"a\":1}}"]) {
      assert.isUndefined(parseBounded(text, bounds))
    }
  })

  it("refuses what holds too many values, however they are spread, and not one more than is said", () => {
    const allowed = parseBounded(many(20_000), bounds)
    assert.isObject(allowed)
    const sentence = "the frame contains too many values: use at most 20000"
    assert.strictEqual(parseBounded(many(20_003), bounds), sentence)
    assert.strictEqual(parseBounded(`{${"\"k\":{},".repeat(20_000)}"z":0}`, bounds), sentence)
    assert.strictEqual(parseBounded(`{"a":[${"[],".repeat(20_000)}[]]}`, bounds), sentence)
    assert.isObject(parseBounded(`{"text":"${"a,b{[".repeat(20_000)}"}`, bounds))
  })

  it.each([
    ["a million and a half keys", `{${"\"key\":1,".repeat(1_500_000)}"z":1}`],
    ["brackets that are never closed", `{"a":${"[".repeat(10_000_000)}`],
    ["quotes that are never closed", `{"a":"${"\\\"".repeat(5_000_000)}`],
    ["backslashes", `{"a":"${"\\".repeat(5_000_000)}`],
    ["a text that is never closed", `{"a":1${" ".repeat(10_000_000)}`]
  ])("takes no time for %s", (_, frame) => {
    assert.isBelow(cpuTime(() => assert.isNotObject(parseBounded(frame, bounds))), 1000)
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
