import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { AguiEvent, Dialect } from "../../../src/fronts/agui/encode.js"
import * as Encoder from "../../../src/fronts/agui/encode.js"
import type { Op } from "../../../src/fronts/Op.js"
import { recordedSessions } from "../../support/recordedSessions.js"
import { stretchesOf, turnsOf } from "./runsOf.js"
import * as thread from "./thread.js"

const dialects: ReadonlyArray<Dialect> = ["0.0", "1.0"]

const threadOf = (dialect: Dialect, runs: ReadonlyArray<ReadonlyArray<AguiEvent>>) => {
  const shown = thread.make(dialect)
  for (const run of runs) shown.show(run)
  return shown
}

describe("the AG-UI encoder, over every recording", () => {
  for (const { events: recorded, name } of recordedSessions) {
    for (const dialect of dialects) {
      it.live(`${name}, ${dialect}: a strict client shows the same live, replayed, and in stretches`, () =>
        Effect.gen(function*() {
          const events = yield* recorded
          const live = threadOf(dialect, turnsOf(events, dialect))
          assert.isFalse(live.isRunning() && events.at(-1)?.type === "turn_end")
          const replayed = threadOf(dialect, turnsOf(events, dialect, { settled_until: Infinity }))
          assert.strictEqual(replayed.seen(), live.seen())
          assert.strictEqual(threadOf(dialect, stretchesOf(events, dialect)).seen(), live.seen())
        }))
    }
  }
})

const run: Encoder.Run = { threadId: "t", runId: "r", state: { mine: 1 }, seq: 7 }
const start: Op = { type: "turn_start", turn: 1, seq: 8, text: "go", message_ids: ["u1"] }
const call = (id: string, parent?: string): Op => ({
  type: "tool_call",
  id,
  tool: "Bash",
  args: { command: "ls" },
  synthetic: false,
  known: false,
  ...(parent !== undefined && { parent })
})
const text = (id: string, words: string): ReadonlyArray<Op> => [
  { type: "start", kind: "text", id, again: false },
  { type: "delta", kind: "text", id, text: words },
  { type: "end", kind: "text", id, text: words }
]
const end = (stop: "cancelled" | "end_turn" | "error" = "end_turn"): Op => ({
  type: "turn_end",
  turn: 1,
  stop
})

const tell = (
  dialect: Dialect,
  ops: ReadonlyArray<Op>,
  how: Encoder.Finish = { type: "done" },
  shown: Encoder.Shown = Encoder.nothingShown
) => {
  const encoder = Encoder.make({ dialect, shown })
  const events = [
    ...encoder.begin(run),
    ...ops.flatMap((op) => encoder.encode(op)),
    ...encoder.finish(run, how, 9)
  ]
  threadOf(dialect, [events])
  return events
}

