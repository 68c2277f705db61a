import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import { ClientCommand, decodeFrame } from "../../src/schema/index.js"

const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } }
const text = (text: string) => ({ type: "text", text })
const prompt = (...content: ReadonlyArray<object>) => ({ type: "user_message", content })
const uuid = "9a91ffdc-c81a-4d0b-9b39-fd3cb83f032b"

const decode = (fields: unknown) => decodeFrame(JSON.stringify(fields))
const hasNoObject = (fields: object) => Object.values(fields).every((value) => typeof value !== "object")

describe("decodeFrame: prompts", () => {
  it.each(["hello", "  hello\n", "42", "true", "null", "\"hello\"", "[1,2]", "[]", "{\"text\":", "/compact"])(
    "%j is no JSON object, so it is a prompt as it stands",
    (frame) => assert.deepStrictEqual<unknown>(decodeFrame(frame), Result.succeed(prompt(text(frame))))
  )

  it.each([
    [{ text: "hi" }, prompt(text("hi"))],
    [{ type: null, text: "hi" }, prompt(text("hi"))],
    [{ text: "hi", images: [image] }, prompt(text("hi"), image)],
    [{ text: "", images: [image] }, prompt(image)],
    [
      { text: "hi", uuid, when: "steer", message_id: "m" },
      { ...prompt(text("hi")), uuid, when: "steer", message_id: "m" }
    ],
    [{ text: "hi", uuid: null, when: null, message_id: null, images: null }, prompt(text("hi"))],
    [{ type: "user_message", content: "hi" }, prompt(text("hi"))],
    [{ type: "user_message", content: [text("a"), image, text("b")] }, prompt(text("a"), image, text("b"))],
    [{ type: "user_message", content: "hi", images: [image] }, prompt(text("hi"), image)],
    [{ type: "user_message", content: [], images: [image] }, prompt(image)],
    [
      { type: "user_message", content: "hi", when: "interrupt", uuid, message_id: "m" },
      { ...prompt(text("hi")), when: "interrupt", uuid, message_id: "m" }
    ]
  ])("%j is a prompt", (frame, command) => {
    assert.deepStrictEqual<unknown>(decode(frame), Result.succeed(command))
  })

  it.each([
    "",
    "   \n",
    "{\"text\":\"\"}",
    "{\"text\":\" \",\"images\":[]}",
    "{\"type\":\"user_message\",\"content\":[]}"
  ])(
    "%j is an empty prompt, which is refused",
    (frame) =>
      assert.deepStrictEqual(
        decodeFrame(frame),
        Result.fail({ problem: "the prompt is empty: add some text or an image" })
      )
  )
})

describe("decodeFrame: commands", () => {
  it.each([
    { type: "interrupt" },
    { type: "interrupt", message_id: "m-1" },
    { type: "set_model", model: "opus" },
    { type: "set_permission_mode", mode: "plan", message_id: "m-1" },
    { type: "control_request", request: { subtype: "mcp_status", deep: { er: [null] } } },
    { type: "control_request", request_id: "c-1", request: { subtype: "initialize" } },
    { type: "control_response", response: { subtype: "success", request_id: "r" } },
    { type: "control_response", response: { subtype: "success", request_id: "r", response: { a: 1 } } },
    { type: "control_response", response: { subtype: "error", request_id: "r", error: "no" } },
    { type: "raw_request", method: "thread/list" },
    { type: "raw_request", request_id: "c-2", method: "thread/read", params: { threadId: "t" } },
    { type: "resize", cols: 1, rows: 1000 },
    { type: "stdin", data: "\u0003" },
    { type: "stdin", data: "" },
    { type: "cancel_queued", message_id: "m-1" },
    { type: "set_budget", budget: { turn: { minutes: 30 }, session: { cost_usd: 0 } } },
    { type: "end" },
    { type: "ping" }
  ])("understands %j", (command) => {
    assert.deepStrictEqual<unknown>(decode(command), Result.succeed(command))
  })

  it("ignores fields it does not know, and takes null for absent", () => {
    const frame = { type: "raw_request", method: "m", request_id: null, params: null, message_id: null, x: 1 }
    assert.deepStrictEqual<unknown>(decode(frame), Result.succeed({ type: "raw_request", method: "m" }))
  })

  it.each([
    { mode: "never" },
    { approval_policy: "never" },
    { approvalPolicy: "never" },
    { policy: "never" },
    { mode: null, policy: "never" },
    { mode: "never", approval_policy: "untrusted" }
  ])("set_approval_policy with %j is set_permission_mode", (fields) => {
    assert.deepStrictEqual<unknown>(
      decode({ type: "set_approval_policy", message_id: "m", ...fields }),
      Result.succeed({ type: "set_permission_mode", mode: "never", message_id: "m" })
    )
  })
})

const types =
  "user_message, permission_response, interrupt, set_model, set_permission_mode, set_approval_policy, "
  + "control_request, control_response, raw_request, resize, stdin, cancel_queued, hand_over, take_over, set_budget, set_on_limit, schedule, change_schedule, remove_schedule, rewind, undo_rewind, drive, drive_response, suggest, suggestion_response, end, ping"
