import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { type CommandOf, decodeFrame } from "../../src/schema/index.js"

type Answer = CommandOf<"permission_response">

const decode = (fields: object) =>
  decodeFrame(JSON.stringify({ type: "permission_response", request_id: "req-1", ...fields }))

/** The one spelling the relay works with. */
const read = (fields: object): Answer => {
  const command = Result.getOrThrow(decode(fields))
  assert.strictEqual(command.type, "permission_response")
  return command as Answer
}

const behaviorOf = (fields: object) =>
  Result.getOrUndefined(Result.map(decode(fields), () => read(fields).behavior))

/** The words that allow, as the contract has them. */
const allowing = [
  "allow",
  "approve",
  "approved",
  "accept",
  "accepted",
  "acceptForSession",
  "approved_for_session",
  "allow_once",
  "allow_always",
  "yes"
]

describe("permission_response", () => {
  it.each([
    ...allowing.flatMap((word) => [{ behavior: word }, { decision: word }]),
    { allow: true },
    { approved: true },
    { allow: true, approved: true, behavior: "allow", decision: "accept" },
    { allow: true, behavior: null, decision: null }
  ])("%j allows", (fields) => {
    assert.strictEqual(read(fields).behavior, "allow")
  })

  it.each([
    {},
    { behavior: "deny" },
    { behavior: "Allow" },
    { behavior: " allow" },
    { behavior: "" },
    { behavior: "constructor" },
    { behavior: null },
    { allow: false },
    { approved: false },
    { decision: "decline" },
    { decision: "cancel" },
    { decision: "denied" },
    { decision: "true" },
    { updatedInput: { behavior: "allow" } },
    { outcome: "allow", response: { behavior: "allow" } },
    { message: "allow" },
    { scope: "session" }
  ])("%j denies", (fields) => {
    assert.strictEqual(read(fields).behavior, "deny")
  })

  it.each([
    { behavior: "allow", allow: false },
    { behavior: "allow", approved: false },
    { behavior: "deny", allow: true },
    { behavior: "allow", decision: "decline" },
    { decision: "accept", approved: false },
    { option_id: "allow", behavior: "deny" }
  ])("%j contradicts itself, so it denies", (fields) => {
    assert.strictEqual(read(fields).behavior, "deny")
  })

  it.each([
    [{ option_id: "once" }, { option_id: "once" }],
    [{ optionId: "once" }, { option_id: "once" }],
    [{ option_id: "a", optionId: "b" }, { option_id: "a" }],
    [{ answers: { colour: "Blue" } }, { answers: { colour: "Blue" } }],
    [{ answers: { sizes: ["S", "L"] } }, { answers: { sizes: ["S", "L"] } }]
  ])("%j leaves it to what was offered or asked", (fields, expected) => {
    assert.deepStrictEqual<object>(read(fields), {
      type: "permission_response",
      request_id: "req-1",
      ...expected
    })
  })

  it.each([
    [{ updatedInput: { command: "ls" } }, { updatedInput: { command: "ls" } }],
    [{ updated_input: { command: "ls" } }, { updatedInput: { command: "ls" } }],
    [{ updatedInput: null, updated_input: { a: null } }, { updatedInput: { a: null } }],
    [{ message: "why" }, { message: "why" }],
    [{ scope: "session" }, { scope: "session" }],
    [{ stop: false }, { stop: false }],
    [{ message_id: "m-1" }, { message_id: "m-1" }],
    [{ decision: "acceptForSession" }, { scope: "session" }],
    [{ decision: "approved_for_session" }, { scope: "session" }],
    [{ behavior: "allow_always" }, { scope: "session" }],
    [{ decision: "acceptForSession", scope: "once" }, { scope: "once" }]
  ])("%j means, with an allow, %j", (fields, expected) => {
    assert.deepStrictEqual<object>(read({ allow: true, ...fields }), {
      type: "permission_response",
      request_id: "req-1",
      behavior: "allow",
      ...expected
    })
  })

  it.each([
    [{ decision: "cancel" }, { stop: true }],
    [{ decision: "abort" }, { stop: true }],
    [{ behavior: "cancel" }, { stop: true }],
    [{ decision: "cancel", stop: false }, { stop: false }],
    [{ decision: "decline" }, {}],
    [{ decision: "acceptForSession", approved: false }, {}]
  ])("%j denies, with %j", (fields, expected) => {
    assert.deepStrictEqual<object>(read(fields), {
      type: "permission_response",
      request_id: "req-1",
      behavior: "deny",
      ...expected
    })
  })

  it("names its request by the tool call, too", () => {
    const fields = { request_id: null, tool_use_id: "toolu_1", allow: true }
    assert.deepStrictEqual<object>(read(fields), {
      type: "permission_response",
      tool_use_id: "toolu_1",
      behavior: "allow"
    })
  })

  const request = "must be the request_id of a permission_request or control_request, a string"
  const answers = "must be an object from each question's id (or text) to a string or a list of strings"
  it.each([
    [{ request_id: null }, "`request_id` is missing: copy it from the permission_request you answer"],
    [{ request_id: 7 }, `\`request_id\` ${request}`],
    [{ request_id: "" }, `\`request_id\` ${request}`],
    [{ tool_use_id: "" }, "`tool_use_id` must be a string with at least one character"],
    [{ behavior: true }, "`behavior` must be a string"],
    [{ allow: "true" }, "`allow` must be true or false"],
    [{ approved: 1 }, "`approved` must be true or false"],
    [{ decision: { acceptWithExecpolicyAmendment: {} } }, "`decision` must be a string"],
    [{ option_id: 1 }, "`option_id` must be a string with at least one character"],
    [{ optionId: "" }, "`optionId` must be a string with at least one character"],
    [{ updatedInput: [] }, "`updatedInput` must be an object"],
    [{ updated_input: "ls" }, "`updated_input` must be an object"],
    [{ message: {} }, "`message` must be a string"],
    [{ scope: "forever" }, "`scope` must be one of \"once\", \"session\""],
    [{ stop: "true" }, "`stop` must be true or false"],
    [{ answers: ["Blue"] }, `\`answers\` ${answers}`],
    [{ answers: { colour: 1 } }, `\`answers\` ${answers}`]
  ])("says of %j what to put there", (fields, problem) => {
    assert.deepStrictEqual(decode(fields), Result.fail({ problem }))
  })

  // --- denies unless it says allow ----------------------------------------------------------------------------

  const noise = fc.record({
    option_id: fc.constantFrom("allow", "allow_once", "acceptEdits"),
    updatedInput: fc.constantFrom({}, { behavior: "allow" }, { allow: true }),
    message: fc.constantFrom("allow", "yes"),
    scope: fc.constantFrom("once", "session"),
    stop: fc.boolean(),
    answers: fc.constantFrom({}, { allow: "yes" }),
    outcome: fc.constantFrom("allow", { outcome: "selected", optionId: "allow" }),
    Allow: fc.constant(true),
    constructor: fc.constantFrom<unknown>({ prototype: { allow: true } }, "allow")
  }, { requiredKeys: [] })
  const json = fc.jsonValue({ maxDepth: 1 })
  const silentWord = fc.oneof(
    fc.constantFrom("Allow", "ALLOW", "allow ", "allowed", "true", "ok", "deny", "toString", "__proto__"),
    fc.string()
  ).filter((word) => !allowing.includes(word))
  const notTrue = fc.oneof(json, fc.constantFrom("true", 1, "yes", false)).filter((value) => value !== true)

  it("denies unless it says allow", { timeout: 60_000 }, () => {
    const silent = fc.record({
      behavior: fc.oneof(silentWord, json.filter((value) => typeof value !== "string")),
      decision: fc.oneof(silentWord, json.filter((value) => typeof value !== "string")),
      allow: notTrue,
      approved: notTrue
    }, { requiredKeys: [] })
    fc.assert(
      fc.property(silent, noise, (said, beside) => {
        assert.notStrictEqual(behaviorOf({ ...beside, ...said }), "allow")
      }),
      { numRuns: 2000 }
    )
  })

  it("denies as soon as one thing it says is no allow", { timeout: 60_000 }, () => {
    const word = fc.constantFrom(...allowing)
    const saysAllow = fc.record(
      { behavior: word, decision: word, allow: fc.constant(true), approved: fc.constant(true) },
      { requiredKeys: [] }
    )
    const no = fc.oneof(
      fc.record({ behavior: silentWord }),
      fc.record({ decision: silentWord }),
      fc.record({ allow: fc.constant(false) }),
      fc.record({ approved: fc.constant(false) })
    )
    fc.assert(
      fc.property(saysAllow, no, noise, (yes, no, beside) => {
        assert.strictEqual(read({ ...beside, ...yes, ...no }).behavior, "deny")
      }),
      { numRuns: 1000 }
    )
  })
})