describe("the AG-UI encoder", () => {
  it("keeps the page's own state, and says where the next run goes on", () => {
    const shown = threadOf("0.0", [tell("0.0", [start, { type: "mode", mode: "plan" }, end()])])
    assert.deepStrictEqual(shown.state(), { mine: 1, relay: { mode: "plan", seq: 9 } })
  })

  it("asks as assistant-ui shows it: an approval at a call that is shown, and nothing else", () => {
    const ask = {
      type: "ask",
      request_id: "q",
      id: "a",
      kind: "tool",
      tool: "Bash",
      text: "List them",
      args: {},
      options: [],
      expires_at: 1767227407
    } as const
    const { outcome } = tell("0.0", [start, call("a"), ask], { type: "asked", asks: [ask] }).at(-1) ??
      { outcome: {} }
    const { interrupts: [interrupt] } = outcome as { interrupts: [Record<string, unknown>] }
    assert.deepInclude(interrupt, {
      id: "q",
      reason: "tool_call",
      message: "List them",
      toolCallId: "1.a",
      expiresAt: "2026-01-01T00:30:07.000Z"
    })
    const { properties, required, type } = interrupt["responseSchema"] as Record<string, unknown>
    assert.deepStrictEqual([type, Object.keys(properties as object), required], [
      "object",
      ["approved", "reason", "editedArgs"],
      ["approved"]
    ])
  })

  it("tells calls of two turns apart that the agent calls the same", () => {
    const encoder = Encoder.make({ dialect: "0.0", shown: Encoder.nothingShown })
    const ids = [1, 2].flatMap((turn) => [
      ...encoder.encode({ type: "turn_start", turn, seq: turn, message_ids: [] }),
      ...encoder.encode(call("same"))
    ]).flatMap(({ toolCallId, type }) => type === "TOOL_CALL_START" ? [toolCallId] : [])
    assert.deepStrictEqual(ids, ["1.same", "2.same"])
  })

  it("says that a turn was cancelled in words each version knows, and why one failed", () => {
    const last = (dialect: Dialect, stop: "cancelled" | "error") => tell(dialect, [start, end(stop)]).at(-1)
    assert.deepInclude(last("1.0", "cancelled"), { outcome: { type: "cancelled" } })
    assert.notProperty(last("0.0", "cancelled"), "outcome")
    assert.deepInclude(last("0.0", "cancelled"), { result: { stop_reason: "cancelled" } })
    assert.deepInclude(last("0.0", "error"), { type: "RUN_ERROR", code: "turn_failed" })
  })

  it("shows what a sub-agent says as its own: by its id, or, where that is not known, beside its call", () => {
    const ops: ReadonlyArray<Op> = [
      start,
      call("task"),
      ...text("1.task.1", "I look around").map((op) => ({ ...op, parent: "task" }) as Op),
      call("ls", "task"),
      end()
    ]
    const by = tell("1.0", ops).filter(({ subagentRunId }) => subagentRunId === "1.task").map(({ type }) =>
      type
    )
    assert.deepStrictEqual(by, [
      "SUBAGENT_STARTED",
      "TEXT_MESSAGE_START",
      "TEXT_MESSAGE_CONTENT",
      "TEXT_MESSAGE_END",
      "TOOL_CALL_START",
      "TOOL_CALL_ARGS",
      "TOOL_CALL_END",
      "SUBAGENT_FINISHED"
    ])
    const old = tell("0.0", ops)
    assert.isFalse(old.some(({ role, type }) => role === "assistant" || type.startsWith("SUBAGENT")))
    assert.deepInclude(old.find(({ type }) => type === "ACTIVITY_SNAPSHOT"), {
      activityType: "SUBAGENT",
      content: { toolCallId: "1.task", kind: "text", text: "I look around" }
    })
  })

  it("tells nothing twice that the client shows already, and the rest of what it shows a part of", () => {
    const shown: Encoder.Shown = {
      texts: new Map([["u1", "go"], ["1.1", "Good "], ["result-1.a", "done"]]),
      calls: new Set(["1.a"])
    }
    const ops: ReadonlyArray<Op> = [
      start,
      ...text("1.1", "Good day"),
      call("a"),
      { type: "tool_result", id: "a", tool: "Bash", ok: true, text: "done", unfinished: false },
      ...text("1.2", "and bye"),
      end()
    ]
    const events = tell("0.0", ops, { type: "done" }, shown)
    const words = events.flatMap(({ delta, type }) => type === "TEXT_MESSAGE_CONTENT" ? [delta] : [])
    assert.deepStrictEqual(words, ["day", "and bye"])
    assert.isFalse(events.some(({ role, type }) => type.startsWith("TOOL_CALL") || role === "user"))
  })

  it("tells a part of what a tool prints, and all of it with its result", () => {
    const printed = Array.from(
      { length: 9 },
      (): Op => ({ type: "output_delta", id: "a", text: "x".repeat(8192) })
    )
    const events = tell("0.0", [start, call("a"), ...printed, end()])
    const told = events.flatMap(({ patch }) => patch as ReadonlyArray<{ value: string }> ?? [])
    assert.strictEqual(told.map(({ value }) => value).join("").length, 32 * 1024)
  })
})