const nonEmpty = "must be a string with at least one character"
const blocks =
  "must be a string or a list of blocks, {\"type\":\"text\",\"text\":\"…\"} or {\"type\":\"image\",\"source\":"
  + "{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\"…\"}}"
const images =
  "must be a list of image blocks, {\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
  + "\"image/png\",\"data\":\"…\"}} (png, jpeg, gif or webp)"
const nativeRequest = "must be an object with a `subtype`, as the agent's own protocol has it"
const nativeAnswer = "must be {\"subtype\":\"success\" or \"error\",\"request_id\":\"…\",\"response\":{…}}"
const size = "must be a whole number from 1 to 1000"
const messageId = "must be a string of 1 to 256 characters"

describe("decodeFrame: what is wrong", () => {
  it.each([
    [{}, `\`type\` is missing: send {"text":"…"} for a prompt, or one of ${types}`],
    [{ type: "restart" }, `\`type\` must be one of ${types}`],
    [{ type: "" }, `\`type\` must be one of ${types}`],
    [{ type: 1 }, `\`type\` must be one of ${types}`],
    [{ type: "constructor" }, `\`type\` must be one of ${types}`],
    [{ type: "__proto__" }, `\`type\` must be one of ${types}`],
    [{ text: 1 }, "`text` must be a string"],
    [{ text: null }, "`text` must be a string"],
    [{ text: "hi", images: "x" }, `\`images\` ${images}`],
    [{ text: "hi", images: [text("x")] }, `\`images\` ${images}`],
    [{ text: "hi", when: "now" }, "`when` must be one of \"queue\", \"steer\", \"interrupt\""],
    [{ text: "hi", uuid: "1" }, "`uuid` must be a UUID"],
    [{ text: "hi", message_id: "" }, `\`message_id\` ${messageId}`],
    [{ text: "hi", message_id: 1 }, `\`message_id\` ${messageId}`],
    [{ type: "user_message" }, `\`content\` is missing: it ${blocks}`],
    [{ type: "user_message", content: null }, `\`content\` ${blocks}`],
    [{ type: "user_message", content: [{ type: "image" }] }, `\`content\` ${blocks}`],
    [{ type: "user_message", content: [{ type: "audio", data: "x" }] }, `\`content\` ${blocks}`],
    [{ type: "set_model" }, `\`model\` is missing: it ${nonEmpty}`],
    [{ type: "set_model", model: "" }, `\`model\` ${nonEmpty}`],
    [{ type: "set_permission_mode" }, `\`mode\` is missing: it ${nonEmpty}`],
    [{ type: "set_permission_mode", mode: 1 }, `\`mode\` ${nonEmpty}`],
    [{ type: "set_approval_policy" }, `\`mode\` ${nonEmpty}`],
    [{ type: "control_request" }, `\`request\` is missing: it ${nativeRequest}`],
    [{ type: "control_request", request: {} }, `\`request\` ${nativeRequest}`],
    [{ type: "control_request", request: "mcp_status" }, `\`request\` ${nativeRequest}`],
    [{ type: "control_response" }, `\`response\` is missing: it ${nativeAnswer}`],
    [{ type: "control_response", response: { subtype: "success" } }, `\`response\` ${nativeAnswer}`],
    [{ type: "control_response", response: { behavior: "allow" } }, `\`response\` ${nativeAnswer}`],
    [{ type: "raw_request" }, `\`method\` is missing: it ${nonEmpty}`],
    [{ type: "raw_request", method: "m", params: [] }, "`params` must be an object"],
    [{ type: "resize" }, `\`cols\` is missing: it ${size}`],
    [{ type: "resize", cols: 80 }, `\`rows\` is missing: it ${size}`],
    [{ type: "resize", cols: 0, rows: 1 }, `\`cols\` ${size}`],
    [{ type: "resize", cols: 80, rows: 24.5 }, `\`rows\` ${size}`],
    [{ type: "stdin" }, "`data` is missing: it must be a string"],
    [{ type: "stdin", data: [3] }, "`data` must be a string"],
    [
      { type: "set_budget", budget: { turn: { tokens: -1 } } },
      "`budget.turn.tokens` must be a number, 0 or more"
    ],
    [{ type: "set_budget", budget: { turn: 5 } }, "`budget.turn` must be an object"],
    [{ type: "cancel_queued" }, `\`message_id\` is missing: it ${messageId}`]
  ])("says of %j what to put there", (frame, problem) => {
    assert.deepStrictEqual<unknown>(
      Result.mapError(decode(frame), (bad) => bad.problem),
      Result.fail(problem)
    )
  })

  it("repeats the frame's message_id, if it is one", () => {
    const idOf = (message_id: unknown) =>
      Result.merge(Result.mapError(decode({ type: "stdin", message_id }), (bad) => bad.message_id))
    assert.strictEqual<unknown>(idOf("m-1"), "m-1")
    for (const none of [undefined, null, "", 7, {}, "x".repeat(257)]) assert.isUndefined(idOf(none))
  })
})

