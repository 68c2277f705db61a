/** Schedules over real HTTP, of a session whose agent needs no process. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { toTable } from "../../src/cli/schedule.js"
import { Relay, RelayServer } from "../../src/index.js"
import { connect } from "../support/client.js"

const replay = { tool: "replay", folder: "test/fixtures/replay", command: ["two-permissions.ndjson"] }

describe("/schedules", () => {
  it.live("are made, listed, paused and removed; the session's clients see it", () => {
    const state_dir = mkdtempSync(join(tmpdir(), "ai-relay-schedules-"))
    return Effect.gen(function*() {
      const { address } = yield* RelayServer
      const base = `http://127.0.0.1:${address.port}`
      const ask = (method: string, path: string, body?: object) =>
        Effect.promise(async () => {
          const answer = await fetch(base + path, {
            method,
            headers: { "content-type": "application/json" },
            ...(body !== undefined && { body: JSON.stringify(body) })
          })
          const text = await answer.text()
          return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) }
        })
      const client = yield* Effect.promise(() =>
        connect(`ws://127.0.0.1:${address.port}`, { ...replay, session_id: "s" })
      )
      yield* Effect.promise(() => client.waitFor("session_start"))
      const plan = { session_id: "s", content: "look", every: "0 9 * * 1-5", time_zone: "Europe/Berlin" }
      const made = yield* ask("POST", "/schedules", plan)
      assert.strictEqual(made.status, 201)
      assert.deepInclude(made.body, { session_id: "s", text: "look", paused: false, runs: 0, missed: 0 })
      const told = yield* Effect.promise(() => client.waitFor(({ status }) => status === "schedule"))
      assert.deepInclude(told.metadata, { change: "added", schedule_id: made.body.schedule_id })
      const path = `/schedules/${made.body.schedule_id}`
      const paused = yield* ask("PATCH", path, { paused: true })
      assert.deepInclude(paused.body, { paused: true })
      const listed = yield* ask("GET", "/schedules?session_id=s")
      assert.deepStrictEqual(listed.body.schedules, [paused.body])
      assert.include(toTable(listed.body.schedules), "0 9 * * 1-5 Europe/Berlin  paused")
      for (
        const [method, where, body, status] of [
          ["POST", "/schedules", { ...plan, session_id: "nobody" }, 404],
          ["POST", "/schedules", { ...plan, at: 5 }, 400],
          ["POST", "/schedules", { ...plan, every: "often" }, 400],
          ["POST", "/schedules", { session_id: "s" }, 400],
          ["PATCH", path, { paused: "no" }, 400],
          ["PATCH", "/schedules/none", { paused: true }, 404],
          ["DELETE", "/schedules/none", undefined, 404]
        ] as const
      ) {
        const refused = yield* ask(method, where, body)
        assert.strictEqual(refused.status, status, `${method} ${where} ${JSON.stringify(body)}`)
        assert.isString(refused.body.text)
      }
      assert.strictEqual((yield* ask("DELETE", path)).status, 204)
      assert.deepStrictEqual((yield* ask("GET", "/schedules")).body.schedules, [])
      yield* Effect.promise(() => client.close())
    }).pipe(
      Effect.provide(Relay.layer({ host: "127.0.0.1", port: 0, roots: [process.cwd()], state_dir })),
      Effect.ensuring(Effect.sync(() => rmSync(state_dir, { recursive: true, force: true })))
    )
  })

  it.live("of a link are gone with it, also where tokens are in memory alone", () =>
    Effect.gen(function*() {
      const { address } = yield* RelayServer
      const call = (token: string, method: string, path: string, body?: object) =>
        Effect.promise(async () => {
          const answer = await fetch(`http://127.0.0.1:${address.port}${path}`, {
            method,
            headers: { authorization: `Bearer ${token}` },
            ...(body !== undefined && { body: JSON.stringify(body) })
          })
          return JSON.parse(await answer.text() || "null")
        })
      const client = yield* Effect.promise(() =>
        connect(`ws://127.0.0.1:${address.port}`, { tool: "demo", session_id: "s", token: "operator" })
      )
      yield* Effect.promise(() => client.waitFor("session_start"))
      const { name, token } = yield* call("operator", "POST", "/sessions/s/share", {
        scopes: ["view", "prompt"],
        expires_in: 3600
      })
      const linked = yield* Effect.promise(() =>
        connect(`ws://127.0.0.1:${address.port}`, { session_id: "s", must_exist: true, token })
      )
      linked.send({ type: "schedule", content: "look", at: Date.now() / 1000 + 2 })
      yield* Effect.promise(() => client.waitFor(({ status }) => status === "schedule"))
      yield* call("operator", "DELETE", `/tokens/${name}`)
      const left = () => Effect.map(call("operator", "GET", "/schedules"), ({ schedules }) => schedules)
      assert.lengthOf(yield* left(), 1)
      while ((yield* left()).length > 0) yield* Effect.sleep("50 millis")
      assert.notInclude(client.events.map(({ type }) => type), "turn_start")
    }).pipe(
      Effect.provide(
        Relay.layer({ host: "127.0.0.1", port: 0, token: Redacted.make("operator"), tools: ["demo"] })
      ),
      Effect.scoped
    ), 20_000)
})
