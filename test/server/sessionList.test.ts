/** The list of sessions over a socket: what somebody who watches it is told. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { test } from "../support/relayServer.js"

const watching = { watch: "sessions", must_exist: true }
const changed =
  (fits: (session: Record<string, unknown>) => boolean) =>
  (event: { type: string; session?: Record<string, unknown> }) =>
    event.type === "session_changed" && fits(event.session ?? {})

describe("a connection that watches the sessions", () => {
  test("gets all of them, opens none, and hears how one begins, asks, is named and goes", async (relay) => {
    const watcher = await relay.connect(watching)
    assert.deepStrictEqual((await watcher.waitFor("session_list")).sessions, [])
    assert.lengthOf(relay.fake.agents, 0)

    const client = await relay.join()
    await watcher.waitFor(changed(({ clients, state }) => state === "idle" && clients === 1))
    client.send({ text: "Mend the total" })
    await watcher.waitFor(changed(({ state, title }) => state === "running" && title === "Mend the total"))
    void Effect.runPromise(relay.agent().ask(FakeAdapter.askFor("q1")))
    await watcher.waitFor(changed(({ pending }) => String(pending) === "q1"))
    client.send({ type: "permission_response", request_id: "q1", behavior: "allow" })
    const { session } = await watcher.waitFor(
      changed(({ pending, state }) => state === "running" && String(pending) === "")
    )
    assert.notProperty(session, "acknowledged")

    await fetch(`http://127.0.0.1:${relay.port}/sessions/s`, {
      method: "PATCH",
      body: JSON.stringify({ title: "Invoices", archived: true })
    })
    await watcher.waitFor(changed(({ archived, title }) => title === "Invoices" && archived === true))

    const later = await relay.connect(watching)
    assert.deepInclude((await later.waitFor("session_list")).sessions[0], {
      session_id: "s",
      title: "Invoices"
    })

    await fetch(`http://127.0.0.1:${relay.port}/sessions/s`, { method: "DELETE" })
    assert.strictEqual((await watcher.waitFor("session_removed")).removed, "s")
  }, { onCommand: () => Effect.void })

  test("is told which sessions agents have opened, at once and later", async (relay) => {
    const watcher = await relay.connect(watching)
    await watcher.waitFor("session_list")
    await relay.join()
    await relay.join({ session_id: "helper", front: "mcp (claude-code)", parent: "s" })
    const opened_by = { front: "mcp (claude-code)", session_id: "s" }
    const { session } = await watcher.waitFor(changed(({ session_id }) => session_id === "helper"))
    assert.deepInclude(session, { opened_by })
    const later = await relay.connect(watching)
    const { sessions } = await later.waitFor("session_list")
    assert.deepStrictEqual(
      Object.fromEntries(
        (sessions as ReadonlyArray<Record<string, unknown>>).map((
          line
        ) => [line["session_id"], line["opened_by"]])
      ),
      { s: undefined, helper: opened_by }
    )
  })

  test("is told so when it sends a command; a ping is answered", async (relay) => {
    const watcher = await relay.connect(watching)
    watcher.send({ type: "ping" })
    assert.strictEqual((await watcher.waitFor("status")).status, "pong")
    watcher.send({ text: "hello" })
    assert.include(await watcher.waitFor("error"), { code: "bad_command" })
    assert.lengthOf(relay.fake.agents, 0)
  })

  test("needs the token like any other", async (relay) => {
    const watcher = await relay.connect(watching)
    assert.include(await watcher.waitFor("error"), { code: "unauthorized" })
    assert.strictEqual(await watcher.closed, 1008)
  }, { auth: "always" })

  test("is told to come again when the relay ends", async (relay) => {
    const watcher = await relay.connect(watching)
    await watcher.waitFor("session_list")
    await relay.end()
    assert.strictEqual(await watcher.closed, 1012)
  })

  test("hears of a change once, however many events an agent makes", async (relay) => {
    const watcher = await relay.connect(watching)
    await watcher.waitFor("session_list")
    const client = await relay.join()
    for (let turn = 0; turn < 30; turn++) await client.turn(`prompt ${turn}`)
    await watcher.waitFor(changed(({ state, turns }) => turns === 30 && state === "idle"))
    assert.isBelow(watcher.events.length, client.events.length / 3)
  })
})
