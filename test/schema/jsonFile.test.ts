import { Result, Schema } from "effect"
import { assert, describe, it } from "vitest"
import { jsonReader } from "../../src/schema/jsonFile.js"
import { PolicyFile } from "../../src/services/policy/Policy.js"

const problemIn = (text: string) =>
  Result.match(jsonReader(PolicyFile)(text), { onFailure: (problem) => problem, onSuccess: () => "none" })
const rule = (fields: object) =>
  problemIn(JSON.stringify({ rules: [{ name: "a", verdict: "deny" }, fields] }))

describe("a file of JSON", () => {
  it("that is right may begin as editors on Windows begin it", () => {
    assert.strictEqual(problemIn("\uFEFF{\"rules\":[]}"), "none")
  })

  it("that is wrong says where, and what belongs there", () => {
    assert.strictEqual(rule({ verdict: "deny" }), "\"name\" of no. 2 of \"rules\" is missing")
    assert.strictEqual(
      rule({ name: "b", verdict: "forbid" }),
      "\"verdict\" of no. 2 of \"rules\" must be \"allow\", \"ask\" or \"deny\""
    )
    assert.strictEqual(
      rule({ name: "b", verdict: "deny", commands: ["git push"] }),
      "no. 1 of \"commands\" of no. 2 of \"rules\" must be a list"
    )
    assert.strictEqual(
      rule({ name: "b", verdict: "deny", commands: [[]] }),
      "no. 1 of no. 1 of \"commands\" of no. 2 of \"rules\" is missing"
    )
    assert.strictEqual(
      rule({ name: "b", verdict: "deny", comands: [["git"]] }),
      "\"comands\" of no. 2 of \"rules\" is not known here: remove it, or correct its spelling"
    )
    assert.strictEqual(
      rule({ name: "", verdict: "deny" }),
      "\"name\" of no. 2 of \"rules\" must not be empty"
    )
    assert.strictEqual(
      rule({ name: "b", verdict: "deny", exact: "yes" }),
      "\"exact\" of no. 2 of \"rules\" must be true or false"
    )
    assert.strictEqual(problemIn("{\"rules\":[null]}"), "no. 1 of \"rules\" must be an object")
    assert.strictEqual(problemIn("[]"), "it must be an object")
    assert.strictEqual(problemIn("{\"rules\":{}}"), "\"rules\" must be a list")
  })

  it("that is no JSON says so, with the line where that is known, and quotes nothing", () => {
    assert.match(
      problemIn("{\n\"rules\": [],\n secret\n}"),
      /^it is not valid JSON( \(line 3\))?, which has no comments and no trailing commas$/
    )
  })

  it("has amounts that are none", () => {
    const read = jsonReader(Schema.Struct({ input: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)) }))
    const problem = (input: unknown) =>
      Result.match(read(JSON.stringify({ input })), { onFailure: (text) => text, onSuccess: () => "none" })
    assert.strictEqual(problem(-1), "\"input\" must be 0 or more")
    assert.strictEqual(problem("1"), "\"input\" must be a number")
  })
})
