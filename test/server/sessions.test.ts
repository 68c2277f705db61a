/** What a client is told of sessions, and may do with them, besides talking in one. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { say, test } from "../support/relayServer.js"

type Relay = Parameters<Parameters<typeof test>[1]>[0]

const listed = async ({ port }: Relay) => {
  const answer = await fetch(`http://127.0.0.1:${port}/sessions`)
  const { sessions } = await answer.json() as { readonly sessions: ReadonlyArray<Record<string, unknown>> }
  return sessions[0] ?? {}
}
const remove = ({ port }: Relay, name: string, method = "DELETE") =>
  fetch(`http://127.0.0.1:${port}/sessions/${name}`, { method })

describe("GET /sessions", () => {
  test("gives a session the first line of its first prompt as its title", async (relay) => {
    const client = await relay.join()
    assert.notProperty(await listed(relay), "title")
    await client.turn("  Mend the total\nit is wrong")
    await client.turn("And the tests")
    assert.strictEqual((await listed(relay)).title, "Mend the total")
  })

  test("cuts a long title between characters", async (relay) => {
    const client = await relay.join()
    await client.turn("🙂".repeat(150))
    assert.strictEqual((await listed(relay)).title, `${"🙂".repeat(99)}…`)
  })

  test("says where the open turn began, and where each waiting permission was asked", async (relay) => {
    const client = await relay.join()
    client.send({ text: "go" })
    const begun = await client.waitFor("turn_start")
    void Effect.runPromise(relay.agent().ask(FakeAdapter.askFor("q1")))
    const asked = await client.waitFor("permission_request")
    assert.deepInclude(await listed(relay), { open_turn_seq: begun.seq, pending_seqs: { q1: asked.seq } })
    client.send({ type: "permission_response", request_id: "q1", behavior: "allow" })
    await client.waitFor("control_response")
    await say(relay, { type: "turn_end", stop_reason: "end_turn" })
    await client.waitFor("turn_end")
    const after = await listed(relay)
    assert.deepStrictEqual(after.pending_seqs, {})
    assert.notProperty(after, "open_turn_seq")
  }, { onCommand: () => Effect.void })
})

describe("a handshake", () => {
  test("with must_exist begins no session, and attaches to one that is there", async (relay) => {
    const stranger = await relay.connect({ tool: "fake", session_id: "s", must_exist: true })
    assert.include(await stranger.waitFor("error"), { code: "session_not_found" })
    assert.strictEqual(await stranger.closed, 1008)
    assert.lengthOf(relay.fake.agents, 0)
    await relay.join()
    const client = await relay.connect({ session_id: "s", must_exist: true })
    await client.waitFor("session_start")
    assert.lengthOf(relay.fake.agents, 1)
  })

  test("names what the person uses; others see it with the answers", async (relay) => {
    const client = await relay.join({ front: "my-app" })
    void Effect.runPromise(relay.agent().ask(FakeAdapter.askFor("q1", { metadata: { kind: "question" } })))
    await client.waitFor("permission_request")
    client.send({ type: "permission_response", request_id: "q1", answers: { size: "L" } })
    const { metadata } = await client.waitFor("control_response")
    assert.strictEqual(metadata.by.front, "my-app")
    assert.deepStrictEqual(metadata.answers, { size: "L" })
  })

  test("hands MCP servers to the agent", async (relay) => {
    const servers = [
      { name: "db", command: "db-mcp", args: ["--read-only"], env: { A: "1" } },
      { name: "docs", type: "http", url: "https://mcp.example.com", headers: { Authorization: "Bearer x" } }
    ]
    await relay.join({ mcp_servers: servers })
    assert.deepStrictEqual(relay.agent().spec.mcp_servers as unknown, servers)
    const wrong = await relay.connect({ mcp_servers: [{ name: "x" }] })
    assert.include((await wrong.waitFor("error")).text, "`mcp_servers")
  })
})

describe("GET /sessions?limit&offset", () => {
  test("gives a page, and how many there are", async (relay) => {
    const names = ["a", "b", "c"]
    for (const session_id of names) await relay.join({ session_id })
    const ask = (query: string) => fetch(`http://127.0.0.1:${relay.port}/sessions${query}`)
    const page = async (query: string) => {
      const { sessions, total } = await (await ask(query)).json() as {
        readonly sessions: ReadonlyArray<{ readonly session_id: string }>
        readonly total?: number
      }
      return { ids: sessions.map(({ session_id }) => session_id), total }
    }
    const all = await page("")
    assert.sameMembers(all.ids, names)
    assert.isUndefined(all.total)
    assert.deepStrictEqual(await page("?limit=2"), { ids: all.ids.slice(0, 2), total: 3 })
    assert.deepStrictEqual(await page("?limit=2&offset=2"), { ids: all.ids.slice(2), total: 3 })
    assert.deepStrictEqual(await page("?offset=9"), { ids: [], total: 3 })
    for (const query of ["?limit=0", "?limit=x", "?limit=", "?offset=-1", "?limit=1001", "?limit=1.5"]) {
      const answer = await ask(query)
      assert.strictEqual(answer.status, 400, query)
      assert.include(((await answer.json()) as { text: string }).text, "must be a whole number from")
    }
  })
})

describe("session_start", () => {
  test("tells whoever attaches the model, the mode and the choices there are", async (relay) => {
    await relay.join()
    const models = [{ value: "large", displayName: "Large" }]
    await say(
      relay,
      { type: "status", status: "initialized", metadata: { models, commands: [{ name: "compact" }] } },
      { type: "status", status: "model", metadata: { model: "large" } },
      { type: "status", status: "x", metadata: { model: "small", parent_tool_use_id: "task" } },
      { type: "status", status: "permission_mode", metadata: { permission_mode: "plan" } }
    )
    const other = await relay.connect({ session_id: "s" })
    const { metadata } = await other.waitFor("session_start")
    assert.deepInclude(metadata, {
      model: "large",
      models,
      commands: [{ name: "compact" }],
      permission_mode: "plan"
    })
  })
})

describe("end", () => {
  test("with if_alone leaves a session to those who are there", async (relay) => {
    const one = await relay.join()
    const other = await relay.join()
    one.send({ type: "end", if_alone: true, message_id: "e1" })
    await one.waitFor("input_ack")
    await one.close()
    assert.notInclude(other.events.map(({ type }) => type), "session_end")
    await other.turn("still here?")
    other.send({ type: "end", if_alone: true })
    await other.waitFor("session_end")
    assert.strictEqual(await other.closed, 1000)
  })
})

describe("GET /sessions/ID/events", () => {
  test("gives all of a session to whoever knows an earlier one of its name", async (relay) => {
    const client = await relay.join()
    await client.turn("hello")
    const stop = new AbortController()
    const answer = await fetch(`http://127.0.0.1:${relay.port}/sessions/s/events`, {
      headers: { "last-event-id": "1000" },
      signal: stop.signal
    })
    const first = await answer.body?.getReader().read()
    assert.match(new TextDecoder().decode(first?.value), /^id: 1\n/)
    stop.abort()
  })
})

describe("DELETE /sessions/ID", () => {
  test("ends a live session for all and forgets it", async (relay) => {
    const client = await relay.join()
    assert.strictEqual((await remove(relay, "s")).status, 204)
    assert.strictEqual(await client.closed, 1000)
    assert.deepStrictEqual(await listed(relay), {})
    const answer = await remove(relay, "s")
    assert.strictEqual(answer.status, 404)
    assert.strictEqual((await answer.json() as { readonly code: string }).code, "session_not_found")
    assert.strictEqual((await remove(relay, "s", "PUT")).status, 405)
  })

  test("may be asked for by pages of allowed origins", async ({ port }) => {
    const answer = await fetch(`http://127.0.0.1:${port}/sessions/s`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example.com" }
    })
    assert.strictEqual(answer.headers.get("access-control-allow-methods"), "DELETE, PATCH")
  }, { allow_origin: ["https://app.example.com"] })
})

describe("PATCH /sessions/ID", () => {
  const change = ({ port }: Relay, name: string, body: string) =>
    fetch(`http://127.0.0.1:${port}/sessions/${name}`, { method: "PATCH", body })

  test("names a session and puts it away, and takes both back", async (relay) => {
    const client = await relay.join()
    await client.turn("Mend the total")
    assert.strictEqual((await change(relay, "s", "{\"title\":\" Invoices \",\"archived\":true}")).status, 204)
    assert.deepInclude(await listed(relay), { title: "Invoices", archived: true })
    assert.strictEqual((await change(relay, "s", "{\"title\":\"\"}")).status, 204)
    assert.deepInclude(await listed(relay), { title: "Mend the total", archived: true })
    await change(relay, "s", "{\"archived\":false}")
    assert.notProperty(await listed(relay), "archived")
  })

  test("says what is wrong with it", async (relay) => {
    await relay.join()
    for (
      const body of [
        "",
        "{",
        "[]",
        "{\"title\":5}",
        `{"title":"${"x".repeat(201)}"}`,
        `"${"x".repeat(20_000)}"`
      ]
    ) {
      assert.strictEqual((await change(relay, "s", body)).status, 400, body.slice(0, 20))
    }
    const answer = await change(relay, "t", "{\"archived\":true}")
    assert.strictEqual(answer.status, 404)
    assert.strictEqual((await answer.json() as { readonly code: string }).code, "session_not_found")
  })
})
