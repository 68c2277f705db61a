/** `/mcp` over HTTP, both eras of the protocol; the real clients judge in test/judges. */
import { assert, describe } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type { EventBody } from "../../src/schema/index.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { type Relay, say, test } from "../support/relayServer.js"

// oxlint-disable-next-line typescript/no-explicit-any
type Json = Record<string, any>

const silent = () => Effect.void
const message = (text: string): EventBody => ({ type: "assistant_message", content: [], text })
const end: EventBody = { type: "turn_end", stop_reason: "end_turn" }
const options = { tool: "fake", onCommand: silent, fronts: ["mcp" as const] }

const post = (relay: Relay, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${relay.port}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers
    },
    body: JSON.stringify(body)
  })

let ids = 0
const request = async (relay: Relay, method: string, params: object = {}): Promise<Json> =>
  (await (await post(relay, { jsonrpc: "2.0", id: ++ids, method, params })).json()) as Json
const call = async (relay: Relay, name: string, args: object = {}): Promise<Json> => {
  const { result } = await request(relay, "tools/call", { name, arguments: args })
  assert.deepStrictEqual(JSON.parse(result.content[0].text), result.structuredContent)
  return { ...result.structuredContent, isError: result.isError === true }
}
const taken = (relay: Relay) => Effect.runPromise(relay.agent().next)
const ask = (relay: Relay, request_id: string, kind: "tool" | "question" = "tool") =>
  Effect.runPromise(Effect.asVoid(
    Effect.forkDetach(
      relay.agent().ask(FakeAdapter.askFor(request_id, {
        metadata: { kind },
        ...(kind === "question" &&
          { args: { questions: [{ question: "Which?", options: [{ label: "One" }] }] } })
      }))
    )
  ))

