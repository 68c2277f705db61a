/**
 * Agents that say things in another order, twice, without an id or with that of another: each call is told once, with its
 * own result, and no number, date or repeated message makes a fault of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { RelayEvent } from "../../../src/schema/index.js"
import { acp, claude, codex, type Lines } from "./lines.js"
import { first, ofType, playLines } from "./play.js"

type Events = ReadonlyArray<RelayEvent>
const calls = (events: Events) =>
  ofType(events, "tool_call").map(({ tool, tool_use_id }) => [tool_use_id, tool])
const results = (events: Events) =>
  ofType(events, "tool_result").map(({ text, tool_use_id }) => [tool_use_id, text])
/** Every call has one result, behind it. */
const areSettled = (events: Events) => {
  const open = new Set<string>()
  for (const event of events) {
    if (event.type === "tool_call") {
      assert.isFalse(open.has(event.tool_use_id), event.tool_use_id)
      open.add(event.tool_use_id)
    }
    if (event.type === "tool_result") assert.isTrue(open.delete(event.tool_use_id), event.tool_use_id)
  }
  assert.deepStrictEqual([...open], [])
}

const eventsOf = (agent: "claude" | "codex" | "acp", lines: Lines) =>
  Effect.map(playLines(agent, lines), ({ events }) => events)

