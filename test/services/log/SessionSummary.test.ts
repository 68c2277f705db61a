import { assert, describe, it } from "vitest"
import { type EventBody, RequestId, SessionId } from "../../../src/schema/index.js"
import * as SessionSummary from "../../../src/services/log/SessionSummary.js"

const empty = SessionSummary.empty(SessionId.make("s"))

/** The summary after these events, one a second. */
const after = (...events: ReadonlyArray<EventBody>) =>
  events.reduce((summary, event, index) => SessionSummary.fold(summary, event, index + 1, index + 1), empty)

const start = (text?: string, message_id?: string): EventBody => ({
  type: "turn_start",
  ...(text !== undefined && { text }),
  ...(message_id !== undefined && { message_id })
})
const end: EventBody = { type: "turn_end", stop_reason: "end_turn", usage: { cost_usd: 0.5 } }

describe("a session's summary", () => {
  it("is called by the first line of its first prompt, of at most 100 characters, or as its agent calls it", () => {
    assert.strictEqual(after(start("  mend the cart\nplease")).title, "mend the cart")
    assert.strictEqual(after(start("a"), end, start("b")).title, "a")
    assert.strictEqual(after(start("x".repeat(100))).title, "x".repeat(100))
    assert.strictEqual(after(start("x".repeat(101))).title, `${"x".repeat(99)}…`)
    assert.notProperty(after(start("  ")), "title")
    const named: EventBody = { type: "status", status: "session_info", metadata: { title: "Cart" } }
    assert.strictEqual(after(start("a"), named).title, "Cart")
    assert.strictEqual(after(start("a"), { ...named, status: "init" } as EventBody).title, "a")
  })

  it("has a turn open from its start to its end, and counts what turns cost", () => {
    assert.deepInclude(after(start("a")), { turns: 1, open_turn: 1, open_turn_seq: 1 })
    assert.deepInclude(after(start("a"), { type: "stdout", text: "x" }), { open_turn: 1, open_turn_seq: 1 })
    const over = after(start("a"), end, start("b"), end)
    assert.deepInclude(over, { turns: 2, cost_usd: 1, created_at: 1, last_active_at: 4, last_seq: 4 })
    assert.notProperty(over, "open_turn")
    assert.notProperty(over, "open_turn_seq")
  })

  it("remembers who waits: questions until they are settled, prompts until the agent has them", () => {
    const [one, other] = [RequestId.make("p1"), RequestId.make("p2")]
    const asks = [one, other].map((request_id): EventBody => ({
      type: "permission_request",
      request_id,
      tool: "Bash",
      args: {},
      metadata: { kind: "tool" }
    }))
    assert.deepInclude(after(...asks), { pending: [one, other], pending_seqs: { p1: 1, p2: 2 } })
    const settled: EventBody = { type: "permission_cancelled", request_id: one }
    assert.deepInclude(after(...asks, settled), { pending: [other], pending_seqs: { p2: 2 } })

    const ack = (status: "queued" | "sent" | "cancelled" | "duplicate", message_id?: string): EventBody => ({
      type: "input_ack",
      status,
      ...(message_id !== undefined && { message_id })
    })
    assert.deepInclude(after(ack("queued", "m"), ack("queued", "n")), {
      queued: ["m", "n"],
      acknowledged: []
    })
    assert.deepInclude(after(ack("queued", "m"), ack("sent", "m")), { queued: [], acknowledged: ["m"] })
    assert.deepInclude(after(ack("queued", "m"), ack("cancelled", "m")), { queued: [], acknowledged: [] })
    assert.deepInclude(after(ack("sent", "m"), ack("duplicate", "m")), { queued: [], acknowledged: ["m"] })
    assert.deepInclude(after(ack("queued", "m"), start("a", "m")), { queued: [], acknowledged: ["m"] })
    assert.deepInclude(after(ack("queued", "m"), start("a")), { queued: ["m"], acknowledged: [] })
  })

  it("knows the mode of its agent, not that of a subagent or another thread", () => {
    const mode = (metadata: object): EventBody => ({
      type: "status",
      status: "permission_mode",
      metadata: { permission_mode: "plan", ...metadata }
    })
    assert.strictEqual(after(mode({})).permission_mode, "plan")
    assert.notProperty(after(mode({ parent_tool_use_id: "t" })), "permission_mode")
    assert.notProperty(after(mode({ thread_id: "t" })), "permission_mode")
  })

  it("knows which prompts were its own, and when their turns ended; not those of a history or of a dead relay", () => {
    const prompts = (...events: ReadonlyArray<EventBody>) => after(...events).known_prompts ?? []
    assert.lengthOf(prompts(start("a")), 1)
    assert.isEmpty(prompts(start()))
    assert.strictEqual(prompts(start("a"), end)[0]?.until, 2)
    for (const metadata of [{ history: true }, { reason: "relay_restart" }]) {
      assert.isUndefined(
        prompts(start("a"), { ...end, metadata } as EventBody)[0]?.until,
        JSON.stringify(metadata)
      )
    }
    assert.notProperty(after(end), "known_prompts")
  })
})
