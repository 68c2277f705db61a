/** What Claude Code says in ways that were once misunderstood, each with the right value. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { first, ofType, playCase } from "./play.js"

const textOf = (status: string, events: Parameters<typeof ofType>[0]) =>
  ofType(events, "status").find((event) => event.status === status)?.text ?? ""

describe("Claude Code", () => {
  it.live("fills its window: the answer is cut, and the context is full", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("claude-context-window-exceeded")
      assert.deepInclude(first(events, "turn_end"), { stop_reason: "max_tokens", context_pct: 100 })
      assert.strictEqual(first(events, "context_warning").context_pct, 100)
      assert.strictEqual(first(events, "response").text, "half")
    }))

  it.live("goes on with a past conversation: its cost is not this turn's", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("claude-cost-after-resume", {
        handshake: { native_session_id: "11111111-1111-4111-8111-111111111111" }
      })
      const [one, two] = ofType(events, "turn_end")
      assert.notProperty(one?.usage, "cost_usd")
      assert.strictEqual(two?.usage?.cost_usd, 0.01)
    }))

  it.live("an MCP server asks: a person answers", () =>
    Effect.gen(function*() {
      const { events, told } = yield* playCase("claude-elicitation", { answer: { answers: { name: "Ada" } } })
      const ask = first(events, "permission_request")
      assert.deepInclude(ask, { tool: "mcp__m", text: "Your name?", tool_use_id: "toolu_1" })
      assert.deepInclude(ask.metadata, { kind: "question", server: "m" })
      assert.deepStrictEqual(ask.args, {
        questions: [{
          id: "name",
          question: "Your name?",
          header: "Name",
          multiSelect: false,
          type: "string",
          required: true
        }]
      })
      assert.deepStrictEqual(told.at(-1)?.response, {
        subtype: "success",
        request_id: "q1",
        response: { action: "accept", content: { name: "Ada" } }
      })
    }))

  it.live("an MCP server is told that the person declines", () =>
    Effect.gen(function*() {
      const { told } = yield* playCase("claude-elicitation", { answer: { behavior: "deny" } })
      assert.deepStrictEqual(told.at(-1)?.response.response, { action: "decline" })
    }))

  it.live("keeps its thoughts to itself: there is none", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("claude-empty-thinking")
      assert.deepStrictEqual(ofType(events, "reasoning"), [])
    }))

  it.live("is interrupted, in the words of 2.1.1: cancelled, and the half said text stays", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("claude-interrupt-2.1.1")
      assert.strictEqual(first(events, "turn_end").stop_reason, "cancelled")
      assert.deepStrictEqual(ofType(events, "error"), [])
      assert.deepInclude(first(events, "assistant_message"), {
        text: "half of an ans",
        metadata: { partial: true }
      })
    }))

  it.live("is alive: nobody's news", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("claude-keep-alive")
      assert.notInclude(ofType(events, "status").map(({ status }) => status), "keep_alive")
    }))

  it.live("edits a notebook: its difference is told", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("claude-notebook-edit")
      const { diff, file_path } = first(events, "file_diff")
      assert.strictEqual(file_path, "/w/n.ipynb")
      assert.include(diff, "- \"cells\": [{\"source\": \"a = 1\"}]\n+ \"cells\": [{\"source\": \"a = 2\"}]\n")
    }))

  it.live("calls tools of the API's own", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("claude-server-tools")
      assert.deepStrictEqual(
        ofType(events, "tool_call").map(({ args, tool, tool_use_id }) => [tool_use_id, tool, args]),
        [["srvtoolu_1", "web_search", { query: "q" }], ["mcptoolu_1", "mcp__srv__get", { a: 1 }]]
      )
      assert.deepStrictEqual(
        ofType(events, "tool_result").map(({ status, text, tool_use_id }) => [tool_use_id, status, text]),
        [["srvtoolu_1", "ok", "T https://example.com"], ["mcptoolu_1", "error", "r"]]
      )
    }))

  it.live("can remember nothing: \"for this session\" is not offered", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("claude-session-without-suggestions")
      const options = first(events, "permission_request").metadata.options ?? []
      assert.deepStrictEqual(options.map(({ kind }) => kind), ["allow_once", "reject_once"])
      assert.notProperty(ofType(events, "control_response").at(-1)?.metadata ?? {}, "scope")
    }))

  it.live("asks for a dialog it was not told we have: nobody decides for its user", () =>
    Effect.gen(function*() {
      const { events, told } = yield* playCase("claude-user-dialog")
      assert.deepStrictEqual(told.filter(({ type }) => type === "control_response"), [])
      assert.include(textOf("control_request", events), "refusal_fallback_prompt")
    }))

  it.live("has words for people in many places", () =>
    Effect.gen(function*() {
      const { events } = yield* playCase("claude-words-lost")
      const words: Readonly<Record<string, ReadonlyArray<string>>> = {
        notification: ["You should know"],
        auth_status: ["Open https://example.com", "login failed"],
        tool_use_summary: ["Read 3 files"],
        prompt_suggestion: ["run the tests"],
        hook_response: ["blocked", "exit code 2"],
        plugin_install: ["p", "no such plugin"],
        mirror_error: ["append failed"],
        session_state_changed: ["requires_action"],
        task_updated: ["failed", "e"]
      }
      for (const [status, texts] of Object.entries(words)) {
        for (const text of texts) assert.include(textOf(status, events), text, status)
      }
      assert.strictEqual(first(events, "tool_progress").text, "halfway through")
    }))
})
