import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as fc from "fast-check"
import {
  decodeHandshake,
  Handshake,
  HandshakeFields,
  PtyOptions,
  SnowflakeOptions
} from "../../src/schema/index.js"

const decode = (handshake: unknown) => decodeHandshake(JSON.stringify(handshake))

/** Every field, as a client may send it. */
const full = {
  tool: "cortex",
  folder: "/srv/shop",
  model: "opus",
  extra_args: ["--verbose", ""],
  session_id: "shop-42",
  env: { CI: "1", EMPTY: "" },
  mode: "analyst",
  snowflake: {
    account_url: "https://acme.snowflakecomputing.com",
    token: "secret",
    token_env: "SNOWFLAKE_PAT",
    token_type: "PROGRAMMATIC_ACCESS_TOKEN",
    semantic_view: "a.b.c",
    semantic_model: "name: x",
    semantic_model_file: "@stage/model.yaml",
    semantic_models: [{ semantic_view: "a.b.c" }],
    agent: "db.schema.name",
    model: "claude",
    timeout: 120
  },
  approval_policy: "on-request",
  sandbox: "workspace-write",
  ephemeral: true,
  serviceName: "shop",
  modelProvider: "openai",
  serviceTier: "flex",
  approvalsReviewer: "user",
  config: { model_reasoning_effort: "low" },
  baseInstructions: "Be kind.",
  developerInstructions: "",
  personality: "friendly",
  permission_mode: "plan",
  command: ["bash", "-c", ""],
  pty: { cols: 120, rows: 30, raw: true },
  native_session_id: "9a91ffdc",
  history: true,
  if_open: "follow",
  fork: false,
  follow: true,
  after_seq: 0,
  budget: { turn: { tokens: 1000 }, session: { cost_usd: 2.5 } },
  linger: 0.5,
  must_exist: true,
  relay_tools: true,
  parent: "shop-41",
  mcp_servers: [
    { name: "db", command: "db-mcp", args: ["--read-only"], env: { KEY: "x" } },
    { name: "docs", type: "http", url: "https://mcp.example.com", headers: { Authorization: "Bearer x" } }
  ],
  front: "my-app",
  on_limit: "resume",
  raw: false,
  watch: "sessions",
  token: "secret",
  ticket: "once"
}

const nulls = (fields: object) => Object.fromEntries(Object.keys(fields).map((name) => [name, null]))

