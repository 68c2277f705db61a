import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Op, OpOf } from "../../src/fronts/Op.js"
import * as project from "../../src/fronts/project.js"
import { type RelayEvent, RequestId, SessionId } from "../../src/schema/index.js"
import { recordedSessions } from "../support/recordedSessions.js"
import * as viewer from "./viewer.js"

const opsOf = (events: ReadonlyArray<RelayEvent>, options?: project.Options): ReadonlyArray<Op> => {
  const projector = project.make(options)
  return events.flatMap((event) => projector.next(event))
}

const seenOf = (events: ReadonlyArray<RelayEvent>, options?: project.Options) => {
  const view = viewer.make()
  for (const op of opsOf(events, options)) view.show(op)
  return view
}

const all = { settled_until: Infinity }

/** The `seq` before the turn that is open after these events. */
const settledUntil = (events: ReadonlyArray<RelayEvent>): number => {
  const edge = events.findLast(({ type }) => type === "turn_start" || type === "turn_end")
  return edge?.type === "turn_start" ? edge.seq - 1 : events.at(-1)?.seq ?? 0
}

describe("project, over every recording", () => {
  it("has recordings of four agents", () => {
    assert.isAtLeast(recordedSessions.length, 40)
  })

  for (const { events: recorded, name } of recordedSessions) {
    it.live(`${name}: shows the same live and replayed, whenever a client comes back`, () =>
      Effect.gen(function*() {
        const events = yield* recorded
        const live = seenOf(events).seen()
        assert.strictEqual(seenOf(events, all).seen(), live)
        for (let cut = 0; cut <= events.length; cut++) {
          const before = events.slice(0, cut)
          const shown = seenOf(before)
          const settled_until = settledUntil(before)
          const again = seenOf(before, { settled_until })
          // What it showed has the same ids, and no other words.
          for (const [id, { text }] of again.texts()) {
            assert.strictEqual(shown.texts().get(id)?.text, text, id)
          }
          assert.deepStrictEqual([...again.tools().keys()], [...shown.tools().keys()])
          assert.strictEqual(seenOf(events, { settled_until }).seen(), live)
        }
      }))

    it.live(`${name}: knows no other past than the events: a turn read alone is told the same way`, () =>
      Effect.gen(function*() {
        const events = yield* recorded
        const whole = project.make()
        const told = new Map(events.map((event) => [event.seq, JSON.stringify(whole.next(event))]))
        for (const { seq, turn } of events.filter(({ type }) => type === "turn_start")) {
          const alone = project.make()
          for (const event of events.filter((event) => event.seq >= seq && event.turn === turn)) {
            const ops = alone.next(event)
            // What was told of settings before is told again.
            const rest = (text: string | undefined) =>
              (JSON.parse(text ?? "[]") as ReadonlyArray<Op>).flatMap((op) =>
                op.type === "model" || op.type === "mode" || op.type === "context" ? [] : [op]
              )
            assert.deepStrictEqual(rest(JSON.stringify(ops)), rest(told.get(event.seq)))
          }
        }
      }))
  }
})

/** Events as the log would number them. */
const session_id = SessionId.make("made-up")
type Fields = RelayEvent extends infer Event
  ? Event extends unknown ? Omit<Event, "seq" | "ts" | "session_id"> : never
  : never
const log = (...events: ReadonlyArray<Fields>): ReadonlyArray<RelayEvent> =>
  events.map((event, index) => ({ ...event, seq: index + 1, ts: 1, session_id }) as RelayEvent)

const start = { type: "turn_start", text: "go", turn: 1 } as const
const end = { type: "turn_end", stop_reason: "end_turn", turn: 1 } as const
const piece = (text: string, parent?: string, delta: "text" | "reasoning" = "text") =>
  ({
    type: "stream_event",
    delta,
    text,
    turn: 1,
    ...(parent !== undefined && { metadata: { parent_tool_use_id: parent } })
  }) as const
const message = (text: string, parent?: string) =>
  ({
    type: "assistant_message",
    content: [],
    text,
    turn: 1,
    ...(parent !== undefined && { metadata: { parent_tool_use_id: parent } })
  }) as const
const call = (tool_use_id: string, tool = "Bash", parent?: string) =>
  ({
    type: "tool_call",
    tool,
    tool_use_id,
    args: {},
    turn: 1,
    ...(parent !== undefined && { metadata: { parent_tool_use_id: parent } })
  }) as const
const result = (tool_use_id: string, text = "done") =>
  ({ type: "tool_result", tool_use_id, status: "ok", text, turn: 1 }) as const
const ask = (request_id: string, tool_use_id?: string, kind: "tool" | "question" = "tool") =>
  ({
    type: "permission_request",
    request_id: RequestId.make(request_id),
    tool: "Bash",
    turn: 1,
    metadata: { kind },
    ...(tool_use_id !== undefined && { tool_use_id })
  }) as const
