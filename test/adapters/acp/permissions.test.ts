/** What an agent asks, and what it gets for an answer. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { geminiAgent } from "../../../src/adapters/gemini/geminiAgent.js"
import { layerSession, ofType, openFake } from "../../support/fakeAcpAgent.js"

const options = [
  { optionId: "yes-always", name: "Always", kind: "allow_always" },
  { optionId: "yes", name: "Yes", kind: "allow_once" },
  { optionId: "no", name: "No", kind: "reject_once" },
  { optionId: "shrug", name: "Hm", kind: "maybe" }
]

const ask = (id: unknown, more: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "session/request_permission",
  params: {
    sessionId: "s1",
    toolCall: { toolCallId: "t", title: "rm -r x", kind: "execute", rawInput: { command: "rm -r x" } },
    options,
    ...more
  }
})

const answerTo = (id: unknown) => (message: { readonly id?: unknown; readonly method?: unknown }) =>
  message.id === id && message.method === undefined

/** Ask, answer, and see what the agent gets. */
const decided = (id: unknown, fields: object, more: object = {}) =>
  Effect.gen(function*() {
    const { close, next, prompt, respond, say, told } = yield* openFake()
    const turn = yield* prompt("go")
    yield* say(ask(id, more))
    const request = yield* next("permission_request")
    yield* respond(request, fields)
    const { result } = yield* told(answerTo(id))
    yield* turn.end()
    return { request, outcome: result.outcome, events: yield* close }
  }).pipe(Effect.scoped)

const selected = (optionId: string) => ({ outcome: "selected", optionId })
const cancelled = { outcome: "cancelled" }

