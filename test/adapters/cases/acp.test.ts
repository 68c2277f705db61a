/** What agents of the Agent Client Protocol say in ways that were once misunderstood, each with the right value. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { first, ofType, playCase } from "./play.js"

describe("an ACP agent", () => {
  it.live("asks leave in words: they are not what came of it", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("acp-ask-words-as-result")
      assert.deepInclude(first(events, "tool_result"), { text: "a.txt\n", exit_code: 0 })
    }))

  it.live("compacts: the summary is told", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("acp-compaction-summary")
      assert.strictEqual(first(events, "context_compacted").text, "We did things.")
    }))

  it.live("asks with a form: type, bounds, default and what is required are told", () =>
    Effect.gen(function*() {
      const { events, told } = yield* playCase("acp-form-details", { answer: { answers: { age: "7" } } })
      assert.deepStrictEqual(first(events, "permission_request").args, {
        questions: [
          {
            id: "age",
            question: "Age",
            header: "Age",
            multiSelect: false,
            type: "integer",
            required: true,
            minimum: 1,
            maximum: 9,
            default: 3
          },
          {
            id: "nick",
            question: "Nick",
            header: "Nick",
            multiSelect: false,
            type: "string",
            required: false
          }
        ]
      })
      assert.deepStrictEqual(told.at(-1)?.result, { action: "accept", content: { age: 7 } })
    }))

  it.live("tells a command's input in two steps: the call has all of it", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("acp-input-comes-later")
      assert.deepStrictEqual(ofType(events, "tool_call").map(({ args }) => args), [{
        command: "ls -la",
        cwd: "/w"
      }])
    }))

  it.live("has a subagent: its words are told apart", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("acp-other-session")
      assert.strictEqual(first(events, "response").text, "the answer")
      const [child, own] = ofType(events, "assistant_message")
      assert.deepInclude(child?.text === "the answer" ? own : child, {
        text: "words of a child session",
        metadata: { thread_id: "s2" }
      })
    }))

  it.live("names a subagent: what that says and does bears its name", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("acp-subagent-named")
      const told = ofType(events, "status").find(({ status }) => status === "subagent_update")
      assert.deepInclude(told, { text: "Reviewer: reads the tests: working" })
      assert.deepInclude(told?.metadata, { thread_id: "s2", agent: "Reviewer" })
      const said = ofType(events, "assistant_message").find(({ text }) => text === "words of a child session")
      assert.deepInclude(said?.metadata, { thread_id: "s2", agent: "Reviewer" })
    }))

  it.live("leaves its raw output empty: the content counts", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("acp-raw-output-empty")
      assert.strictEqual(first(events, "tool_result").text, "Output: a.txt")
    }))

  it.live("says in its raw output why a tool failed", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("acp-raw-output-message")
      assert.deepInclude(first(events, "tool_result"), { status: "error", text: "Path already exists" })
    }))

  it.live("answers with a file", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("acp-resource-answer")
      assert.strictEqual(first(events, "assistant_message").text, "the answer as a file")
      assert.strictEqual(first(events, "response").text, "the answer as a file")
    }))

  it.live("announces session/resume without knowing it: the conversation is loaded", () =>
    Effect.gen(function*() {
      const { events, told } = yield* playCase("acp-resume-not-there", {
        handshake: { native_session_id: "s1" }
      })
      assert.isTrue(told.some(({ method, params }) => method === "session/load" && params.sessionId === "s1"))
      assert.strictEqual(first(events, "turn_end").stop_reason, "end_turn")
    }))

  it.live("keeps a command's output and exit code in _meta", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("acp-terminal-output-in-meta")
      assert.deepInclude(first(events, "tool_result"), { text: "x\n", exit_code: 0 })
    }))

  it.live("says things nobody here knows: each is a status, with its words", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("acp-unknown-update")
      const told = ofType(events, "status").map(({ status, text }) => [status, text])
      assert.deepInclude(told, ["plan_update", "[ ] step one"])
      assert.deepInclude(told, ["brand_new", "x"])
      assert.deepInclude(told, ["_agent/notice", "x"])
      assert.isTrue(told.some(([status]) => status === "subagent_update"))
    }))
})