describe("Claude Code", () => {
  const play = (...messages: Lines) => eventsOf("claude", claude.conversation(...messages))
  const use = (id: unknown, name: string, input: object = {}) => ({ type: "tool_use", id, name, input })
  const result = (tool_use_id: unknown, content: unknown) => ({ type: "tool_result", tool_use_id, content })
  const user = (parent_tool_use_id: string | null, ...content: ReadonlyArray<object>) =>
    claude.says({ type: "user", message: { role: "user", content }, parent_tool_use_id })

  it.live("calls two tools by one id, at once: each is told, and they get their results in turn", () =>
    Effect.gen(function*() {
      const events = yield* play(
        claude.assistant([use("t", "Read", { p: 1 }), use("t", "Bash", { command: "ls" })]),
        claude.assistant([use("t", "Bash", { command: "ls" })]),
        user(null, result("t", "one")),
        user(null, result("t", "two"))
      )
      assert.deepStrictEqual(calls(events), [["t", "Read"], ["t#2", "Bash"]])
      assert.deepStrictEqual(results(events), [["t", "one"], ["t#2", "two"]])
      areSettled(events)
    }))

  it.live.each([
    [{ dir: "exit", data: { code: 1, signal: null, stderr: ["No conversation found with session ID: 1"] } }],
    [claude.result({ is_error: true, errors: ["No conversation found with session ID: 1"] })],
    [claude.result({ is_error: true, result: "No conversation found with session ID: 1" })]
  ])("has no such conversation, wherever it says so: %j", ([said]) =>
    Effect.gen(function*() {
      const [asked] = claude.conversation()
      const handshake = { native_session_id: "11111111-1111-4111-8111-111111111111" }
      const failure = yield* Effect.flip(playLines("claude", [asked ?? {}, said ?? {}], { handshake }))
      assert.strictEqual(failure._tag, "ConversationGone")
    }))

  it.live("has subagents that call by one id: each call has the result of its own thread", () =>
    Effect.gen(function*() {
      const events = yield* play(
        claude.calls("a", "Task"),
        claude.calls("b", "Task"),
        claude.calls("x", "Bash", { parent_tool_use_id: "a" }),
        claude.calls("x", "Read", { parent_tool_use_id: "b" }),
        user("b", result("x", "of b")),
        user("a", result("x", "of a")),
        user(null, result("a", "A"), result("b", "B"))
      )
      assert.deepStrictEqual(calls(events).slice(2), [["x", "Bash"], ["x#2", "Read"]])
      assert.deepStrictEqual(results(events), [["x#2", "of b"], ["x", "of a"], ["a", "A"], ["b", "B"]])
      areSettled(events)
    }))

  it.live("has subagents of subagents: each names the call that started it", () =>
    Effect.gen(function*() {
      const events = yield* play(
        claude.calls("a", "Task"),
        claude.calls("a", "Task", { parent_tool_use_id: "a" }),
        claude.calls("c", "Bash", { parent_tool_use_id: "a" }),
        user("a", result("c", "ok"), result("a", "inner")),
        user(null, result("a", "outer"))
      )
      assert.deepStrictEqual(calls(events), [["a", "Task"], ["a#2", "Task"], ["c", "Bash"]])
      assert.deepStrictEqual(results(events), [["c", "ok"], ["a#2", "inner"], ["a", "outer"]])
    }))

  it.live("has a subagent that works on between turns: that begins none, and holds up no prompt", () =>
    Effect.gen(function*() {
      const prompt = { dir: "in", data: { type: "user", message: { role: "user", content: "go" } } } as const
      const used = (outputTokens: number, costUSD: number) => ({
        m: { inputTokens: 10, outputTokens, costUSD }
      })
      const events = yield* eventsOf("claude", [
        ...claude.conversation(claude.calls("a", "Agent"), user(null, result("a", "launched"))),
        claude.assistant([{ type: "text", text: "I go on." }], { parent_tool_use_id: "a" }),
        claude.calls("b", "Bash", { parent_tool_use_id: "a" }),
        claude.result({ total_cost_usd: 0.02, model_usage_since_last_result: used(1, 0.01) }),
        prompt,
        claude.assistant([{ type: "text", text: "Here." }]),
        user("a", result("b", "ok")),
        claude.result({
          usage: { input_tokens: 1, output_tokens: 2 },
          total_cost_usd: 0.05,
          model_usage_since_last_result: { ...used(30, 0.02), n: { inputTokens: 1, costUSD: 0.01 } }
        })
      ])
      assert.deepStrictEqual(
        events.filter(({ type }) => type === "turn_start" || type === "input_ack").map(({ turn }) => turn),
        [1, 1, 2, 2]
      )
      assert.deepStrictEqual(calls(events), [["a", "Agent"], ["b", "Bash"]])
      areSettled(events)
      // Those of the subagent, too.
      assert.deepStrictEqual(ofType(events, "turn_end").at(-1)?.usage, {
        input_tokens: 21,
        output_tokens: 31,
        cost_usd: 0.04
      })
    }))

  it.live("tells a result twice, or before its call, and in letters of all kinds", () =>
    Effect.gen(function*() {
      const events = yield* play(
        user(null, result("t", "früh 日本")),
        claude.assistant([use("t", "Read")]),
        user(null, result("t", "again")),
        user(null, result("nobody", "grüß"))
      )
      assert.deepStrictEqual(results(events), [["t", "früh 日本"], ["nobody", "grüß"]])
      assert.deepStrictEqual(calls(events), [["t", "Read"]])
    }))

  it.live("has lost its ids, or numbers them", () =>
    Effect.gen(function*() {
      const events = yield* play(
        claude.assistant([use(undefined, "Read")]),
        claude.assistant([use(7, "Bash")]),
        claude.assistant([use(null, "Grep")]),
        user(null, result(undefined, "a")),
        user(null, result(7, 12)),
        user(null, result(null, false))
      )
      assert.deepStrictEqual(calls(events), [["unnamed-1", "Read"], ["7", "Bash"], ["unnamed-2", "Grep"]])
      assert.deepStrictEqual(results(events), [["unnamed-1", "a"], ["7", "12"], ["unnamed-2", "false"]])
      areSettled(events)
    }))

  it.live("counts below nothing, or to the end of time: what is no amount and no date is left out", () =>
    Effect.gen(function*() {
      const events = yield* play(
        claude.says({
          type: "rate_limit_event",
          rate_limit_info: { status: "rejected", rateLimitType: "five_hour", resetsAt: 1e300 }
        }),
        claude.result({
          total_cost_usd: -1,
          usage: { input_tokens: 5, output_tokens: -5 },
          modelUsage: { m: { contextWindow: -1 } }
        })
      )
      assert.deepStrictEqual(first(events, "turn_end").usage, { input_tokens: 5 })
      assert.notProperty(first(events, "quota_warning").metadata, "resets_at")
    }))

  it.live("ends a turn twice: the second time is told, and answers nothing", () =>
    Effect.gen(function*() {
      const events = yield* play(
        claude.result({}),
        claude.result({ result: "and one more thing" }),
        claude.result({ is_error: true, result: "out of paper" })
      )
      assert.lengthOf(ofType(events, "turn_end"), 1)
      assert.lengthOf(ofType(events, "response"), 1)
      assert.deepInclude(ofType(events, "status").map(({ status, text }) => [status, text]), [
        "result",
        "and one more thing"
      ])
      assert.include(first(events, "error").text, "out of paper")
    }))
})