describe("AcpAdapter, permissions", () => {
  it.effect("asks with what the agent offers, and tells the tool call first", () =>
    Effect.gen(function*() {
      const { events, request } = yield* decided(0, { behavior: "allow" })
      assert.deepInclude(request, {
        tool: "execute",
        args: { command: "rm -r x" },
        tool_use_id: "t",
        text: "rm -r x"
      })
      assert.deepInclude(request.metadata, {
        kind: "tool",
        options: [
          { option_id: "yes-always", name: "Always", kind: "allow_always" },
          { option_id: "yes", name: "Yes", kind: "allow_once" },
          { option_id: "no", name: "No", kind: "reject_once" }
        ]
      })
      const [call] = ofType(events, "tool_call")
      assert.deepInclude(call, { tool_use_id: "t", args: { command: "rm -r x" } })
      assert.isBelow(call?.seq ?? 99, request.seq)
    }).pipe(Effect.provide(layerSession)))

  it.effect("answers request 0, and one with a string for an id, with the id it came with", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* decided(0, { behavior: "allow" })).outcome, selected("yes"))
      assert.deepStrictEqual((yield* decided("7", { behavior: "allow" })).outcome, selected("yes"))
    }).pipe(Effect.provide(layerSession)))

  it.effect("chooses among the offered options by what was meant", () =>
    Effect.gen(function*() {
      const outcomeOf = (fields: object, more: object = {}) =>
        Effect.map(decided(0, fields, more), ({ outcome }) => outcome)
      assert.deepStrictEqual(yield* outcomeOf({ behavior: "allow" }), selected("yes"))
      assert.deepStrictEqual(
        yield* outcomeOf({ behavior: "allow", scope: "session" }),
        selected("yes-always")
      )
      assert.deepStrictEqual(yield* outcomeOf({ option_id: "yes-always" }), selected("yes-always"))
      assert.deepStrictEqual(yield* outcomeOf({ behavior: "deny", message: "no!" }), selected("no"))
      // A word that denies is stronger than an option that allows.
      assert.deepStrictEqual(yield* outcomeOf({ behavior: "deny", option_id: "yes" }), selected("no"))
      assert.deepStrictEqual(yield* outcomeOf({ option_id: "shrug" }), selected("no"))
      const onlyYes = { options: [{ optionId: "ok", kind: "allow_once" }] }
      assert.deepStrictEqual(yield* outcomeOf({ behavior: "deny" }, onlyYes), cancelled)
      assert.deepStrictEqual(
        yield* outcomeOf({ behavior: "allow", scope: "session" }, onlyYes),
        selected("ok")
      )
    }).pipe(Effect.provide(layerSession)))

  it.effect("does not run a tool on other input than was asked for", () =>
    Effect.gen(function*() {
      const changed = yield* decided(0, { behavior: "allow", updatedInput: { command: "rm -r y" } })
      assert.deepStrictEqual(changed.outcome, selected("no"))
      assert.include(ofType(changed.events, "tool_result")[0]?.text, "cannot run a tool with changed input")
      const same = yield* decided(0, { behavior: "allow", updatedInput: { command: "rm -r x" } })
      assert.deepStrictEqual(same.outcome, selected("yes"))
    }).pipe(Effect.provide(layerSession)))

  it.effect("shows a plan as a plan, and accepts edits with it only if that is offered and wanted", () =>
    Effect.gen(function*() {
      const plan = {
        toolCall: { toolCallId: "p", title: "Ready?", kind: "switch_mode", rawInput: { plan: "1. Build." } }
      }
      const { outcome, request } = yield* decided(0, { behavior: "allow" }, plan)
      assert.deepInclude(request, { text: "1. Build." })
      assert.strictEqual(request.metadata.kind, "plan")
      assert.deepStrictEqual(outcome, selected("yes"))
      const offered = [
        { optionId: "auto", kind: "allow_always" },
        { optionId: "acceptEdits", kind: "allow_always" },
        { optionId: "default", kind: "allow_once" }
      ]
      const lasting = yield* decided(0, { behavior: "allow", scope: "session" }, {
        ...plan,
        options: offered
      })
      assert.deepStrictEqual(lasting.outcome, selected("acceptEdits"))
    }).pipe(Effect.provide(layerSession)))

  it.effect("gives a rejected tool its result at the end of the turn, unless the agent did", () =>
    Effect.gen(function*() {
      const { close, next, prompt, respond, say, told, update } = yield* openFake()
      const turn = yield* prompt("go")
      for (const id of ["a", "b"]) {
        yield* say(ask(id, { toolCall: { toolCallId: id, title: id } }))
        yield* respond(yield* next("permission_request", id === "a" ? 0 : 6), {
          behavior: "deny",
          message: `not ${id}`
        })
        yield* told(answerTo(id))
      }
      const content = [{ type: "content", content: { type: "text", text: "refused" } }]
      yield* update({ sessionUpdate: "tool_call_update", toolCallId: "a", status: "failed", content })
      yield* turn.end()
      assert.deepStrictEqual(
        ofType(yield* close, "tool_result").map((
          { status, text, tool_use_id }
        ) => [tool_use_id, status, text]),
        [["a", "error", "refused"], ["b", "error", "not b"]]
      )
    }).pipe(Effect.provide(layerSession)))

  it.effect("gives a tool Gemini may not run its result at once, for Gemini says no more of it", () =>
    Effect.gen(function*() {
      const { chunk, close, next, prompt, respond, say, told } = yield* openFake({ agent: geminiAgent })
      const turn = yield* prompt("go")
      const toolCallId = "run_shell_command__call_1"
      yield* say(ask(0, { toolCall: { toolCallId, status: "pending", title: "rm -r x", kind: "execute" } }))
      const request = yield* next("permission_request")
      assert.deepInclude(request, { tool: "run_shell_command", args: { command: "rm -r x" } })
      yield* respond(request, { behavior: "deny" })
      yield* told(answerTo(0))
      yield* chunk("Then not.")
      yield* turn.end()
      const types = (yield* close).map(({ type }) => type)
      assert.isBelow(types.indexOf("tool_result"), types.indexOf("assistant_message"))
    }).pipe(Effect.provide(layerSession)))

  it.effect("stops the turn with a denial that says so, and answers all that is open", () =>
    Effect.gen(function*() {
      const { close, heard, next, prompt, respond, say, told } = yield* openFake()
      const turn = yield* prompt("go")
      yield* say(ask(0))
      yield* say(ask(1, { toolCall: { toolCallId: "u", title: "other" } }))
      const request = yield* next("permission_request")
      yield* next("permission_request", request.seq)
      yield* respond(request, { behavior: "deny", stop: true })
      assert.deepStrictEqual((yield* told(answerTo(1))).result.outcome, cancelled)
      assert.deepStrictEqual((yield* told(answerTo(0))).result.outcome, selected("no"))
      assert.isTrue(heard.some(({ method }) => method === "session/cancel"))
      yield* turn.end({ stopReason: "cancelled" })
      const events = yield* close
      assert.strictEqual(ofType(events, "permission_cancelled").length, 1)
      assert.deepStrictEqual(ofType(events, "turn_end").map(({ stop_reason }) => stop_reason), ["cancelled"])
    }).pipe(Effect.provide(layerSession)))

  it.effect("answers what is open at once when the turn is interrupted, after telling the agent to stop", () =>
    Effect.gen(function*() {
      const { close, heard, next, prompt, say, send, told } = yield* openFake()
      const turn = yield* prompt("go")
      yield* say(ask(0))
      yield* next("permission_request")
      yield* send({ type: "interrupt" })
      const answer = yield* told(answerTo(0))
      assert.deepStrictEqual(answer.result.outcome, cancelled)
      assert.isBelow(heard.findIndex(({ method }) => method === "session/cancel"), heard.indexOf(answer))
      yield* turn.end({ stopReason: "cancelled" })
      const events = yield* close
      assert.deepStrictEqual(ofType(events, "permission_cancelled")[0]?.metadata, { reason: "interrupted" })
    }).pipe(Effect.provide(layerSession)))

  it.effect("rejects when nobody answers in time", () =>
    Effect.gen(function*() {
      const { close, next, prompt, say, told } = yield* openFake()
      const turn = yield* prompt("go")
      yield* say(ask(0))
      yield* next("permission_request")
      yield* TestClock.adjust("31 minutes")
      assert.deepStrictEqual((yield* told(answerTo(0))).result.outcome, selected("no"))
      yield* turn.end()
      assert.include(ofType(yield* close, "tool_result")[0]?.text, "Nobody answered")
    }).pipe(Effect.provide(layerSession)))

  it.effect("settles a request the agent withdraws, or leaves open when the turn ends", () =>
    Effect.gen(function*() {
      const { close, next, prompt, say, told } = yield* openFake()
      const turn = yield* prompt("go")
      yield* say(ask("w"))
      const { seq } = yield* next("permission_request")
      yield* say({ jsonrpc: "2.0", method: "$/cancel_request", params: { requestId: "w" } })
      assert.deepStrictEqual((yield* told(answerTo("w"))).error, {
        code: -32800,
        message: "Request cancelled"
      })
      yield* say(ask(3))
      yield* next("permission_request", seq)
      yield* turn.end()
      assert.deepStrictEqual((yield* told(answerTo(3))).result.outcome, cancelled)
      const events = yield* close
      assert.strictEqual(ofType(events, "permission_cancelled").length, 2)
      assert.strictEqual(events.findLast(({ turn }) => turn === 1)?.type, "turn_end")
    }).pipe(Effect.provide(layerSession)))
})

