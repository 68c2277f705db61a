/** Modes, models, plans, usage: what a session shows of itself, and what of it a client may change. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { geminiAgent } from "../../../src/adapters/gemini/geminiAgent.js"
import { layerOpenSession, layerSession, ofType, openFake, refuse } from "../../support/fakeAcpAgent.js"

const modes = {
  currentModeId: "default",
  availableModes: [{ id: "default" }, { id: "autoEdit" }, { id: "plan" }]
}
const select = (id: string, category: string, currentValue: string, values: ReadonlyArray<string>) => ({
  id,
  category,
  type: "select",
  name: id,
  currentValue,
  options: values.map((value) => ({ value, name: value }))
})
const configOptions = [
  select("how", "mode", "ask", ["ask", "code"]),
  {
    ...select("which", "model", "small", []),
    options: [{
      group: "g",
      name: "G",
      options: [{ value: "small", name: "Small" }, { value: "big", name: "Big" }]
    }]
  }
]

describe("AcpAdapter, settings", () => {
  it.effect("tells all settings of the session, switches too", () =>
    Effect.gen(function*() {
      const web = { id: "web", type: "boolean", name: "Web search", currentValue: true }
      const { next } = yield* openFake({
        answers: { "session/new": { sessionId: "s1", configOptions: [web] } }
      })
      assert.deepStrictEqual((yield* next("status")).metadata?.["options"], [web])
    }).pipe(Effect.provide(layerSession)))

  it.effect("announces that it knows switches and subagents, and passes a switch on where the operator lets it", () =>
    Effect.gen(function*() {
      const switches = (
        currentValue: boolean
      ) => [{ id: "web", type: "boolean", name: "Web search", currentValue }]
      const { find, heard, requested, send } = yield* openFake({
        answers: {
          "session/new": { sessionId: "s1", configOptions: switches(true) },
          "session/set_config_option": { configOptions: switches(false) }
        }
      })
      const { clientCapabilities } = heard[0].params
      assert.deepStrictEqual(clientCapabilities.session.configOptions, { boolean: {} })
      assert.deepStrictEqual(clientCapabilities.subagents, {})
      yield* send({
        type: "raw_request",
        method: "session/set_config_option",
        params: { configId: "web", type: "boolean", value: false }
      })
      assert.deepStrictEqual((yield* requested("session/set_config_option")).params, {
        sessionId: "s1",
        configId: "web",
        type: "boolean",
        value: false
      })
      const told = yield* find((event) => event.type === "status" && event.status === "config")
      assert.deepStrictEqual(told.metadata, { options: switches(false) })
    }).pipe(Effect.provide(layerOpenSession)))

  it.effect("sets modes and models through config options", () =>
    Effect.gen(function*() {
      const answers = {
        "session/new": { sessionId: "s1", configOptions },
        "session/set_config_option": { configOptions }
      }
      const { close, find, next, requested, send } = yield* openFake({ answers })
      const start = yield* next("session_start")
      assert.deepInclude(start.metadata?.["capabilities"], {
        set_model: true,
        permission_modes: ["ask", "code"]
      })
      yield* send({ type: "set_permission_mode", mode: "code", message_id: "m" })
      assert.deepStrictEqual((yield* requested("session/set_config_option")).params, {
        sessionId: "s1",
        configId: "how",
        value: "code"
      })
      yield* send({ type: "set_model", model: "Big", message_id: "n" })
      assert.deepStrictEqual((yield* requested("session/set_config_option", 2)).params, {
        sessionId: "s1",
        configId: "which",
        value: "big"
      })
      yield* find((event) => event.type === "input_ack" && event.message_id === "n")
      const told = ofType(yield* close, "status").map(({ metadata, status }) => [status, metadata])
      assert.deepInclude(told, ["permission_mode", { permission_mode: "code" }])
      assert.deepInclude(told, ["model", { model: "big" }])
    }).pipe(Effect.provide(layerSession)))

  it.effect("takes Claude's mode names where Gemini has such a mode, and tells a change once", () =>
    Effect.gen(function*() {
      const answers = { "session/new": { sessionId: "s1", modes } }
      const { chunk, close, find, next, requested, send } = yield* openFake({ agent: geminiAgent, answers })
      const start = yield* next("session_start")
      assert.deepInclude(start.metadata?.["capabilities"], {
        permission_modes: ["default", "autoEdit", "plan", "auto_edit", "acceptEdits"]
      })
      yield* send({ type: "set_permission_mode", mode: "acceptEdits", message_id: "m" })
      assert.strictEqual((yield* requested("session/set_mode")).params.modeId, "autoEdit")
      yield* chunk("[MODE_UPDATE] autoEdit")
      yield* find((event) => event.type === "input_ack" && event.message_id === "m")
      const events = yield* close
      assert.deepStrictEqual(
        ofType(events, "status").filter(({ status }) => status === "permission_mode").map(({ metadata }) =>
          metadata
        ),
        [{ permission_mode: "autoEdit" }]
      )
      assert.deepStrictEqual(ofType(events, "assistant_message"), [])
    }).pipe(Effect.provide(layerSession)))

  it.effect("says why when an agent refuses, or does not answer", () =>
    Effect.gen(function*() {
      const untrusted = refuse(-32603, "Internal error", { details: "This folder is not trusted." })
      let asked = 0
      const answers = {
        "session/new": { sessionId: "s1", modes },
        "session/set_mode": () => ++asked === 1 ? untrusted : undefined
      }
      const { close, find, next, requested, send } = yield* openFake({ answers })
      yield* send({ type: "set_permission_mode", mode: "plan", message_id: "a" })
      assert.deepInclude(yield* next("error"), {
        code: "bad_command",
        text: "This folder is not trusted.",
        message_id: "a"
      })
      yield* send({ type: "set_permission_mode", mode: "plan", message_id: "b" })
      yield* requested("session/set_mode", 2)
      yield* TestClock.adjust("10 seconds")
      const late = yield* find((event) => event.type === "error" && event.message_id === "b")
      assert.include(late.type === "error" ? late.text : "", "did not answer \"session/set_mode\" within 10s")
      yield* send({ type: "set_model", model: "x", message_id: "c" })
      yield* find((event) => event.type === "error" && event.message_id === "c")
      yield* close
    }).pipe(Effect.provide(layerSession)))

  it.effect("tells plans, commands, names and notices as they change", () =>
    Effect.gen(function*() {
      const { close, prompt, update } = yield* openFake()
      const turn = yield* prompt("go")
      const entry = (content: string, status: string) => ({ content, priority: "high", status })
      const entries = [entry("look", "completed"), entry("act", "in_progress"), entry("rest", "pending")]
      yield* update({ sessionUpdate: "plan", entries })
      yield* update({
        sessionUpdate: "available_commands_update",
        availableCommands: [{ name: "web", description: "Search", input: { hint: "query" } }, {
          name: "quit"
        }]
      })
      yield* update({
        sessionUpdate: "session_info_update",
        title: "A title",
        updatedAt: "2026-01-01T00:00:00Z"
      })
      yield* update({
        sessionUpdate: "notice",
        severity: "warning",
        title: "Careful",
        description: "it is hot"
      })
      yield* update({ sessionUpdate: "current_mode_update", currentModeId: "code" })
      yield* update({ sessionUpdate: "config_option_update", configOptions })
      yield* update({ sessionUpdate: "compaction_update", compactionId: "c", status: "in_progress" })
      yield* update({ sessionUpdate: "compaction_update", compactionId: "c", status: "completed" })
      yield* turn.end()
      const events = yield* close
      const told = Object.fromEntries(ofType(events, "status").map((event) => [event.status, event]))
      assert.deepInclude(told["plan"], { text: "[x] look\n[>] act\n[ ] rest", metadata: { entries } })
      assert.deepStrictEqual(told["commands"]?.metadata, {
        commands: [
          { name: "web", description: "Search", argumentHint: "query" },
          { name: "quit", description: "", argumentHint: "" }
        ]
      })
      assert.deepStrictEqual(told["session_info"]?.metadata, {
        title: "A title",
        updated_at: "2026-01-01T00:00:00Z"
      })
      assert.deepInclude(told["notice"], { text: "Careful: it is hot" })
      assert.deepStrictEqual(told["permission_mode"]?.metadata, { permission_mode: "code" })
      assert.deepInclude(told["config"]?.metadata, { permission_mode: "ask", model: "small" })
      assert.deepStrictEqual(told["compaction"]?.metadata, { outcome: "in_progress" })
      assert.strictEqual(ofType(events, "context_compacted").length, 1)
    }).pipe(Effect.provide(layerSession)))

  it.effect("measures the context and the cost of each turn", () =>
    Effect.gen(function*() {
      const { close, prompt, update } = yield* openFake()
      const usage = (used: number, amount?: number) =>
        update({
          sessionUpdate: "usage_update",
          used,
          size: 1000,
          ...amount !== undefined && { cost: { amount, currency: "USD" } }
        })
      const first = yield* prompt("one")
      yield* usage(500, 0.25)
      yield* first.end({
        stopReason: "end_turn",
        usage: { inputTokens: 10, outputTokens: 5, cachedReadTokens: 3 }
      })
      const second = yield* prompt("two")
      yield* usage(860, 0.75)
      yield* usage(870)
      yield* second.end()
      // Its conversation was begun again.
      const third = yield* prompt("three")
      yield* usage(880, 0.125)
      yield* third.end()
      const events = yield* close
      assert.deepStrictEqual(
        ofType(events, "turn_end").map(({ context_pct, usage }) => [context_pct, usage]),
        [
          [50, {
            input_tokens: 10,
            output_tokens: 5,
            cached_input_tokens: 3,
            context_tokens: 500,
            context_window: 1000,
            cost_usd: 0.25
          }],
          [87, { context_tokens: 870, context_window: 1000, cost_usd: 0.5 }],
          [88, { context_tokens: 880, context_window: 1000, cost_usd: 0.125 }]
        ]
      )
      assert.deepStrictEqual(ofType(events, "context_warning").map(({ context_pct }) => context_pct), [86])
    }).pipe(Effect.provide(layerSession)))

  it.effect("passes requests of clients on, except those that are the relay's own", () =>
    Effect.gen(function*() {
      const sessions = { sessions: [{ sessionId: "s0", cwd: "/workspace" }] }
      const answers = {
        // It lists more than it was asked for.
        "session/list": {
          sessions: [...sessions.sessions, { sessionId: "s9", cwd: "/elsewhere", title: "a secret" }]
        },
        "_vendor/x": refuse(-32601, "\"Method not found\": _vendor/x")
      }
      const { close, find, requested, send } = yield* openFake({ answers })
      yield* send({ type: "raw_request", request_id: "r1", method: "session/list", params: { cursor: "c" } })
      assert.deepStrictEqual((yield* requested("session/list")).params, {
        sessionId: "s1",
        cursor: "c",
        cwd: "/workspace"
      })
      yield* send({
        type: "control_request",
        request_id: "r2",
        request: { subtype: "_vendor/x", deep: true }
      })
      assert.deepStrictEqual((yield* requested("_vendor/x")).params, { sessionId: "s1", deep: true })
      yield* find((event) => event.type === "control_response" && event.request_id === "r2")
      yield* send({ type: "raw_request", method: "session/prompt", params: {} })
      yield* send({ type: "raw_request", method: "_vendor/x", params: { sessionId: "s2" } })
      yield* send({ type: "resize", cols: 80, rows: 24, message_id: "last" })
      yield* find((event) => event.type === "error" && event.message_id === "last")
      const events = yield* close
      assert.deepStrictEqual(
        ofType(events, "control_response").map((
          { content, request_id, status }
        ) => [request_id, status, content]),
        [["r1", "ok", sessions], ["r2", "error", undefined]]
      )
      assert.notInclude(JSON.stringify(events), "a secret")
      assert.include(ofType(events, "error")[0]?.text, "is reserved for the relay: send a prompt as")
      assert.include(ofType(events, "error")[1]?.text, "always apply to this session")
    }).pipe(Effect.provide(layerOpenSession)))
})