const settle = (request_id: string, status: "allow" | "deny", metadata?: Record<string, unknown>) =>
  ({
    type: "control_response",
    request_id: RequestId.make(request_id),
    status,
    turn: 1,
    ...(metadata !== undefined && { metadata })
  }) as const

const textsOf = (events: ReadonlyArray<RelayEvent>, options?: project.Options) =>
  Object.fromEntries([...seenOf(events, options).texts()].map(([id, { text }]) => [id, text]))
const ofType = <Type extends Op["type"]>(ops: ReadonlyArray<Op>, type: Type) =>
  ops.filter((op): op is OpOf<Type> => op.type === type)

describe("project", () => {
  it("tells nothing twice when an agent that was started again tells what it remembers", () => {
    const again = { metadata: { replay: true } } as const
    const { turn: _, ...said } = message("I look.")
    const replayed = [
      { type: "user_message", content: [{ type: "text", text: "go" }], text: "go", ...again },
      { ...said, ...again }
    ] as const
    const own = [start, message("I look."), { ...end, stop_reason: "error" }] as const
    assert.deepStrictEqual(opsOf(log(...own, ...replayed)), opsOf(log(...own)))
    // Of a conversation the session has no part of, it is all there is.
    assert.deepStrictEqual(textsOf(log(...replayed)), { "0.x2": "I look." })
  })

  it("keeps of a turn that was broken off what had been told, live and as history", () => {
    const events = log(
      start,
      piece("I think", undefined, "reasoning"),
      message("I look."),
      piece("Then I "),
      piece("mend"),
      piece("a part", "task"),
      { ...end, stop_reason: "error" }
    )
    const live = seenOf(events)
    assert.deepStrictEqual([...live.texts().values()].map(({ text }) => text), [
      "I think",
      "I look.",
      "Then I mend",
      "a part"
    ])
    assert.deepStrictEqual(
      Object.values(textsOf(events, all)).toSorted(),
      Object.values(textsOf(events)).toSorted()
    )
    assert.strictEqual(textsOf(events, all)["1.task.1"], "a part")
  })

  it("keeps apart what a sub-agent says while its parent speaks", () => {
    const events = log(
      start,
      piece("I ask "),
      call("task", "Task", "none"),
      piece("I look", "task"),
      piece("two others"),
      piece(" around", "task"),
      call("ls", "Bash", "task"),
      message("I ask two others"),
      piece("now I wait"),
      message("I look around", "task"),
      piece("found", "task"),
      result("ls"),
      message("now I wait"),
      message("found", "task"),
      end
    )
    const expected = {
      "1.1": "I ask two others",
      "1.task.1": "I look around",
      "1.2": "now I wait",
      "1.task.2": "found"
    }
    assert.deepStrictEqual(textsOf(events), expected)
    assert.deepStrictEqual(textsOf(events, all), expected)
  })

  it("goes on under the same id where a tool's call or a question came between a message's pieces", () => {
    const events = log(
      start,
      piece("one "),
      call("a"),
      piece("two "),
      ask("q", "a"),
      piece("three"),
      settle("q", "allow"),
      result("a"),
      message("one two three"),
      message("next"),
      end
    )
    assert.deepStrictEqual(textsOf(events), { "1.1": "one two three", "1.2": "next" })
    assert.strictEqual(seenOf(events).seen(), seenOf(events, all).seen())
  })

  it("adds only what previews lacked, and counts no message of blanks", () => {
    const events = log(
      start,
      piece("\n\n"),
      message("\n\n"),
      piece("  "),
      piece("Hel"),
      message("  Hello"),
      message("Alone"),
      end
    )
    const ops = opsOf(events)
    assert.deepStrictEqual(ofType(ops, "delta").map(({ id, text }) => [id, text]), [
      ["1.1", "  Hel"],
      ["1.1", "lo"],
      ["1.2", "Alone"]
    ])
    assert.deepStrictEqual(textsOf(events, all), textsOf(events))
  })

  it("says the whole text where it is another than its pieces", () => {
    const ops = opsOf(log(start, piece("Hallo"), message("Hello"), end))
    assert.deepStrictEqual(ofType(ops, "end").map(({ text }) => text), ["Hello"])
  })

  it("takes several questions at once, each at a call, and closes what the turn left open", () => {
    const events = log(
      start,
      call("a"),
      call("b"),
      ask("q1", "a"),
      ask("q2", "b"),
      ask("q3"),
      settle("q2", "deny", { message: "no", by: { address: "127.0.0.1" } }),
      result("b", "denied"),
      settle("q1", "allow"),
      {
        type: "permission_cancelled",
        request_id: RequestId.make("q3"),
        metadata: { reason: "timeout" },
        turn: 1
      },
      { ...end, stop_reason: "cancelled" }
    )
    const ops = opsOf(events)
    assert.strictEqual(seenOf(events).seen(), seenOf(events, all).seen())
    assert.deepStrictEqual(
      ofType(ops, "settled").map(({ by, id, reason, status }) => ({ by, id, reason, status })),
      [
        { by: { address: "127.0.0.1" }, id: "b", reason: "no", status: "deny" },
        { by: undefined, id: "a", reason: undefined, status: "allow" },
        { by: undefined, id: "ask-q3", reason: "timeout", status: "cancelled" }
      ]
    )
    assert.deepStrictEqual(
      ofType(ops, "tool_result").map(({ id, ok, unfinished }) => ({ id, ok, unfinished })),
      [
        { id: "b", ok: true, unfinished: false },
        { id: "ask-q3", ok: false, unfinished: false },
        { id: "a", ok: false, unfinished: true }
      ]
    )
  })

  it("knows what waits for an answer", () => {
    const projector = project.make()
    const waiting = log(start, ask("q1"), ask("q2", "x"), settle("q1", "allow"), end).map((event) => {
      projector.next(event)
      return projector.asking().map(({ request_id }) => request_id)
    })
    assert.deepStrictEqual(waiting, [[], ["q1"], ["q1", "q2"], ["q2"], []])
  })

  it("gives an answered question its answers as the result when the agent says nothing of it", () => {
    const events = log(
      start,
      call("a", "AskUserQuestion"),
      ask("q", "a", "question"),
      settle("q", "allow", { answers: { size: "L" } }),
      message("L it is"),
      end
    )
    assert.deepInclude(ofType(opsOf(events), "tool_result")[0], {
      id: "a",
      ok: true,
      text: "{\"size\":\"L\"}"
    })
  })

  it("tells a call again when the agent names it after its question", () => {
    const ops = opsOf(log(start, ask("q", "a"), call("a"), settle("q", "allow"), result("a"), end))
    assert.deepStrictEqual(
      ofType(ops, "tool_call").map(({ id, known, synthetic }) => ({ id, known, synthetic })),
      [{ id: "a", known: false, synthetic: true }, { id: "a", known: true, synthetic: false }]
    )
  })

  it("names all prompts of a turn, and tells those that were handed to a running one", () => {
    const ack = (message_id: string, text: string) =>
      ({ type: "input_ack", status: "sent", message_id, text, turn: 1 }) as const
    const ops = opsOf(log(
      { ...start, message_id: "m1", metadata: { message_ids: ["m1", "m2"] } },
      ack("m1", "go"),
      ack("m2", "and this"),
      ack("m3", "steered"),
      end
    ))
    assert.deepStrictEqual(ofType(ops, "turn_start")[0]?.message_ids, ["m1", "m2"])
    assert.deepStrictEqual(ofType(ops, "user").map(({ id, text }) => [id, text]), [["1.s1", "steered"]])
  })

  it("shows the answer of a command that has no other", () => {
    const events = log(start, { type: "response", text: "Context: 12 %", turn: 1 }, end)
    assert.deepStrictEqual(textsOf(events), { "1.1": "Context: 12 %" })
    const both = log(start, message("Hello"), { type: "response", text: "Hello", turn: 1 }, end)
    assert.deepStrictEqual(textsOf(both), { "1.1": "Hello" })
  })

  it("says why a turn failed, and sums what turns cost", () => {
    const events = log(
      start,
      { type: "error", code: "turn_failed", text: "The model is overloaded.", turn: 1 },
      { ...end, stop_reason: "error", usage: { cost_usd: 0.5, context_tokens: 10, context_window: 100 } }
    )
    const ops = opsOf(events, { cost_usd: 1 })
    assert.strictEqual(ofType(ops, "turn_end")[0]?.error?.text, "The model is overloaded.")
    assert.deepStrictEqual(ofType(ops, "context"), [{ type: "context", used: 10, size: 100, cost_usd: 1.5 }])
  })

  it("takes what is told to this connection alone for no event of the session", () => {
    const projector = project.make()
    const events = log(start, end)
    for (const event of events) projector.next(event)
    const attach: RelayEvent = {
      type: "session_start",
      seq: 2,
      ts: 1,
      session_id,
      metadata: { tool: "claude", last_seq: 2, capabilities: { permission_modes: ["default"] } }
    }
    assert.deepInclude(projector.next(attach)[0], { type: "session", attached: true, modes: ["default"] })
    assert.deepStrictEqual(projector.next({ ...start, seq: 1, ts: 1, session_id }), [])
    const gap = { type: "error", code: "gap", text: "gone", seq: 2, ts: 1, session_id } as const
    assert.deepInclude(projector.next(gap)[0], { type: "notice", level: "gap" })
  })
})
