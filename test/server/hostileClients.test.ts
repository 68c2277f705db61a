/**
 * Clients of the fronts that are broken, or want to break something: each is told in its protocol's own shape what is wrong
 * and what to do, and nothing of the session is lost by it.
 */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import { connect } from "node:net"
import { WebSocket } from "ws"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { test } from "../support/relayServer.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const fronts = ["acp", "chat", "agui", "mcp"] as const
const options = { fronts, onCommand: () => Effect.void }
const json = { "content-type": "application/json" }

const post = async (port: number, path: string, body: unknown, headers: Record<string, string> = json) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : JSON.stringify(body)
  })
  return {
    status: response.status,
    type: response.headers.get("content-type") ?? "",
    text: await response.text()
  }
}

const rpc = (id: unknown, method: string, params?: unknown) => ({ jsonrpc: "2.0", id, method, params })

describe("a broken client of MCP", () => {
  test("is answered in JSON-RPC, and told what to send", async ({ port }) => {
    const cases: ReadonlyArray<readonly [unknown, number, RegExp]> = [
      ["{\"jsonrpc\"", -32700, /send one JSON-RPC 2.0 object/],
      [[rpc(1, "ping")], -32600, /batches are not supported/],
      [null, -32600, /send one object/],
      [{ jsonrpc: "2.0", messages: [] }, -32600, /`method`/],
      [rpc({ a: 1 }, "ping"), -32600, /string or a number/],
      [rpc(null, "ping"), -32600, /string or a number/],
      [rpc(7, "notifications/initialized"), -32600, /without `id`/],
      [rpc(1, "nope"), -32601, /tools\/list/],
      [rpc(1, "tools/call", { name: "toString" }), -32602, /tools\/list/],
      [rpc(1, "tools/call"), -32602, /tools\/list/]
    ]
    for (const [body, code, words] of cases) {
      const { text } = await post(port, "/mcp", body)
      const { error, id, jsonrpc } = JSON.parse(text) as Json
      assert.strictEqual(jsonrpc, "2.0")
      assert.strictEqual(error?.code, code, text)
      assert.match(error.message, words)
      assert.strictEqual(id ?? null, typeof (body as Json)?.["id"] === "number" ? (body as Json)["id"] : null)
    }
    assert.strictEqual((await post(port, "/mcp", { jsonrpc: "2.0", id: 5, result: {} })).status, 202)
    const named = await post(port, "/mcp", rpc("a", "ping"))
    assert.deepStrictEqual(JSON.parse(named.text), { jsonrpc: "2.0", id: "a", result: {} })
  }, options)

  test("allows nothing by a word that is no answer", async (relay) => {
    const call = async (name: string, args: object) => {
      const { text } = await post(relay.port, "/mcp", rpc(1, "tools/call", { name, arguments: args }))
      return (JSON.parse(text) as Json)["result"] as Json
    }
    await relay.join({ session_id: "own" })
    const asked = Effect.runPromise(relay.agent().ask(FakeAdapter.askFor("q1")))
    const pending = async () => {
      const { sessions } = await (await fetch(`http://127.0.0.1:${relay.port}/sessions`)).json() as Json
      return sessions[0].pending as ReadonlyArray<string>
    }
    while (!(await pending()).includes("q1")) await new Promise((resolve) => setImmediate(resolve))
    const about = { session_id: "own", request_id: "q1", wait_seconds: 0 }
    for (
      const [args, words] of [
        [{ behavior: "maybe" }, /allow, deny/],
        [{ behavior: true }, /allow, deny/],
        [{}, /say what the answer is/],
        [{ behavior: "allow", message: ["x"] }, /`message` must be a string, not array/]
      ] as const
    ) {
      const { isError, structuredContent } = await call("relay_answer", { ...about, ...args })
      assert.isTrue(isError)
      assert.match(structuredContent.text, words)
      assert.deepStrictEqual(await pending(), ["q1"])
    }
    assert.match(
      (await call("relay_prompt", { session_id: "own", text: "x", when: "soon" }))["structuredContent"].text,
      /queue/
    )
    assert.match(
      (await call("relay_wait", { session_id: "own", after_seq: "1" }))["structuredContent"].text,
      /an integer/
    )
    await call("relay_answer", { ...about, behavior: "deny", message: null })
    await asked
    assert.deepStrictEqual(await pending(), [])
  }, options)
})