describe("decodeFrame: hostile frames", () => {
  const deep = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000)
  const tooDeep = "the frame is nested too deeply: use at most 100 levels"

  it.each(["[", "{", "{\"a\":"])("takes 100 000 times %j for the prompt it is", (open) => {
    const frame = open.repeat(100_000)
    assert.deepStrictEqual<unknown>(decodeFrame(frame), Result.succeed(prompt(text(frame))))
  })

  it.each([
    "{\"text\":…}",
    "{\"type\":\"user_message\",\"content\":…}",
    "{\"type\":\"permission_response\",\"request_id\":\"r\",\"allow\":true,\"updatedInput\":{\"a\":…}}",
    "{\"type\":\"control_request\",\"request\":{\"subtype\":\"x\",\"a\":…}}",
    "{\"type\":\"ping\",\"unknown\":…}"
  ])("refuses 100 000 levels in the place of … in %s", (frame) => {
    for (const levels of [deep("[", "]"), deep("{\"a\":[", "]}")]) {
      assert.deepStrictEqual<unknown>(
        decodeFrame(frame.replace("…", levels)),
        Result.fail({ problem: tooDeep })
      )
    }
  })

  it.each([
    "{\"__proto__\":{\"type\":\"end\"}}",
    "{\"type\":\"ping\",\"__proto__\":{\"x\":1}}",
    "{\"type\":\"permission_response\",\"request_id\":\"r\",\"__proto__\":{\"behavior\":\"allow\"}}",
    "{\"type\":\"control_response\",\"response\":{\"subtype\":\"success\",\"request_id\":\"r\","
    + "\"response\":{\"__proto__\":{\"behavior\":\"allow\"}}}}"
  ])("refuses the __proto__ in %s", (frame) => {
    assert.deepStrictEqual<unknown>(
      decodeFrame(frame),
      Result.fail({ problem: "`__proto__` cannot be the name of a field: leave it out" })
    )
    assert.isTrue(hasNoObject(Object.prototype))
  })

  it("treats constructor, prototype and toString as names like any other", () => {
    const updatedInput = { constructor: { prototype: { polluted: true } }, toString: "x", valueOf: null }
    const frame = { type: "permission_response", request_id: "constructor", allow: true, updatedInput }
    assert.deepStrictEqual<unknown>(
      decode(frame),
      Result.succeed({
        type: "permission_response",
        request_id: "constructor",
        behavior: "allow",
        updatedInput
      })
    )
    assert.notProperty({}, "polluted")
  })
})

/** A command that fits its schema, or a sentence that names no value. */
const check = (frame: string, canary?: string) =>
  Result.match(decodeFrame(frame), {
    onFailure: ({ problem }) => {
      assert.match(
        problem,
        /^(?:`\w+` (?:must be |is missing: )|the prompt is empty: |the frame is nested |`__proto__` )/
      )
      assert.notMatch(problem, /Expected|actual/)
      if (canary !== undefined) assert.notInclude(problem, canary)
    },
    onSuccess: (command) => assert.isTrue(Schema.is(ClientCommand)(command))
  })

/** Thousands of frames, on a machine that may be busy. */
describe("decodeFrame: whatever comes", { timeout: 60_000 }, () => {
  it("gives a command or a sentence for random text", () => {
    fc.assert(fc.property(fc.string({ maxLength: 60 }), (frame) => check(frame)), { numRuns: 2000 })
  })

  it.each(["utf8", "utf16le"] as const)(
    "gives a command or a sentence for random bytes as %s",
    (encoding) => {
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 60 }),
          (bytes) => check(Buffer.from(bytes).toString(encoding))
        ),
        { numRuns: 2000 }
      )
    }
  )

  it("gives a command or a sentence for random JSON", () => {
    fc.assert(fc.property(fc.json({ maxDepth: 4 }), (frame) => check(frame)), { numRuns: 2000 })
  })

  it("gives a command or a sentence for frames that are nearly right, and never quotes a value", () => {
    const canary = "s3cret"
    const known = types.split(", ")
    const names = [
      "content",
      "text",
      "images",
      "uuid",
      "when",
      "message_id",
      "request_id",
      "tool_use_id",
      "behavior"
    ]
      .concat([
        "allow",
        "approved",
        "decision",
        "option_id",
        "optionId",
        "updatedInput",
        "updated_input",
        "message"
      ])
      .concat([
        "scope",
        "stop",
        "answers",
        "model",
        "mode",
        "approval_policy",
        "policy",
        "request",
        "response"
      ])
      .concat(["method", "params", "cols", "rows", "data", "subtype", "source", "type", canary])
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom<unknown>(
          canary,
          "",
          null,
          true,
          false,
          0,
          7,
          1.5,
          image,
          text("a"),
          "allow",
          "success"
        ),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie("value"), { maxKeys: 4 })
      )
    })).value
    const frame = fc.tuple(
      fc.option(fc.constantFrom(...known), { nil: undefined }),
      fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6 })
    ).map(([type, fields]) => ({ ...fields, ...(type !== undefined && { type }) }))
    fc.assert(fc.property(frame, (fields) => check(JSON.stringify(fields), canary)), { numRuns: 5000 })
  })
})
