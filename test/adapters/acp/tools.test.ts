/** A tool call from its announcement to its result: each fact told once. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { AcpAgent } from "../../../src/adapters/acp/AcpAgent.js"
import { claudeAgent } from "../../../src/adapters/acp/agents/claudeAgent.js"
import { geminiAgent } from "../../../src/adapters/gemini/geminiAgent.js"
import { layerSession, ofType, openFake } from "../../support/fakeAcpAgent.js"

const said = (text: string) => [{ type: "content", content: { type: "text", text } }]

/** Play updates in a turn; what was logged. */
const play = (updates: ReadonlyArray<object>, agent?: AcpAgent) =>
  Effect.gen(function*() {
    const { close, prompt, update } = yield* openFake({ ...agent && { agent } })
    const turn = yield* prompt("go")
    for (const fields of updates) {
      yield* update({ toolCallId: "t", sessionUpdate: "tool_call_update", ...fields })
    }
    yield* turn.end()
    return yield* close
  }).pipe(Effect.scoped)

const call = { sessionUpdate: "tool_call" }

describe("AcpAdapter, tools", () => {
  it.effect("tells a call once, as soon as its input is known", () =>
    Effect.gen(function*() {
      const events = yield* play([
        { ...call, title: "Bash", kind: "execute", status: "pending", rawInput: {} },
        { rawInput: { command: "ls" }, title: "ls" },
        { rawInput: { command: "ls" }, status: "in_progress" },
        { status: "completed", rawOutput: "a\nb" }
      ])
      const calls = ofType(events, "tool_call")
      assert.strictEqual(calls.length, 1)
      assert.deepInclude(calls[0], {
        tool: "execute",
        args: { command: "ls" },
        metadata: { title: "ls", kind: "execute" }
      })
      assert.deepInclude(ofType(events, "tool_result")[0], { tool_use_id: "t", status: "ok", text: "a\nb" })
      // What brought nothing new is there as it came.
      assert.strictEqual(ofType(events, "stream_event").length, 2)
    }).pipe(Effect.provide(layerSession)))

  it.effect("tells a call that is only known by its result before the result", () =>
    Effect.gen(function*() {
      const events = yield* play([{ status: "failed", title: "Search", content: said("no network") }])
      assert.deepStrictEqual(
        events.flatMap(({ type }) => type.startsWith("tool") ? [type] : []),
        ["tool_call", "tool_result"]
      )
      assert.deepInclude(ofType(events, "tool_result")[0], { status: "error", text: "no network" })
    }).pipe(Effect.provide(layerSession)))

  it.effect("tells of a running tool only what is new", () =>
    Effect.gen(function*() {
      const events = yield* play([
        { ...call, title: "make", status: "in_progress", content: said("$ make\n") },
        { content: said("$ make\none\n") },
        { content: said("$ make\none\ntwo\n") },
        { content: said("cleared") },
        { title: "make all" },
        { status: "completed", content: said("done") }
      ])
      assert.deepStrictEqual(ofType(events, "tool_progress").map(({ text }) => text), [
        "one\n",
        "two\n",
        "cleared"
      ])
    }).pipe(Effect.provide(layerSession)))

  it.effect("gives output and exit code as far as they are told", () =>
    Effect.gen(function*() {
      const [plain] = ofType(
        yield* play([{ status: "completed", rawOutput: { exit_code: 2, stdout: "x" }, content: said("x") }]),
        "tool_result"
      )
      assert.deepInclude(plain, { text: "x", exit_code: 2, content: [{ type: "text", text: "x" }] })
      const [dressed] = ofType(
        yield* play([{
          status: "completed",
          rawOutput: [{ type: "text", text: "y" }],
          content: said("```\ny\n```")
        }]),
        "tool_result"
      )
      assert.deepInclude(dressed, { text: "y", content: [{ type: "text", text: "y" }] })
    }).pipe(Effect.provide(layerSession)))

  it.effect("tells a change once per file, when the tool is done", () =>
    Effect.gen(function*() {
      const change = { type: "diff", path: "/w/a.txt", oldText: "one\ntwo\n", newText: "one\n2\n" }
      const events = yield* play([
        { ...call, title: "Edit", kind: "edit", status: "in_progress", content: [change] },
        { content: [change] },
        { status: "completed" },
        { content: [change] },
        { status: "completed", content: [change, { type: "diff", path: "/w/b.txt", newText: "new\n" }] }
      ])
      assert.deepStrictEqual(ofType(events, "file_diff").map(({ diff, file_path }) => [file_path, diff]), [
        ["/w/a.txt", "--- /w/a.txt\n+++ /w/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"],
        // It comes late, but nobody else tells of it.
        ["/w/b.txt", "--- /dev/null\n+++ /w/b.txt\n@@ -0,0 +1,1 @@\n+new\n"]
      ])
      assert.deepStrictEqual(ofType(events, "tool_result").length, 1)
    }).pipe(Effect.provide(layerSession)))

  it.effect("tells a change that comes after the result, and none of a tool that failed", () =>
    Effect.gen(function*() {
      const created = [{ type: "diff", path: "/w/n.txt", oldText: null, newText: "new\n" }]
      const late = yield* play([{ status: "completed", title: "Write" }, { content: created }, {
        content: created
      }])
      assert.deepStrictEqual(ofType(late, "file_diff").map(({ diff }) => diff), [
        "--- /dev/null\n+++ /w/n.txt\n@@ -0,0 +1,1 @@\n+new\n"
      ])
      const failed = yield* play([{ ...call, status: "in_progress", content: created }, { status: "failed" }])
      assert.deepStrictEqual(ofType(failed, "file_diff"), [])
    }).pipe(Effect.provide(layerSession)))

  it.effect("puts pieces of a file together, where each says its line", () =>
    Effect.gen(function*() {
      const piece = (oldText: string, newText: string) => ({ type: "diff", path: "/w/a", oldText, newText })
      const events = yield* play([{
        status: "completed",
        content: [piece("a\nb", "a\nB\nB"), piece("x\ny", "x\nY")],
        locations: [{ path: "/w/a", line: 5 }, { path: "/w/a", line: 21 }]
      }])
      assert.deepStrictEqual(ofType(events, "file_diff").map(({ diff }) => diff), [
        "--- /w/a\n+++ /w/a\n@@ -6,1 +6,2 @@\n-b\n+B\n+B\n@@ -21,1 +22,1 @@\n-y\n+Y\n"
      ])
    }).pipe(Effect.provide(layerSession)))

  it.effect("makes a call of what there is when an agent gives no input", () =>
    Effect.gen(function*() {
      const content = [{ type: "diff", path: "/w/a", oldText: "", newText: "x\n" }]
      const [write] = ofType(
        yield* play([{ ...call, status: "in_progress", title: "Write a", content }]),
        "tool_call"
      )
      const diff = "--- /dev/null\n+++ /w/a\n@@ -0,0 +1,1 @@\n+x\n"
      assert.deepStrictEqual(write?.args, { title: "Write a", file_path: "/w/a", diff })
      const id = "run_shell_command__run_shell_command_1795333108803_0"
      const shell = { ...call, toolCallId: id, status: "in_progress", title: "ls -l", kind: "execute" }
      const [run] = ofType(yield* play([shell], geminiAgent), "tool_call")
      assert.deepInclude(run, { tool: "run_shell_command", tool_use_id: id, args: { command: "ls -l" } })
    }).pipe(Effect.provide(layerSession)))

  it.effect("reads what claude-agent-acp says beside the protocol", () =>
    Effect.gen(function*() {
      const _meta = (fields: object) => ({ _meta: { claudeCode: { toolName: "Bash", ...fields } } })
      const events = yield* play([
        { ...call, ..._meta({}), kind: "execute", rawInput: { command: "sleep 9" } },
        { ..._meta({ toolResponse: { elapsedTimeSeconds: 4 } }), status: "in_progress" },
        {
          sessionUpdate: "usage_update",
          used: 1,
          size: 10,
          _meta: { "_claude/rateLimit": { status: "rejected", rateLimitType: "five_hour", resetsAt: 5 } }
        }
      ], claudeAgent)
      assert.strictEqual(ofType(events, "tool_call")[0]?.tool, "Bash")
      assert.deepStrictEqual(ofType(events, "tool_progress").map(({ text }) => text), ["4 s"])
      assert.deepInclude(ofType(events, "quota_warning")[0], { text: "The five_hour limit is reached." })
      assert.deepInclude(ofType(events, "quota_warning")[0]?.metadata, { limited: true, resets_at: 5 })
    }).pipe(Effect.provide(layerSession)))
})
