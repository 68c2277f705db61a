import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { RequestId } from "../../../src/schema/index.js"
import * as Server from "../../support/cortexServer.js"
import { layerSession, ofType, openSession, pat, serverOf } from "../../support/cortexSession.js"

type Handshake = Parameters<typeof openSession>[1]

/** A session with replies to come, and the server. */
const play = Effect.fnUntraced(function*(handshake: Handshake, ...replies: ReadonlyArray<Server.Reply>) {
  const server = yield* serverOf
  server.reply(...replies)
  return { server, ...yield* openSession(server, handshake) }
})

const test = (
  name: string,
  effect: Effect.Effect<unknown, unknown, Effect.Services<ReturnType<typeof play>>>
) => it.live(name, () => effect.pipe(Effect.provide(layerSession)))

const bodies = ({ requests }: Server.CortexServer) => requests.map(({ body }) => body)
const text = (text: string) => ({ type: "text", text })
const user = (content: unknown) => ({ role: "user", content })
const event = (event: string, data: unknown): Server.Sent => ({ event, data })

describe("chat", () => {
  test(
    "brings all that was said, and says who asks",
    Effect.gen(function*() {
      const { server, turn } = yield* play({}, Server.answer("One", "."), Server.answer("Two."))
      yield* turn("first")
      yield* turn("second")
      const [first, second] = server.requests
      assert.strictEqual(first?.method, "POST")
      assert.strictEqual(first?.path, "/api/v2/cortex/v1/chat/completions")
      assert.deepInclude(first?.headers, {
        authorization: `Bearer ${pat}`,
        "x-snowflake-authorization-token-type": "PROGRAMMATIC_ACCESS_TOKEN",
        accept: "application/json, text/event-stream",
        "content-type": "application/json"
      })
      assert.match(String(first?.headers["user-agent"]), /^ai-relay\//)
      assert.deepStrictEqual(first?.body, {
        model: "claude-sonnet-4-5",
        messages: [user("first")],
        stream: true,
        stream_options: { include_usage: true }
      })
      assert.deepStrictEqual(second?.body.messages, [
        user("first"),
        { role: "assistant", content: "One." },
        user("second")
      ])
    })
  )

  test(
    "sends images as data URLs, of many only the last twenty",
    Effect.gen(function*() {
      const { server, turn } = yield* play({}, Server.answer("Nice."), Server.answer("Many."))
      const image = (data: string) => ({
        type: "image",
        source: { type: "base64", media_type: "image/png", data }
      })
      yield* turn({ type: "user_message", content: [text("look"), image("AAAA")] })
      assert.deepStrictEqual(server.requests[0]?.body.messages, [
        user([text("look"), { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }])
      ])
      const many = Array.from({ length: 20 }, (_, index) => image(`BB${String(index).padStart(2, "0")}`))
      yield* turn({ type: "user_message", content: many })
      const [old, , fresh] = server.requests[1]?.body.messages ?? []
      assert.deepStrictEqual(old.content, "look\n\n[an earlier image, not sent again]")
      assert.lengthOf(fresh.content, 20)
      assert.strictEqual(fresh.content[0].image_url.url, "data:image/png;base64,BB00")
    })
  )

  test(
    "keeps the part of an answer that came before it was interrupted, and the question if none came",
    Effect.gen(function*() {
      const half = Server.stream([Server.says("Once upon")], { then: "silence" })
      const { next, said, send, server, turn } = yield* play({}, half, Server.silence, Server.answer("Fine."))
      yield* send({ text: "a story" })
      yield* said("Once upon")
      yield* send({ type: "interrupt" })
      const { seq } = yield* next("turn_end")
      yield* send({ text: "no, a poem" })
      yield* Effect.promise(() => server.asked(2))
      yield* send({ type: "interrupt" })
      assert.strictEqual((yield* next("turn_end", seq)).stop_reason, "cancelled")
      yield* turn("never mind")
      assert.deepStrictEqual(server.requests.at(-1)?.body.messages, [
        user("a story"),
        { role: "assistant", content: "Once upon" },
        user("no, a poem\n\nnever mind")
      ])
    })
  )

  test(
    "forgets a question that failed, and keeps what came of one that was cut",
    Effect.gen(function*() {
      const { server, turn } = yield* play(
        {},
        Server.refuse(400, { message: "unknown option" }),
        Server.stream([Server.says("Half")]),
        Server.answer("Whole.")
      )
      yield* turn("bad one")
      yield* turn("good one")
      yield* turn("go on")
      assert.deepStrictEqual(server.requests.at(-1)?.body.messages, [
        user("good one"),
        { role: "assistant", content: "Half" },
        user("go on")
      ])
    })
  )

  test(
    "changes its model for the next request",
    Effect.gen(function*() {
      const { send, server, turn } = yield* play(
        { snowflake: { model: "llama4" } },
        Server.answer("."),
        Server.answer(".")
      )
      yield* turn("one")
      yield* send({ type: "set_model", model: "openai-gpt-5", message_id: "m-1" })
      yield* turn("two")
      assert.deepStrictEqual(bodies(server).map(({ model }) => model), ["llama4", "openai-gpt-5"])
    })
  )

  const end = (...events: ReadonlyArray<Server.Sent>) =>
    Effect.gen(function*() {
      const { turn } = yield* play({}, Server.stream([Server.says("Half a"), ...events, Server.done]))
      const events_ = yield* turn("go")
      assert.lengthOf(ofType(events_, "response"), 1)
      return ofType(events_, "turn_end")[0]?.stop_reason
    })

  test(
    "tells an answer that was too long: by its finish_reason, or by its length where there is none",
    Effect.gen(function*() {
      assert.strictEqual(yield* end(Server.says("", "length")), "max_tokens")
      assert.strictEqual(yield* end(Server.used(10, 4096)), "max_tokens")
      assert.strictEqual(yield* end(Server.says("", "stop"), Server.used(10, 4096)), "end_turn")
      assert.strictEqual(yield* end(Server.used(10, 4095)), "end_turn")
    })
  )

  test(
    "tells a refusal, which is no answer",
    Effect.gen(function*() {
      const { turn } = yield* play({}, Server.stream([Server.says("I", "content_filter"), Server.done]))
      const events = yield* turn("go")
      assert.strictEqual(ofType(events, "turn_end")[0]?.stop_reason, "refusal")
      assert.lengthOf(ofType(events, "response"), 0)
    })
  )

  test(
    "says that the context is full, and how to go on",
    Effect.gen(function*() {
      const { turn } = yield* play({}, Server.refuse(400, { message: "max tokens of 200000 exceeded" }))
      const events = yield* turn("go")
      assert.strictEqual(ofType(events, "context_warning")[0]?.context_pct, 100)
      assert.strictEqual(ofType(events, "turn_end")[0]?.context_pct, 100)
      assert.include(ofType(events, "error")[0]?.text, "new session")
    })
  )

  test(
    "takes an error instead of a chunk for what it is",
    Effect.gen(function*() {
      const { turn } = yield* play(
        {},
        Server.stream([{ data: { error: { message: "all requests were throttled" } } }])
      )
      const events = yield* turn("go")
      assert.include(ofType(events, "error")[0]?.text, "throttled")
      assert.lengthOf(ofType(events, "quota_warning"), 1)
      assert.deepStrictEqual(ofType(events, "error")[0]?.raw, {
        error: { message: "all requests were throttled" }
      })
    })
  )

  test(
    "gives a silent server up after `timeout` seconds",
    Effect.gen(function*() {
      const { server, turn } = yield* play(
        { snowflake: { timeout: 0.2 } },
        Server.stream([Server.says("Once")], { then: "silence" })
      )
      const events = yield* turn("go")
      assert.include(ofType(events, "error")[0]?.text, "snowflake.timeout")
      assert.strictEqual(ofType(events, "assistant_message")[0]?.text, "Once")
      yield* Effect.promise(server.hungUp)
    })
  )

  test(
    "does not follow a redirect: the token goes nowhere else",
    Effect.gen(function*() {
      const elsewhere = yield* serverOf
      const { turn } = yield* play(
        {},
        Server.refuse(307, "", { location: `${elsewhere.url}/api/v2/cortex/v1/chat/completions` })
      )
      const events = yield* turn("go")
      assert.include(ofType(events, "error")[0]?.text, "redirect")
      assert.lengthOf(elsewhere.requests, 0)
    })
  )

  test(
    "says that a server cannot be reached, and never the token",
    Effect.gen(function*() {
      const { close, server, turn } = yield* play({})
      yield* Effect.promise(server.close)
      const events = yield* turn("go")
      assert.include(ofType(events, "error")[0]?.text, "could not be reached")
      assert.notInclude(JSON.stringify(yield* close), pat)
    })
  )
})

describe("analyst", () => {
  const piece = (index: number, type: string, more: object) =>
    event("message.content.delta", { index, type, ...more })
  const answered = Server.stream([
    piece(0, "text", { text_delta: "So:" }),
    piece(1, "sql", { statement_delta: "SELECT 1", confidence: { verified_query_used: null } }),
    event("done", {})
  ])
  const suggested = Server.stream([
    piece(0, "suggestions", { suggestions_delta: { index: 0, suggestion_delta: "this?" } }),
    event("done", {})
  ])

  test(
    "sends its answers back as Analyst's",
    Effect.gen(function*() {
      const { server, turn } = yield* play(
        { snowflake: { semantic_view: "D.S.V" } },
        answered,
        suggested,
        answered
      )
      yield* turn("one")
      yield* turn("two")
      yield* turn("three")
      assert.strictEqual(server.requests[0]?.path, "/api/v2/cortex/analyst/message")
      assert.deepStrictEqual(server.requests[2]?.body, {
        messages: [
          user([text("one")]),
          { role: "analyst", content: [text("So:"), { type: "sql", statement: "SELECT 1" }] },
          user([text("two")]),
          { role: "analyst", content: [{ type: "suggestions", suggestions: ["this?"] }] },
          user([text("three")])
        ],
        stream: true,
        semantic_view: "D.S.V"
      })
    })
  )

  for (
    const semantics of [
      { semantic_model: "name: m" },
      { semantic_model_file: "@db.s.stage/m.yaml" },
      { semantic_models: [{ semantic_view: "D.S.V" }, { semantic_model_file: "@x" }] }
    ]
  ) {
    test(
      `asks with ${JSON.stringify(semantics)}`,
      Effect.gen(function*() {
        const { server, turn } = yield* play({ mode: "analyst", snowflake: semantics }, answered)
        yield* turn("one")
        assert.deepInclude(server.requests[0]?.body, semantics)
      })
    )
  }
})

describe("an agent", () => {
  const response = (...content: ReadonlyArray<object>) => event("response", { role: "assistant", content })
  const says = (words: string) =>
    Server.stream([event("response.text.delta", { content_index: 0, text: words }), response(text(words))])
  const stored = { snowflake: { agent: "MY_DB.\"My.Schema\".\"A \"\"B\"\" é\"" } }

  test(
    "is asked by its name, and brought all that was said as it said it",
    Effect.gen(function*() {
      const thought = { type: "thinking", thinking: { text: "Hm.", signature: "s" } }
      const { server, turn } = yield* play(
        stored,
        Server.stream([response(thought, text("One."))]),
        says("Two.")
      )
      yield* turn("first")
      yield* turn("second")
      assert.strictEqual(
        server.requests[0]?.path,
        "/api/v2/databases/MY_DB/schemas/%22My.Schema%22/agents/%22A%20%22%22B%22%22%20%C3%A9%22:run"
      )
      assert.deepStrictEqual(bodies(server), [
        { messages: [user([text("first")])], stream: true },
        {
          messages: [
            user([text("first")]),
            { role: "assistant", content: [thought, text("One.")] },
            user([text("second")])
          ],
          stream: true
        }
      ])
    })
  )

  test(
    "is made up by the request if none is stored",
    Effect.gen(function*() {
      const { server, turn } = yield* play(
        { mode: "agent", snowflake: { semantic_view: "D.S.V", model: "claude-4-sonnet" } },
        says("One.")
      )
      yield* turn("first")
      assert.strictEqual(server.requests[0]?.path, "/api/v2/cortex/agent:run")
      assert.deepInclude(server.requests[0]?.body, {
        models: { orchestration: "claude-4-sonnet" },
        tools: [{ tool_spec: { type: "cortex_analyst_text_to_sql", name: "analyst" } }],
        tool_resources: { analyst: { semantic_view: "D.S.V" } }
      })
    })
  )

  const use = { tool_use_id: "t-1", type: "generic", name: "drop" }
  const asks = (...options: ReadonlyArray<string>) => {
    const permission = { options }
    return Server.stream([
      event("response.tool_use", { content_index: 0, ...use, input: { table: "t" }, permission }),
      response({ type: "tool_use", tool_use: { ...use, input: { table: "t" }, permission } })
    ])
  }
  const offered = ["Allow Once", "Allow for this conversation", "Deny"]

  const decide = (answer: object, options: ReadonlyArray<string> = offered) =>
    Effect.gen(function*() {
      const { close, next, send, server } = yield* play(stored, asks(...options), says("Well."))
      yield* send({ text: "drop it" })
      const { request_id } = yield* next("permission_request")
      yield* send({ type: "permission_response", request_id, ...answer })
      const end = yield* next("turn_end")
      const decision = server.requests[1]?.body.messages.at(-1).content[0].permission_decision
      return { decision, end, events: yield* close, server }
    })

  for (
    const [answer, decision] of [
      [{ behavior: "allow" }, { decision: "Allow Once" }],
      [{ behavior: "allow", scope: "session" }, { decision: "Allow for this conversation" }],
      [{ option_id: "Allow for this conversation" }, { decision: "Allow for this conversation" }],
      [{ behavior: "deny", message: "Not today." }, { decision: "Deny", reason: "Not today." }],
      [{ option_id: "Deny" }, { decision: "Deny" }],
      [{}, { decision: "Deny" }]
    ] as const
  ) {
    test(
      `is told ${JSON.stringify(decision)} after ${JSON.stringify(answer)}`,
      Effect.gen(function*() {
        const decided = yield* decide(answer)
        assert.deepStrictEqual(decided.decision, { tool_use_id: "t-1", ...decision })
        assert.strictEqual(decided.end.stop_reason, "end_turn")
      })
    )
  }

  test(
    "takes the only option there is that allows",
    Effect.gen(function*() {
      const { decision } = yield* decide({ behavior: "allow", scope: "session" }, ["Deny", "Go ahead"])
      assert.strictEqual(decision.decision, "Go ahead")
    })
  )

  test(
    "is not asked again when a person stops the turn by an answer; the next prompt brings the refusal",
    Effect.gen(function*() {
      const { next, send, server, turn } = yield* play(stored, asks(...offered), says("Well."))
      yield* send({ text: "drop it" })
      const { request_id } = yield* next("permission_request")
      yield* send({ type: "permission_response", request_id, behavior: "deny", stop: true })
      assert.strictEqual((yield* next("turn_end")).stop_reason, "cancelled")
      assert.lengthOf(server.requests, 1)
      yield* turn("what now?")
      assert.deepStrictEqual(
        server.requests[1]?.body.messages.at(-1),
        user([
          { type: "permission_decision", permission_decision: { tool_use_id: "t-1", decision: "Deny" } },
          text("what now?")
        ])
      )
    })
  )

  test(
    "withdraws its question when its stream breaks",
    Effect.gen(function*() {
      const { close, turn } = yield* play(
        stored,
        Server.stream([event("response.tool_use", { ...use, permission: { options: offered } })])
      )
      yield* turn("drop it")
      const events = yield* close
      assert.strictEqual(ofType(events, "permission_cancelled")[0]?.metadata?.["reason"], "withdrawn")
      assert.strictEqual(ofType(events, "turn_end")[0]?.stop_reason, "error")
    })
  )

  test(
    "hears that nobody runs its client's tools, and goes on",
    Effect.gen(function*() {
      const { server, turn } = yield* play(
        stored,
        Server.stream([
          event("response.tool_use", { ...use, input: {}, client_side_execute: true }),
          response({ type: "tool_use", tool_use: use })
        ]),
        says("Then not.")
      )
      const events = yield* turn("drop it")
      assert.deepInclude(server.requests[1]?.body.messages.at(-1).content[0].tool_result, {
        tool_use_id: "t-1",
        name: "drop",
        type: "generic",
        status: "error"
      })
      assert.strictEqual(ofType(events, "tool_result")[0]?.status, "error")
      assert.strictEqual(ofType(events, "response")[0]?.text, "Then not.")
    })
  )

  const used = (input: number, output: number, window: number) => ({
    usage: {
      tokens_consumed: [{
        input_tokens: { total: input },
        output_tokens: { total: output },
        context_window: window
      }]
    }
  })

  test(
    "warns when its context is nearly full; with tools it cannot be told",
    Effect.gen(function*() {
      const content = [text("One.")]
      const { turn } = yield* play(
        stored,
        Server.stream([event("response", { content, metadata: used(80, 5, 100) })]),
        Server.stream([event("response", {
          content: [{ type: "tool_use", tool_use: use }, ...content],
          metadata: used(300, 5, 100)
        })])
      )
      const first = yield* turn("one")
      assert.strictEqual(ofType(first, "context_warning")[0]?.context_pct, 85)
      assert.strictEqual(ofType(first, "turn_end")[0]?.context_pct, 85)
      const second = yield* turn("two")
      assert.lengthOf(ofType(second, "context_warning"), 0)
      assert.deepStrictEqual(ofType(second, "turn_end")[0]?.usage, {
        input_tokens: 300,
        output_tokens: 5,
        cached_input_tokens: 0,
        context_window: 100
      })
    })
  )

  test(
    "that ran out of time has failed, and what it said is kept",
    Effect.gen(function*() {
      const { turn } = yield* play(
        stored,
        Server.stream([event("response", { content: [text("So far.")], status: "timed_out" })])
      )
      const events = yield* turn("go")
      assert.include(ofType(events, "error")[0]?.text, "time limit")
      assert.strictEqual(ofType(events, "assistant_message")[0]?.text, "So far.")
    })
  )
})

describe("requests besides prompts", () => {
  test(
    "tells the models there are, and takes feedback",
    Effect.gen(function*() {
      const models = { object: "list", data: [{ id: "claude-sonnet-4-5" }] }
      const { next, send, server } = yield* play({}, Server.refuse(200, models), Server.refuse(200, ""))
      yield* send({ type: "raw_request", request_id: "r-1", method: "models" })
      const listed = yield* next("control_response")
      assert.deepInclude(listed, {
        request_id: RequestId.make("r-1"),
        status: "ok",
        content: models,
        raw: models
      })
      const params = { request_id: "a-1", positive: true }
      yield* send({ type: "raw_request", request_id: "r-2", method: "feedback", params })
      assert.deepInclude(yield* next("control_response", listed.seq), {
        request_id: RequestId.make("r-2"),
        status: "ok"
      })
      assert.deepStrictEqual(
        server.requests.map(({ body, method, path }) => [method, path, body]),
        [
          ["GET", "/api/v2/cortex/v1/models", undefined],
          ["POST", "/api/v2/cortex/analyst/feedback", params]
        ]
      )
      assert.strictEqual(server.requests[0]?.headers.authorization, `Bearer ${pat}`)
    })
  )

  test(
    "says why one failed, and refuses others: the token may be able to do more",
    Effect.gen(function*() {
      const { next, send, server } = yield* play({}, Server.refuse(403, { message: "no" }))
      yield* send({ type: "raw_request", method: "models" })
      const failed = yield* next("control_response")
      assert.strictEqual(failed.status, "error")
      assert.include(failed.text, "HTTP 403: no")
      for (const method of ["statements", "../../statements", "__proto__"]) {
        yield* send({ type: "raw_request", method, message_id: method })
      }
      yield* send({ type: "control_request", request: { subtype: "x" } })
      const refused = yield* next("error", failed.seq + 2)
      assert.strictEqual(refused.code, "bad_command")
      assert.lengthOf(server.requests, 1)
    })
  )
})

describe("a handshake", () => {
  for (
    const [handshake, why] of [
      [{ snowflake: { account_url: "https://evil.example" } }, "snowflakecomputing.com"],
      [{ snowflake: { token_env: "AWS_SECRET_ACCESS_KEY" } }, "token_env"],
      [{ model: null }, "`model` is missing"],
      [{ mode: "analyst" }, "exactly one"],
      [{ snowflake: { semantic_view: "a", semantic_model: "b" } }, "exactly one"],
      [{ snowflake: { agent: "REVENUE" } }, "MY_DB.MY_SCHEMA.MY_AGENT"],
      [{ snowflake: { agent: "a.b.c.d" } }, "MY_DB.MY_SCHEMA.MY_AGENT"],
      [{ snowflake: { agent: "a.b.../../x" } }, "MY_DB.MY_SCHEMA.MY_AGENT"],
      [{ native_session_id: "1" }, "native_session_id"]
    ] as const
  ) {
    test(
      `${JSON.stringify(handshake)} is refused`,
      Effect.gen(function*() {
        const refused = yield* Effect.flip(play(handshake))
        assert.strictEqual(refused._tag, "BadHandshake")
        assert.include(refused.message, why)
      })
    )
  }

  for (
    const [handshake, mode, images, set_model] of [
      [{}, "chat", true, true],
      [{ snowflake: { semantic_view: "D.S.V" } }, "analyst", false, false],
      [{ snowflake: { agent: "D.S.A" } }, "agent", false, false],
      [{ mode: "agent" }, "agent", false, true]
    ] as const
  ) {
    test(
      `${JSON.stringify(handshake)} opens ${mode}`,
      Effect.gen(function*() {
        const { next } = yield* play(handshake)
        const { metadata } = yield* next("session_start")
        assert.strictEqual(metadata?.["mode"], mode)
        assert.deepStrictEqual(metadata?.["capabilities"], {
          images,
          steer: false,
          set_model,
          permission_modes: [],
          resume: false,
          terminal: false
        })
      })
    )
  }
})