describe("Codex", () => {
  const play = (...messages: Lines) => eventsOf("codex", codex.conversation(...messages))
  const command = { type: "commandExecution", id: "i", command: "ls", status: "completed", exitCode: 0 }
  const ran = { ...command, aggregatedOutput: "a" }

  it.live("completes an item twice, and says later that it begins: it is one call", () =>
    Effect.gen(function*() {
      const events = yield* play(
        ...codex.completes(ran, ran),
        codex.tells("item/started", { item: { ...command, status: "inProgress" } }),
        // And now it is used for another.
        codex.tells("item/started", { item: { ...command, command: "pwd", status: "inProgress" } }),
        ...codex.completes({ ...ran, command: "pwd", aggregatedOutput: "/w" })
      )
      assert.deepStrictEqual(results(events), [["i", "a"], ["i#2", "/w"]])
      areSettled(events)
    }))

  it.live("has two tools at work by one id", () =>
    Effect.gen(function*() {
      const server = { type: "mcpToolCall", id: "i", server: "s", tool: "t", arguments: {} }
      const events = yield* play(
        codex.tells("item/started", { item: { ...command, status: "inProgress" } }),
        codex.tells("item/started", { item: { ...server, status: "inProgress" } }),
        ...codex.completes(ran, { ...server, status: "completed", result: { content: "r" } })
      )
      assert.deepStrictEqual(calls(events), [["i", "commandExecution"], ["i#2", "mcp__s__t"]])
      assert.deepStrictEqual(results(events), [["i", "a"], ["i#2", "r"]])
      areSettled(events)
    }))

  it.live("says a message twice, or says nothing in one", () =>
    Effect.gen(function*() {
      const said = { type: "agentMessage", id: "m", text: "hello" }
      const events = yield* play(
        ...codex.completes(said, said, { type: "agentMessage", id: "n", text: null })
      )
      assert.deepStrictEqual(ofType(events, "assistant_message").map(({ text }) => text), ["hello"])
      assert.strictEqual(first(events, "response").text, "hello")
    }))

  it.live("warns in two fields, of a limit that ends with time itself", () =>
    Effect.gen(function*() {
      const events = yield* play(
        codex.tells("deprecationNotice", { summary: "Old.", details: "Use the new one." }),
        codex.tells("account/rateLimits/updated", {
          rateLimits: { limitId: "codex", primary: { usedPercent: 100, resetsAt: 1e300 } }
        })
      )
      assert.include(ofType(events, "status").map(({ text }) => text), "Old.\nUse the new one.")
      assert.lengthOf(ofType(events, "turn_end"), 1)
      assert.lengthOf(ofType(events, "quota_warning"), 1)
    }))
})

