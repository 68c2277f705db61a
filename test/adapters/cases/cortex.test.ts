/** What Snowflake's services say in ways that were once misunderstood, each with the right value. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Server from "../../support/cortexServer.js"
import { layerSession, openSession, serverOf } from "../../support/cortexSession.js"
import { first, ofType } from "./play.js"

const eventsOf = (name: string) =>
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "cases", `${name}.jsonl`), "utf8")
    .trim().split("\n").map((line) => JSON.parse(line) as { readonly event: string; readonly data: unknown })

type Sent = ReadonlyArray<{ readonly event: string; readonly data: unknown }>

const play = (name: string | Sent, handshake: object) =>
  hear(Server.stream(typeof name === "string" ? eventsOf(name) : name), handshake)

const hear = (reply: Server.Reply, handshake: object) =>
  Effect.gen(function*() {
    const server = yield* serverOf
    server.reply(reply)
    const session = yield* openSession(server, handshake as never)
    yield* session.turn("go")
    return yield* session.close
  }).pipe(Effect.provide(layerSession))

describe("Cortex", () => {
  it.live("ends without data: there is nothing to show", () =>
    Effect.gen(function*() {
      const events = yield* play("cortex-analyst-empty-done", { snowflake: { semantic_view: "a.b.c" } })
      assert.deepStrictEqual(ofType(events, "stdout"), [])
    }))

  it.live("refuses in words of its own", () =>
    Effect.gen(function*() {
      const events = yield* play("cortex-chat-refusal", {})
      assert.strictEqual(first(events, "assistant_message").text, "I cannot help with that")
      assert.strictEqual(first(events, "turn_end").stop_reason, "refusal")
    }))

  it.live("tells traces, which are no text for people", () =>
    Effect.gen(function*() {
      const events = yield* play("cortex-execution-trace", { mode: "agent" })
      assert.deepStrictEqual(ofType(events, "stdout"), [])
      const trace = ofType(events, "status").find(({ status }) => status === "execution_trace")
      assert.deepStrictEqual(trace?.metadata, { data: ["{\"resourceSpans\":[]}"] })
    }))

  it.live("suggests what to ask next", () =>
    Effect.gen(function*() {
      const events = yield* play("cortex-suggested-queries", { mode: "agent" })
      const told = ofType(events, "status").find(({ status }) => status === "response.suggested_queries")
      assert.deepStrictEqual(told?.metadata, { suggestions: ["And by month?"] })
    }))

  const message = (delta: object, finish_reason?: string) => ({
    event: "message",
    data: { choices: [{ index: 0, delta, finish_reason }] }
  })

  it.live("thinks nothing, and has a tool that failed: no empty thought, no failure without a word", () =>
    Effect.gen(function*() {
      const failed = { tool_use_id: "t", type: "generic", name: "look", status: "error", content: [] }
      const events = yield* play([
        { event: "response.thinking", data: { content_index: 0, text: "" } },
        { event: "response.thinking.delta", data: { content_index: 1, text: "" } },
        { event: "response.tool_result", data: { ...failed, error: { message: "No such table." } } },
        { event: "response.text.delta", data: { content_index: 2, text: "Sorry." } },
        { event: "done", data: "[DONE]" }
      ], { mode: "agent" })
      assert.deepStrictEqual(ofType(events, "reasoning"), [])
      assert.strictEqual(first(events, "tool_result").text, "No such table.")
    }))

  it.live("says something new, or fails, in fields of other names", () =>
    Effect.gen(function*() {
      const events = yield* play([
        { event: "notice", data: { text: "The model is old." } },
        { event: "error", data: { detail: "The warehouse is gone." } }
      ], { snowflake: { semantic_view: "a.b.c" } })
      assert.strictEqual(
        ofType(events, "status").find(({ status }) => status === "notice")?.text,
        "The model is old."
      )
      assert.include(first(events, "error").text, "The warehouse is gone.")
    }))

  it.live("refuses a request in OpenAI's format: its words, and that the context is full", () =>
    Effect.gen(function*() {
      const events = yield* hear(
        Server.refuse(400, JSON.stringify({ error: { message: "maximum context length exceeded" } })),
        {}
      )
      assert.include(first(events, "error").text, "maximum context length exceeded")
      assert.strictEqual(first(events, "turn_end").context_pct, 100)
    }))

  it.live("counts tokens from the cache apart", () =>
    Effect.gen(function*() {
      const usage = {
        prompt_tokens: 10,
        completion_tokens: 2,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 4 }
      }
      const events = yield* play([
        { event: "message", data: { choices: [{ delta: { content: "Hello" } }], usage } },
        { event: "message", data: "[DONE]" }
      ], {})
      assert.deepInclude(first(events, "turn_end").usage, {
        input_tokens: 6,
        cached_input_tokens: 4,
        context_tokens: 12
      })
    }))

  it.live("thinks in parts, and refuses or answers in blocks", () =>
    Effect.gen(function*() {
      const events = yield* play([
        message({ reasoning_details: [{ type: "reasoning.text", text: "Hm, " }] }),
        message({ reasoning_details: [{ type: "reasoning.summary", summary: "well." }, { data: "x" }] }),
        message({ content: [{ type: "text", text: "Hello" }] }, "stop"),
        { event: "message", data: "[DONE]" }
      ], {})
      assert.strictEqual(first(events, "reasoning").text, "Hm, well.")
      assert.strictEqual(first(events, "response").text, "Hello")
    }))

  it.live("answers in blocks of a kind nobody knows", () =>
    Effect.gen(function*() {
      const content = [{ type: "text", text: "Hi" }, { type: "card", title: "Sales", rows: [{ text: "Up" }] }]
      const events = yield* play([
        { event: "response", data: { role: "assistant", content } },
        { event: "done", data: null }
      ], { mode: "agent" })
      assert.strictEqual(first(events, "assistant_message").text, "Hi\n\nSales\nUp")
      assert.strictEqual(first(events, "response").text, "Hi\n\nSales\nUp")
    }))

  it.live("ends with null, traces in an object, suggests in texts, says a word of its own", () =>
    Effect.gen(function*() {
      const events = yield* play([
        { event: "execution_trace", data: { resourceSpans: [{ message: "not for people" }] } },
        {
          event: "response.suggested_queries",
          data: { suggested_queries: ["And by week?", { text: "By day?" }] }
        },
        { event: "notice", data: "plain words" },
        { event: "response", data: { role: "assistant", content: [{ type: "text", text: "Hi" }] } },
        { event: "done", data: null }
      ], { mode: "agent" })
      const told = ofType(events, "status").map(({ metadata, status, text }) => [status, text, metadata])
      const data = { resourceSpans: [{ message: "not for people" }] }
      assert.deepInclude(told, ["execution_trace", undefined, { data }])
      const suggestions = ["And by week?", "By day?"]
      assert.deepInclude(told, ["response.suggested_queries", suggestions.join("\n"), { suggestions }])
      assert.deepInclude(told, ["notice", "plain words", undefined])
      assert.deepStrictEqual([ofType(events, "stdout"), told.filter(([name]) => name === "done")], [[], []])
    }))

  it.live("numbers its calls anew in each answer: each is told, by an id of its own", () =>
    Effect.gen(function*() {
      const server = yield* serverOf
      const asks = (permission: object) => ({
        event: "response.tool_use",
        data: { tool_use_id: "call_0", name: "drop", type: "generic", input: {}, ...permission }
      })
      const done = {
        event: "response.tool_result",
        data: { tool_use_id: "call_0", name: "drop", content: [] }
      }
      const end = { event: "done", data: null }
      const session = yield* openSession(server, { mode: "agent" } as never)
      for (const permission of [{}, { client_side_execute: true }]) {
        server.reply(
          Server.stream([
            asks(permission),
            asks(permission),
            ...("client_side_execute" in permission ? [] : [done]),
            end
          ])
        )
      }
      server.reply(Server.stream([asks({}), done, end]))
      yield* session.turn("one")
      yield* session.turn("two")
      const events = yield* session.close
      const ids = ["call_0", "call_0#2", "call_0#3"]
      assert.deepStrictEqual(ofType(events, "tool_call").map(({ tool_use_id }) => tool_use_id), ids)
      assert.deepStrictEqual(ofType(events, "tool_result").map(({ tool_use_id }) => tool_use_id), ids)
      // The service knows the call by its own.
      assert.include(JSON.stringify(server.requests.at(-1)?.body), "\"tool_use_id\":\"call_0\"")
      assert.notInclude(JSON.stringify(server.requests.at(-1)?.body), "call_0#")
    }).pipe(Effect.provide(layerSession)))
})