describe("AcpAdapter, questions", () => {
  const create = (id: unknown, params: object) => ({
    jsonrpc: "2.0",
    id,
    method: "elicitation/create",
    params
  })
  const form = {
    sessionId: "s1",
    mode: "form",
    message: "A few things first.",
    requestedSchema: {
      type: "object",
      properties: {
        size: {
          type: "string",
          title: "Size",
          oneOf: [{ const: "s", title: "Small" }, { const: "l", title: "Large" }]
        },
        size_custom: { type: "string", title: "Other" },
        count: { type: "integer", description: "How many?" },
        extras: { type: "array", items: { type: "string", enum: ["ham", "egg"] } },
        hot: { type: "boolean", title: "Hot?" }
      }
    }
  }

  it.effect("asks a form as questions, and fills it in with the answers", () =>
    Effect.gen(function*() {
      const { close, next, prompt, respond, say, told } = yield* openFake()
      const turn = yield* prompt("go")
      yield* say(create(0, form))
      const request = yield* next("permission_request")
      assert.deepInclude(request, { tool: "elicitation", text: "A few things first." })
      assert.strictEqual(request.metadata.kind, "question")
      assert.deepStrictEqual(request.args, {
        questions: [
          {
            id: "size",
            question: "Size",
            header: "Size",
            options: [{ label: "Small", value: "s" }, { label: "Large", value: "l" }],
            multiSelect: false,
            type: "string",
            required: false,
            custom: true
          },
          { id: "count", question: "How many?", multiSelect: false, type: "integer", required: false },
          {
            id: "extras",
            question: "extras",
            options: [{ label: "ham" }, { label: "egg" }],
            multiSelect: true,
            type: "array",
            required: false
          },
          {
            id: "hot",
            question: "Hot?",
            header: "Hot?",
            options: [{ label: "Yes" }, { label: "No" }],
            multiSelect: false,
            type: "boolean",
            required: false
          }
        ]
      })
      const answers = { Size: "Large", "How many?": "3", extras: ["ham", "egg"], hot: "Yes", nonsense: "x" }
      yield* respond(request, { answers })
      assert.deepStrictEqual((yield* told(answerTo(0))).result, {
        action: "accept",
        content: { size: "l", count: 3, extras: ["ham", "egg"], hot: true }
      })
      yield* say(create(1, form))
      yield* respond(yield* next("permission_request", request.seq), { answers: { size: "enormous" } })
      assert.deepStrictEqual((yield* told(answerTo(1))).result.content, { size_custom: "enormous" })
      yield* turn.end()
      yield* close
    }).pipe(Effect.provide(layerSession)))

  it.effect("shows a link, and knows when it was dealt with elsewhere", () =>
    Effect.gen(function*() {
      const { close, next, prompt, respond, say, told } = yield* openFake()
      const turn = yield* prompt("go")
      const link = { mode: "url", message: "Log in", url: "https://example.com/x", elicitationId: "e1" }
      yield* say(create(0, link))
      const request = yield* next("permission_request")
      assert.deepInclude(request, {
        text: "Log in\nhttps://example.com/x",
        args: { url: "https://example.com/x" }
      })
      yield* respond(request, { behavior: "deny" })
      assert.deepStrictEqual((yield* told(answerTo(0))).result, { action: "decline" })
      yield* say(create(1, link))
      yield* next("permission_request", request.seq)
      yield* say({ jsonrpc: "2.0", method: "elicitation/complete", params: { elicitationId: "e1" } })
      assert.deepStrictEqual((yield* told(answerTo(1))).result, { action: "accept" })
      yield* turn.end()
      assert.strictEqual(ofType(yield* close, "permission_cancelled").length, 1)
    }).pipe(Effect.provide(layerSession)))
})