describe("an ACP agent", () => {
  const play = (...messages: Lines) => eventsOf("acp", acp.conversation(...messages))
  const read = { title: "Read x", kind: "read", status: "in_progress", rawInput: { path: "x" } }
  const run = { title: "ls", kind: "execute", status: "in_progress", rawInput: { command: "ls" } }

  it.live("calls two tools by one id, at once: each is told, and they get their results in turn", () =>
    Effect.gen(function*() {
      const events = yield* play(
        acp.calls("c", read),
        acp.calls("c", run),
        acp.goesOn("c", { status: "completed", rawOutput: "one" }),
        acp.goesOn("c", { status: "completed", rawOutput: "two" }),
        acp.calls("d", read),
        acp.calls("d", run)
      )
      assert.deepStrictEqual(calls(events).slice(0, 2), [["c", "read"], ["c#2", "execute"]])
      assert.deepStrictEqual(results(events).slice(0, 2), [["c", "one"], ["c#2", "two"]])
      areSettled(events)
    }))

  it.live("announces a call that is over: it is the same call, and its input is told", () =>
    Effect.gen(function*() {
      const events = yield* play(
        acp.goesOn("u", { status: "completed", rawOutput: "done" }),
        acp.calls("u", run)
      )
      assert.deepStrictEqual(results(events), [["u", "done"]])
      assert.deepStrictEqual(first(events, "tool_progress").metadata, { args: { command: "ls" } })
      areSettled(events)
    }))

  it.live("has lost its ids", () =>
    Effect.gen(function*() {
      const events = yield* play(
        acp.calls(undefined, read),
        acp.updates({ sessionUpdate: "tool_call_update", status: "completed", rawOutput: "one" }),
        acp.calls(null, run),
        acp.updates({ sessionUpdate: "tool_call_update", toolCallId: { a: 1 }, status: "failed" }),
        acp.calls("", run)
      )
      assert.deepStrictEqual(calls(events).map(([id]) => id), ["unnamed-1", "unnamed-2", "unnamed-3"])
      assert.deepStrictEqual(results(events)[0], ["unnamed-1", "one"])
      areSettled(events)
    }))

  it.live("asks leave for a call without an id", () =>
    Effect.gen(function*() {
      const events = yield* play(
        ...acp.asks({ ...run, toolCallId: undefined }),
        acp.updates({ sessionUpdate: "tool_call_update", status: "completed", rawOutput: "a" })
      )
      assert.strictEqual(first(events, "permission_request").tool_use_id, "unnamed-1")
      assert.deepStrictEqual(results(events), [["unnamed-1", "a"]])
    }))

  it.live("counts money of another country, and tokens below nothing", () =>
    Effect.gen(function*() {
      const tells = (fields: object) => acp.updates({ sessionUpdate: "usage_update", ...fields })
      const events = yield* play(
        tells({ used: 10, size: 100, cost: { amount: 0.5, currency: "USD" } }),
        tells({ used: -4, size: 100, cost: { amount: 2, currency: "EUR" } })
      )
      assert.deepInclude(first(events, "turn_end").usage, { cost_usd: 0.5, context_tokens: 10 })
      assert.strictEqual(first(events, "turn_end").context_pct, 10)
    }))

  it.live("has subagents of subagents, whose calls go by the same ids", () =>
    Effect.gen(function*() {
      const within = (session: string, fields: object) => acp.updates(fields, session)
      const events = yield* play(
        acp.calls("t1", { ...read, title: "Task" }),
        acp.updates({ sessionUpdate: "subagent_update", sessionId: "s2", title: "One", toolCallId: "t1" }),
        within("s2", { sessionUpdate: "tool_call", toolCallId: "t1", ...run, title: "Task" }),
        within("s2", { sessionUpdate: "subagent_update", sessionId: "s3", title: "Two", toolCallId: "t1" }),
        within("s3", { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "deep" } }),
        within("s2", {
          sessionUpdate: "subagent_update",
          sessionId: "s3",
          state: { type: "completed", result: "It is done." }
        })
      )
      assert.deepInclude(first(events, "assistant_message").metadata, {
        thread_id: "s3",
        parent_thread_id: "s2",
        parent_tool_use_id: "t1#2",
        agent: "Two"
      })
      assert.include(ofType(events, "status").map(({ text }) => text), "Two: It is done.")
    }))
})