describe("/mcp", () => {
  test("opens a session, prompts it, waits for it, reads it and ends it", async (relay) => {
    const opened = await call(relay, "relay_open", { tool: "fake", session_id: "s" })
    assert.deepInclude(opened, { session_id: "s", seq: 1 })
    const prompted = call(relay, "relay_prompt", { session_id: "s", text: "hello", wait_seconds: 20 })
    await taken(relay)
    await say(
      relay,
      message("one"),
      { type: "file_diff", file_path: "/w/a.ts", diff: "" },
      message("two"),
      end
    )
    const state = await prompted
    assert.deepInclude(state, {
      state: "done",
      text: "one\n\ntwo",
      stop_reason: "end_turn",
      changed_files: ["/w/a.ts"]
    })
    const running = await call(relay, "relay_prompt", { session_id: "s", text: "more", wait_seconds: 0 })
    assert.strictEqual(running["state"], "running")
    await taken(relay)
    const waiting = call(relay, "relay_wait", {
      session_id: "s",
      after_seq: running["seq"],
      wait_seconds: 20
    })
    await say(relay, message("three"), end)
    assert.deepInclude(await waiting, { state: "done", text: "three" })
    const { events, more } = await call(relay, "relay_read", { session_id: "s", after_seq: 0 })
    assert.deepStrictEqual(
      events.filter((event: Json) => "agent" in event || "prompt" in event),
      [{ prompt: "hello" }, { agent: "one" }, { agent: "two" }, { prompt: "more" }, { agent: "three" }]
    )
    assert.isFalse(more)
    await call(relay, "relay_end", { session_id: "s" })
    const [listed] = (await call(relay, "relay_sessions"))["sessions"]
    assert.notDeepInclude(listed ?? {}, { state: "running" })
  }, options)

  test(
    "never lets an agent allow what a session it opened asks for; its questions it may answer",
    async (relay) => {
      await call(relay, "relay_open", { tool: "fake", session_id: "s" })
      const prompted = call(relay, "relay_prompt", { session_id: "s", text: "hello", wait_seconds: 20 })
      await taken(relay)
      await ask(relay, "q1")
      const asked = await prompted
      assert.deepInclude(asked, { state: "permission" })
      assert.deepInclude(asked["permission"], { request_id: "q1", tool: "Bash", you_may_allow: false })
      for (
        const answer of [{ behavior: "allow" }, { option_id: "allow" }, {}, { answers: { x: "y" } }] as const
      ) {
        const refused = await call(relay, "relay_answer", { session_id: "s", request_id: "q1", ...answer })
        assert.deepInclude(refused, { isError: true, code: "forbidden" })
      }
      // A person allows it; who waits is told how it goes on.
      const waiting = call(relay, "relay_wait", {
        session_id: "s",
        after_seq: asked["seq"],
        wait_seconds: 20
      })
      const person = await relay.join({ session_id: "s", after_seq: 0 })
      await person.waitFor("permission_request")
      person.send({ type: "permission_response", request_id: "q1", behavior: "allow" })
      const { seq: after } = await person.waitFor("control_response")
      await ask(relay, "q2", "question")
      const question = await waiting
      assert.deepInclude(question["permission"], { request_id: "q2", kind: "question", you_may_allow: true })
      const answered = call(relay, "relay_answer", {
        session_id: "s",
        request_id: "q2",
        answers: { "Which?": "One" },
        wait_seconds: 20
      })
      await person.waitFor("control_response", { after })
      await say(relay, message("thanks"), end)
      assert.deepInclude(await answered, { state: "done", text: "thanks" })
    },
    options
  )

  test("lets an agent deny, and interrupt", async (relay) => {
    await call(relay, "relay_open", { tool: "fake", session_id: "s" })
    const prompted = call(relay, "relay_prompt", { session_id: "s", text: "hello", wait_seconds: 20 })
    await taken(relay)
    await ask(relay, "q1")
    await prompted
    const denied = call(relay, "relay_answer", {
      session_id: "s",
      request_id: "q1",
      behavior: "deny",
      message: "not now",
      wait_seconds: 20
    })
    const person = await relay.join({ session_id: "s", after_seq: 0 })
    const settled = await person.waitFor("control_response")
    assert.deepInclude(settled, { status: "deny" })
    assert.deepInclude(settled["metadata"], { message: "not now" })
    await say(relay, end)
    await denied
    const again = await call(relay, "relay_prompt", { session_id: "s", text: "again", wait_seconds: 0 })
    assert.strictEqual(again["state"], "running")
    await taken(relay)
    const stopped = call(relay, "relay_interrupt", { session_id: "s" })
    assert.deepInclude(await taken(relay), { type: "interrupt" })
    await say(relay, { type: "turn_end", stop_reason: "cancelled" })
    assert.deepInclude(await stopped, { state: "done", stop_reason: "cancelled" })
  }, options)

  test("tells sessions apart that were opened so, and leaves those of persons alone", async (relay) => {
    await call(relay, "relay_open", { tool: "fake", session_id: "child" })
    await relay.join({ session_id: "own" })
    const { sessions } = (await (await fetch(`http://127.0.0.1:${relay.port}/sessions`)).json()) as Json
    const by = Object.fromEntries(sessions.map((listed: Json) => [listed["session_id"], listed["opened_by"]]))
    assert.deepStrictEqual(by, { child: { front: "mcp" }, own: undefined })
    const refused = await call(relay, "relay_end", { session_id: "own" })
    assert.deepInclude(refused, { isError: true, code: "forbidden" })
    const mode = await call(relay, "relay_open", { tool: "fake", permission_mode: "bypassPermissions" })
    assert.isTrue(mode["isError"])
  }, options)

  test("speaks both eras of the protocol", async (relay) => {
    const { result: old } = await request(relay, "initialize", {
      protocolVersion: "2025-06-18",
      capabilities: {}
    })
    assert.deepInclude(old, { protocolVersion: "2025-06-18", capabilities: { tools: {} } })
    assert.strictEqual(
      (await post(relay, { jsonrpc: "2.0", method: "notifications/initialized" })).status,
      202
    )
    const listed = await request(relay, "tools/list")
    assert.lengthOf(listed["result"].tools, 9)
    assert.notProperty(listed["result"], "resultType")
    const modern = { _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } }
    const found = await request(relay, "server/discover", modern)
    assert.include(found["result"].supportedVersions, "2026-07-28")
    assert.deepInclude((await request(relay, "tools/list", modern))["result"], { resultType: "complete" })
    const strange = { _meta: { "io.modelcontextprotocol/protocolVersion": "2031-01-01" } }
    assert.strictEqual((await request(relay, "tools/list", strange))["error"].code, -32022)
    const mixed = await post(relay, { jsonrpc: "2.0", id: 1, method: "tools/list", params: modern }, {
      "mcp-method": "tools/call"
    })
    assert.strictEqual(((await mixed.json()) as Json)["error"].code, -32020)
    assert.strictEqual((await request(relay, "prompts/list"))["error"].code, -32601)
    assert.strictEqual((await request(relay, "tools/call", { name: "toString" }))["error"].code, -32602)
    assert.strictEqual((await post(relay, [])).status, 400)
    assert.strictEqual((await fetch(`http://127.0.0.1:${relay.port}/mcp`)).status, 405)
  }, options)

  test("refuses versions it does not speak, and headers that say something else", async (relay) => {
    const list = { jsonrpc: "2.0", id: 1, method: "tools/list" }
    const codeOf = async (body: object, headers: Record<string, string>) => {
      const response = await post(relay, body, headers)
      return [response.status, ((await response.json()) as Json)["error"]?.code]
    }
    assert.deepStrictEqual(await codeOf(list, { "mcp-protocol-version": "1999-01-01" }), [400, -32022])
    assert.deepStrictEqual(await codeOf(list, { "mcp-protocol-version": "2025-06-18" }), [200, undefined])
    const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28" }
    const called = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "relay_agents", _meta } }
    for (
      const [headers, answer] of [
        [{ "mcp-name": "relay_end" }, [400, -32020]],
        [{ "mcp-protocol-version": "2025-06-18" }, [400, -32020]],
        [{ "mcp-name": "relay_agents", "mcp-protocol-version": "2026-07-28" }, [200, undefined]]
      ] as const
    ) assert.deepStrictEqual(await codeOf(called, headers), [...answer])
  }, options)

  test("takes empty arguments for left out, and no number for more than there is", async (relay) => {
    const opened = await call(relay, "relay_open", {
      tool: "fake",
      session_id: "s",
      folder: "",
      model: "",
      permission_mode: ""
    })
    assert.deepInclude(opened, { session_id: "s", isError: false })
    // Prompts without an id are not the same prompt.
    for (const text of ["one", "two"]) {
      const prompt = { session_id: "s", text, message_id: "", when: "", wait_seconds: 5 }
      assert.deepInclude(await call(relay, "relay_prompt", prompt), { state: "done", text: "Done." })
    }
    const { seq } = await call(relay, "relay_wait", { session_id: "s", after_seq: 1e9, wait_seconds: 5 })
    const { next_seq } = await call(relay, "relay_read", { session_id: "s", after_seq: 1e9 })
    assert.isBelow(seq, 100)
    assert.strictEqual(next_seq, seq)
    for (const more of [{ text: " " }, { text: "x", message_id: "m".repeat(257) }]) {
      const refused = await call(relay, "relay_prompt", { session_id: "s", ...more })
      assert.deepInclude(refused, { isError: true, code: "bad_command" })
    }
  }, { ...options, onCommand: FakeAdapter.answering() })

  test("lets an agent in with its session's token: to its own children, and no further", async (relay) => {
    const as = (token: string) => async (name: string, args: object = {}): Promise<Json> => {
      const response = await post(
        relay,
        { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } },
        { authorization: `Bearer ${token}` }
      )
      if (response.status !== 200) return { status: response.status }
      const { result } = (await response.json()) as Json
      return { ...result.structuredContent, isError: result.isError === true }
    }
    /** What the agent that was opened last was given. */
    const tokenOf = () => {
      const { headers, name, url } = (relay.agent().spec.mcp_servers ?? []).at(-1) as unknown as Json
      assert.deepStrictEqual([name, url], ["relay", `http://127.0.0.1:${relay.port}/mcp`])
      return String(headers.Authorization).replace("Bearer ", "")
    }
    const operator = { authorization: "Bearer s3cret" }
    const person = await relay.connect({ tool: "fake", session_id: "top", relay_tools: true }, operator)
    await person.waitFor("session_start")
    const token = tokenOf()
    await relay.connect({ tool: "fake", session_id: "other" }, operator)
    const top = as(token)
    // The token opens this door alone, and only to what it has opened.
    for (const path of ["/sessions", "/agents", "/sessions/other/events"]) {
      const { status } = await fetch(`http://127.0.0.1:${relay.port}${path}`, {
        headers: { authorization: `Bearer ${token}` }
      })
      assert.strictEqual(status, 401, path)
    }
    assert.deepStrictEqual((await top("relay_sessions"))["sessions"], [])
    for (const name of ["relay_prompt", "relay_read", "relay_end", "relay_interrupt"]) {
      const refused = await top(name, { session_id: "other", text: "x" })
      assert.deepInclude(refused, { isError: true, code: "session_not_found" })
    }
    assert.deepInclude(await top("relay_open", { tool: "fake", folder: "/" }), {
      isError: true,
      code: "forbidden_folder"
    })
    const child = await top("relay_open", { tool: "fake", session_id: "child", may_delegate: true })
    assert.deepInclude(child, { session_id: "child", isError: false })
    const childToken = tokenOf()
    const prompted = top("relay_prompt", { session_id: "child", text: "hello", wait_seconds: 20 })
    await taken(relay)
    await ask(relay, "q1")
    assert.deepInclude((await prompted)["permission"], { request_id: "q1", you_may_allow: false })
    for (const one of [top, as(childToken)]) {
      assert.isTrue(
        (await one("relay_answer", { session_id: "child", request_id: "q1", behavior: "allow" }))["isError"]
      )
    }
    const { sessions } =
      (await (await fetch(`http://127.0.0.1:${relay.port}/sessions`, { headers: operator }))
        .json()) as Json
    const listed = sessions.find((one: Json) => one["session_id"] === "child")
    assert.deepStrictEqual([listed.opened_by, listed.pending], [{ front: "mcp", session_id: "top" }, ["q1"]])
    // Two below the first, no deeper.
    assert.isFalse(
      (await as(childToken)("relay_open", { tool: "fake", session_id: "grandchild", may_delegate: true }))[
        "isError"
      ]
    )
    const deepest = await as(tokenOf())("relay_open", { tool: "fake" })
    assert.deepInclude(deepest, { isError: true, code: "forbidden" })
    // It ends with its session.
    person.send({ type: "end" })
    await person.closed
    assert.deepStrictEqual(await top("relay_sessions"), { status: 401 })
  }, { ...options, token: Redacted.make("s3cret") })

  test("gives agents no tools where it has none for them", async (relay) => {
    const client = await relay.connect({ tool: "fake", relay_tools: true })
    const { code, text } = await client.waitFor("error")
    assert.strictEqual(code, "bad_handshake")
    assert.include(String(text), "--fronts mcp")
  }, { tool: "fake" })

  test("is off unless it is asked for", async (relay) => {
    assert.strictEqual((await post(relay, { jsonrpc: "2.0", id: 1, method: "ping" })).status, 404)
  }, { tool: "fake" })
})