describe("a broken page", () => {
  test("of the AI SDK is told why in plain words, as it shows them", async ({ port }) => {
    const cases: ReadonlyArray<readonly [string, unknown, number, RegExp, Record<string, string>?]> = [
      ["/chat/fake", "{", 400, /not JSON: send/],
      ["/chat/fake", "{}", 415, /content-type/, { "content-type": "text/plain" }],
      ["/chat/fake", null, 400, /`id` must name the chat/],
      ["/chat/fake", { id: "a", messages: [null] }, 400, /last message/],
      ["/chat/fake@9", { id: "a", messages: [] }, 400, /@5, @6 or @7/],
      ["/chat/fake?dialect=x", { id: "a", messages: [] }, 400, /@5, @6 or @7/],
      ["/chat/fake/nosuch/answer", { request_id: "x", behavior: "allow" }, 404, /no session "nosuch"/],
      ["/chat/fake", {}, 403, /--allow-origin/, { ...json, origin: "https://evil.example" }]
    ]
    for (const [path, body, status, words, headers] of cases) {
      const answer = await post(port, path, body, headers)
      assert.strictEqual(answer.status, status, answer.text)
      assert.match(answer.type, /^text\/plain/)
      assert.match(answer.text, words)
      assert.notInclude(answer.text, "{")
    }
  }, options)

  test("of the AI SDK without the token is told so in plain words", async ({ port }) => {
    const { status, text } = await post(port, "/chat/fake", { id: "a", messages: [] })
    assert.strictEqual(status, 401)
    assert.notInclude(text, "{")
    assert.match(text, /token/)
  }, { ...options, auth: "always" })

  test(
    "of AG-UI hears of answers to what nobody asked, in a thread that is there and in one that is not",
    async (relay) => {
      const run = (threadId: string) => ({
        threadId,
        runId: "r",
        messages: [],
        resume: [{ interruptId: "nope", status: "resolved", payload: { approved: true } }]
      })
      const lost = await post(relay.port, "/agui/fake", run("nosuch"))
      assert.strictEqual(lost.status, 404)
      assert.include(JSON.parse(lost.text), { code: "session_not_found" })
      await relay.join({ session_id: "here" })
      const { status, text } = await post(relay.port, "/agui/fake", run("here"))
      assert.strictEqual(status, 200)
      assert.match(text, /"ai-relay.notice".*There is no question named \\"nope\\"/)
      assert.match(text.trim(), /"RUN_FINISHED"[^\n]*$/)
      for (const body of [null, [], { threadId: 5 }, { threadId: "t", runId: "r", messages: "x" }]) {
        const answer = await post(relay.port, "/agui/fake", body)
        assert.strictEqual(answer.status, 400)
        assert.match((JSON.parse(answer.text) as Json)["text"], /RunAgentInput/)
      }
    },
    options
  )

  test("that goes in the middle of its body holds nothing up", async ({ port }) => {
    for (const path of ["/chat/fake", "/agui/fake", "/mcp"]) {
      const socket = connect(port, "127.0.0.1")
      await once(socket, "connect")
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"id":`
      )
      socket.destroy()
      await once(socket, "close")
      assert.strictEqual((await post(port, path, "{")).status, 400)
    }
  }, options)
})

describe("a broken editor", () => {
  test(
    "is answered in JSON-RPC, keeps its connection, and stops its own prompt by an id it used twice",
    async (relay) => {
      const socket = new WebSocket(`ws://127.0.0.1:${relay.port}/acp?tool=fake`, ["acp"])
      const said: Array<Json> = []
      const waiting = new Set<() => void>()
      socket.on("message", (data) => {
        said.push(JSON.parse(String(data)))
        for (const look of waiting) look()
      })
      await once(socket, "open")
      const heard = (fits: (message: Json) => boolean, from = 0) =>
        new Promise<Json>((resolve) => {
          const look = () => {
            const found = said.slice(from).find(fits)
            if (found === undefined) return
            waiting.delete(look)
            resolve(found)
          }
          waiting.add(look)
          look()
        })
      const send = (message: unknown) =>
        socket.send(typeof message === "string" ? message : JSON.stringify(message))
      const errors: ReadonlyArray<readonly [unknown, number, RegExp, unknown]> = [
        ["{nope", -32700, /send one JSON-RPC 2.0 object/, null],
        [[rpc(1, "initialize")], -32600, /batches are not supported/, null],
        [rpc({ a: 1 }, "session/list"), -32600, /string or a number/, null],
        [rpc(true, "session/list"), -32600, /string or a number/, null],
        [rpc(4, "__proto__"), -32601, /the answer to initialize lists/, 4],
        [rpc("s", "session/cancel", { sessionId: "x" }), -32601, /without `id`/, "s"],
        [
          rpc(6, "session/load", { sessionId: "nosuch", cwd: "/", mcpServers: [] }),
          -32002,
          /session\/list/,
          6
        ],
        [
          rpc(7, "session/prompt", { sessionId: "nosuch", prompt: [{ type: "text", text: "x" }] }),
          -32002,
          /load or resume/,
          7
        ],
        [rpc(8, "session/delete", { sessionId: "nosuch" }), -32002, /session\/list/, 8]
      ]
      for (const [message, code, words, id] of errors) {
        const from = said.length
        send(message)
        const { error, id: of } = await heard(({ error }) => error !== undefined, from)
        assert.deepStrictEqual([of, error.code], [id, code], JSON.stringify(message))
        assert.match(error.message, words)
      }
      // Nobody waits for these, nobody is told.
      send({ jsonrpc: "2.0", method: "session/cancel", params: { sessionId: "nosuch" } })
      send({ jsonrpc: "2.0", method: "$/cancel_request", params: { requestId: 999 } })
      send({ jsonrpc: "2.0", id: 555, result: {} })

      send(rpc(30, "session/new", { cwd: process.cwd(), mcpServers: [] }))
      const { result: { sessionId } } = await heard(({ id }) => id === 30)
      const prompt = (text: string) =>
        rpc(31, "session/prompt", { sessionId, prompt: [{ type: "text", text }] })
      send(prompt("one"))
      await relay.agent().next.pipe(Effect.runPromise)
      send(prompt("two"))
      await Effect.runPromise(relay.agent().say({ type: "turn_end", stop_reason: "end_turn" }))
      await heard(({ id, result }) => id === 31 && result?.stopReason === "end_turn")
      await relay.agent().next.pipe(Effect.runPromise)
      // The first one's end has not taken the id from the second.
      send({ jsonrpc: "2.0", method: "$/cancel_request", params: { requestId: 31 } })
      assert.include(await relay.agent().next.pipe(Effect.runPromise) as object, { type: "interrupt" })
      socket.terminate()
    },
    options
  )
})