describe("decodeHandshake", () => {
  it("takes every field of the contract", () => {
    assert.deepStrictEqual<unknown>(decode(full), Result.succeed(full))
    assert.sameMembers(Object.keys(full), Object.keys(HandshakeFields.fields))
    assert.sameMembers(Object.keys(full.snowflake), Object.keys(SnowflakeOptions.fields))
    assert.sameMembers(Object.keys(full.pty), Object.keys(PtyOptions.fields))
  })

  it("needs no field", () => {
    assert.deepStrictEqual(decode({}), Result.succeed({}))
  })

  it("takes null for absent, everywhere", () => {
    assert.deepStrictEqual(decode(nulls(full)), Result.succeed({}))
    assert.deepStrictEqual(
      decode({ snowflake: nulls(full.snowflake), pty: nulls(full.pty) }),
      Result.succeed({ snowflake: {}, pty: {} })
    )
  })

  it("ignores fields it does not know", () => {
    const frame =
      "{\"theme\":\"dark\",\"constructor\":{\"prototype\":1},\"toString\":null,\"pty\":{\"term\":1}}"
    assert.deepStrictEqual(decodeHandshake(frame), Result.succeed({ pty: {} }))
  })

  it.each([
    [{ approvalPolicy: "never" }, { approval_policy: "never" }],
    [{ approval_policy: { granular: {} } }, { approval_policy: { granular: {} } }],
    [{ approvalPolicy: null, approval_policy: "never" }, { approval_policy: "never" }],
    [{ approval_policy: "never", approvalPolicy: null }, { approval_policy: "never" }],
    [{ command: "htop" }, { command: "htop" }],
    [{ after_seq: 0, session_id: "a" }, { after_seq: 0, session_id: "a" }],
    [{ session_id: "A_b-c.d:9" }, { session_id: "A_b-c.d:9" }]
  ])("understands %j", (handshake, fields) => {
    assert.deepStrictEqual<unknown>(decode(handshake), Result.succeed(fields))
  })

  const text = "must be a string with at least one character"
  const name = "must be 1 to 128 letters, digits and . _ : -, not starting with a dot"
  const program = "must be the program and its arguments as a list of strings, such as [\"bash\", \"-l\"]"
  const map = "must be an object whose values are strings, such as {\"NAME\": \"value\"}"
  const size = "must be a whole number from 1 to 1000"
  const seconds = "must be a number of seconds from 0 to 31536000 (a year)"
  it.each([
    [{ tool: "" }, `\`tool\` ${text}`],
    [{ tool: ["claude"] }, `\`tool\` ${text}`],
    [{ folder: 7 }, `\`folder\` ${text}`],
    [{ model: "" }, `\`model\` ${text}`],
    [{ extra_args: "-v" }, "`extra_args` must be a list of strings, such as [\"--flag\", \"value\"]"],
    [{ extra_args: [1] }, "`extra_args` must be a list of strings, such as [\"--flag\", \"value\"]"],
    [{ session_id: "" }, `\`session_id\` ${name}`],
    [{ session_id: "../etc" }, `\`session_id\` ${name}`],
    [{ session_id: ".hidden" }, `\`session_id\` ${name}`],
    [{ env: { A: 1 } }, `\`env\` ${map}`],
    [{ env: ["A=1"] }, `\`env\` ${map}`],
    [{ mode: "talk" }, "`mode` must be one of \"chat\", \"analyst\", \"agent\""],
    [{ snowflake: "secret" }, "`snowflake` must be an object"],
    [{ snowflake: { account_url: "" } }, `\`snowflake.account_url\` ${text}`],
    [{ snowflake: { semantic_models: ["a"] } }, "`snowflake.semantic_models` must be a list of objects"],
    [{ snowflake: { timeout: "1" } }, `\`snowflake.timeout\` ${seconds}`],
    [{ approval_policy: 1 }, "`approval_policy` must be a string or an object, as Codex has it"],
    [{ sandbox: {} }, "`sandbox` must be a string"],
    [{ ephemeral: "yes" }, "`ephemeral` must be true or false"],
    [{ config: [] }, "`config` must be an object"],
    [{ command: [] }, `\`command\` ${program}`],
    [{ command: [""] }, `\`command\` ${program}`],
    [{ command: ["bash", 1] }, `\`command\` ${program}`],
    [{ command: "" }, `\`command\` ${program}`],
    [{ pty: true }, "`pty` must be an object"],
    [{ pty: { cols: 0 } }, `\`pty.cols\` ${size}`],
    [{ pty: { rows: 1.5 } }, `\`pty.rows\` ${size}`],
    [{ after_seq: -1 }, "`after_seq` must be a whole number, 0 or more"],
    [{ after_seq: "57" }, "`after_seq` must be a whole number, 0 or more"],
    [{ linger: -1 }, `\`linger\` ${seconds}`],
    [{ linger: 1e21 }, `\`linger\` ${seconds}`],
    [{ raw: 0 }, "`raw` must be true or false"],
    [{ token: "" }, `\`token\` ${text}`]
  ])("says of %j what to put there", (handshake, sentence) => {
    assert.deepStrictEqual(decode(handshake), Result.fail(sentence))
  })

  it("takes a session's name of up to 128 characters", () => {
    assert.isTrue(Result.isSuccess(decode({ session_id: "x".repeat(128) })))
    assert.deepStrictEqual(decode({ session_id: "x".repeat(129) }), Result.fail(`\`session_id\` ${name}`))
  })

  const first =
    "the first frame must be the handshake, a JSON object such as {\"tool\":\"claude\",\"folder\":\".\"}"
  it.each([
    ["hello", first],
    ["", first],
    ["null", first],
    ["[]", first],
    ["{\"linger\":1e999}", `\`linger\` ${seconds}`],
    ["{\"__proto__\":{\"tool\":\"codex\"}}", "`__proto__` cannot be the name of a field: leave it out"]
  ])("says of the frame %j what is wrong with it", (frame, sentence) => {
    assert.deepStrictEqual(decodeHandshake(frame), Result.fail(sentence))
  })

  it("survives 100 000 brackets", () => {
    assert.deepStrictEqual(decodeHandshake("[".repeat(100_000)), Result.fail(first))
    const config = "{\"a\":".repeat(100_000) + "1" + "}".repeat(100_000)
    const tooDeep = "the frame is nested too deeply: use at most 100 levels"
    assert.deepStrictEqual(decodeHandshake(`{"config":${config}}`), Result.fail(tooDeep))
  })

  it("never quotes a value, and gives a handshake or a sentence, whatever comes", { timeout: 60_000 }, () => {
    const canary = "s3cret"
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(canary, "", null, true, 0, -1, 1.5, 1e300),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(canary, "cols", "token", "timeout", "a"), tie("value"), { maxKeys: 3 })
      )
    })).value
    const handshake = fc.dictionary(fc.constantFrom(...Object.keys(full), "approvalPolicy", "x"), value)
    fc.assert(
      fc.property(handshake, (fields) => {
        Result.match(decode(fields), {
          onFailure: (sentence) => {
            assert.match(sentence, /^`\w+(?:\.\w+)?` must be /)
            assert.notInclude(sentence, canary)
            assert.notMatch(sentence, /Expected|actual/)
          },
          onSuccess: (decoded) => assert.isTrue(Schema.is(HandshakeFields)(decoded))
        })
      }),
      { numRuns: 1000 }
    )
  })
})

describe("Handshake", () => {
  it("encodes to what it was decoded from", () => {
    const decoded = Schema.decodeUnknownSync(Handshake)(full)
    assert.deepStrictEqual<unknown>(Schema.encodeSync(Handshake)(decoded), full)
  })
})
