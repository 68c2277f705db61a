import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Chunk, Dialect } from "../../../src/fronts/chat/Chunk.js"
import * as Messages from "../../../src/fronts/chat/messages.js"
import { brokenOff } from "../../../src/fronts/SessionPort.js"
import { type RelayEvent, RequestId, SessionId } from "../../../src/schema/index.js"
import { recordedSessions } from "../../support/recordedSessions.js"
import * as reader from "./reader.js"
import { historyOf, streamsOf } from "./streams.js"

const dialects: ReadonlyArray<Dialect> = [5, 6, 7]

const shownBy = (dialect: Dialect, stretches: ReadonlyArray<ReadonlyArray<Chunk>>) => {
  const page = reader.make(dialect)
  for (const stretch of stretches) {
    for (const chunk of stretch) page.take(chunk)
  }
  return page
}

/** What history knows and the streams of the older ones cannot say. */
const withoutAnswers = (parts: ReadonlyArray<Chunk>) => parts.map(({ approval: _, ...part }) => part)

const areSame = (events: ReadonlyArray<RelayEvent>, dialect: Dialect) => {
  const history = JSON.parse(JSON.stringify(historyOf(events, dialect))) as ReturnType<typeof historyOf>
  const byId = new Map(history.map(({ id, parts }) => [id, parts]))
  for (const { stretches, whole } of streamsOf(events, dialect)) {
    const [start] = whole
    const shown = byId.get(String(start?.["messageId"])) ?? []
    const live = shownBy(dialect, stretches)
    assert.deepStrictEqual(withoutAnswers(live.parts()), withoutAnswers(shown))
    assert.deepStrictEqual(withoutAnswers(shownBy(dialect, [whole]).parts()), withoutAnswers(shown))
    if (dialect === 7) assert.deepStrictEqual(live.parts(), shown)
  }
}

describe("the chunks of every recording", () => {
  for (const { events, name } of recordedSessions) {
    it.live(`${name}: are in order, and show the same live, resumed and as history`, () =>
      Effect.map(events, (events) => {
        for (const dialect of dialects) areSame(events, dialect)
      }))
  }
})

const session_id = SessionId.make("made-up")
type Fields = RelayEvent extends infer Event
  ? Event extends unknown ? Omit<Event, "seq" | "ts" | "session_id"> : never
  : never
/** Events as the log would number them, a tenth of a second apart. */
const log = (...events: ReadonlyArray<Fields>): ReadonlyArray<RelayEvent> =>
  events.map((event, index) => ({ ...event, seq: index + 1, ts: index / 10, session_id }) as RelayEvent)

const of = (parent?: string) => parent === undefined ? {} : { metadata: { parent_tool_use_id: parent } }
const start = { type: "turn_start", text: "go", message_id: "m1", turn: 1 } as const
const end = { type: "turn_end", stop_reason: "end_turn", turn: 1 } as const
const piece = (text: string, parent?: string) =>
  ({ type: "stream_event", delta: "text", text, turn: 1, ...of(parent) }) as const
const message = (text: string, parent?: string) =>
  ({ type: "assistant_message", content: [], text, turn: 1, ...of(parent) }) as const
const call = (tool_use_id: string, parent?: string) =>
  ({ type: "tool_call", tool: "Bash", tool_use_id, args: { command: "ls" }, turn: 1, ...of(parent) }) as const
const output = (tool_use_id: string, text: string) =>
  ({ type: "stream_event", delta: "tool_output", tool_use_id, text, turn: 1 }) as const
const result = (tool_use_id: string, text = "done", status: "ok" | "error" = "ok") =>
  ({ type: "tool_result", tool_use_id, status, text, turn: 1 }) as const
const ask = (
  request_id: string,
  tool_use_id?: string,
  kind: "tool" | "question" = "tool",
  args: unknown = {}
) =>
  ({
    type: "permission_request",
    request_id: RequestId.make(request_id),
    tool: "Bash",
    args,
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
const cancel = (request_id: string, reason: string) =>
  ({
    type: "permission_cancelled",
    request_id: RequestId.make(request_id),
    metadata: { reason },
    turn: 1
  }) as const

const streams = (events: ReadonlyArray<RelayEvent>, dialect: Dialect = 6) => {
  const [turn] = streamsOf(events, dialect)
  if (turn === undefined) throw new Error("there is no turn")
  return turn
}
const states = (parts: ReadonlyArray<Chunk>) =>
  Object.fromEntries(
    parts.flatMap((part) => part.type === "dynamic-tool" ? [[part["toolCallId"], part["state"]]] : [])
  )

describe("the chunks of a turn", () => {
  it("end at what waits for an answer, with a result for every other call, and go on in the same message", () => {
    const events = log(
      start,
      call("a"),
      call("b"),
      output("b", "half"),
      ask("q1", "a"),
      settle("q1", "allow"),
      result("b"),
      result("a"),
      end
    )
    for (const dialect of dialects) areSame(events, dialect)
    const { stretches } = streams(events)
    const [first = [], second = []] = stretches
    assert.deepStrictEqual(states(shownBy(6, [first]).parts()), {
      a: "approval-requested",
      b: "output-available"
    })
    assert.isFalse(shownBy(6, [first]).parts().some(({ preliminary }) => preliminary === true))
    assert.deepStrictEqual(first.at(-1), {
      type: "finish",
      finishReason: "tool-calls",
      messageMetadata: { relay: { seq: 5 } }
    })
    assert.deepStrictEqual(second[0], { type: "start" })
    assert.deepStrictEqual(states(shownBy(6, stretches).parts()), {
      a: "output-available",
      b: "output-available"
    })
  })

  it("ask all at once what waits at the same time, and again only what still does", () => {
    const events = log(
      start,
      call("a"),
      ask("q1", "a"),
      ask("q2"),
      settle("q1", "deny", { message: "not now" }),
      result("a", "The person said no.", "error"),
      settle("q2", "allow", { answers: { size: "L" } }),
      end
    )
    for (const dialect of dialects) areSame(events, dialect)
    const { stretches } = streams(events)
    const asked = stretches.map((stretch) =>
      stretch.flatMap((chunk) => chunk.type === "tool-approval-request" ? [chunk["approvalId"]] : [])
    )
    assert.deepStrictEqual(asked, [["q1"], ["q1", "q2"], []])
    assert.deepStrictEqual(states(shownBy(6, stretches).parts()), {
      "a": "output-denied",
      "ask-q2": "output-available"
    })
  })

  it("never end at an approval where the client knows none, and say it in a part that changes", () => {
    const events = log(
      start,
      call("a"),
      ask("q1", "a"),
      settle("q1", "deny"),
      result("a", "no", "error"),
      end
    )
    const { stretches } = streams(events, 5)
    assert.lengthOf(stretches, 1)
    const parts = shownBy(5, stretches).parts()
    assert.deepStrictEqual(states(parts), { a: "output-error" })
    const data = parts.find(({ type }) => type === "data-permission")?.["data"] as Record<string, unknown>
    assert.deepInclude(data, { request_id: "q1", tool_use_id: "a", status: "deny" })
  })

  it("keep a call that nobody needs to answer any more, if it runs all the same", () => {
    const ran = log(start, call("a"), ask("q1", "a"), cancel("q1", "withdrawn"), result("a"), end)
    assert.deepStrictEqual(states(shownBy(6, streams(ran).stretches).parts()), { a: "output-available" })
    const left = log(start, call("a"), ask("q1", "a"), cancel("q1", "timeout"), {
      ...end,
      stop_reason: "cancelled"
    })
    assert.deepStrictEqual(states(shownBy(6, streams(left).stretches).parts()), { a: "output-denied" })
    for (const dialect of dialects) areSame(ran, dialect)
  })

  it("keep apart what a sub-agent says, and name its calls' parent", () => {
    const events = log(
      start,
      call("task"),
      piece("I look", "task"),
      piece("meanwhile "),
      call("ls", "task"),
      piece(" around", "task"),
      message("I look around", "task"),
      result("ls"),
      result("task"),
      message("meanwhile I wait"),
      end
    )
    for (const dialect of dialects) areSame(events, dialect)
    const parts = shownBy(7, streams(events, 7).stretches).parts()
    const said = parts.filter(({ type }) => type === "data-subagent").map(({ data }) => data)
    assert.deepStrictEqual(said, [{ tool_use_id: "task", kind: "text", text: "I look around" }])
    const ls = parts.find(({ toolCallId }) => toolCallId === "ls")
    assert.deepStrictEqual(ls?.["callProviderMetadata"], { relay: { parent: "task" } })
  })

  it("send running output at most four times a second, and only its end", () => {
    const lines = Array.from({ length: 20 }, () => output("a", "x".repeat(1000)))
    const { whole } = streams(log(start, call("a"), ...lines, result("a"), end))
    const running = whole.filter(({ preliminary }) => preliminary === true)
    assert.isBelow(running.length, 9)
    assert.isTrue(
      running.every(({ output }) => (output as { readonly text: string }).text.length <= 8192)
    )
  })

  it("say why a turn failed, that it was stopped, and what was said in it", () => {
    const failed = log(
      start,
      message("I begin"),
      { type: "error", code: "turn_failed", text: "The model is overloaded.", turn: 1 },
      { ...end, stop_reason: "error" }
    )
    for (const dialect of dialects) areSame(failed, dialect)
    assert.deepInclude(streams(failed).whole.at(-1), { type: "error", errorText: "The model is overloaded." })
    const stopped = log(start, call("a"), { ...end, stop_reason: "cancelled" })
    assert.deepStrictEqual(streams(stopped).whole.at(-1), { type: "abort" })
    assert.deepStrictEqual(states(shownBy(6, [streams(stopped).whole]).parts()), { a: "output-error" })
    const steered = log(start, {
      type: "input_ack",
      status: "sent",
      message_id: "m2",
      text: "and this",
      turn: 1
    }, end)
    assert.deepStrictEqual(shownBy(7, [streams(steered, 7).whole]).parts(), [
      { type: "steering-message", id: "m2", parts: [{ type: "text", text: "and this" }] }
    ])
    assert.deepStrictEqual(shownBy(6, [streams(steered).whole]).parts(), [
      { type: "data-user-message", id: "m2", data: { text: "and this" } }
    ])
  })

  it("give what a tool drew as files", () => {
    const content = [
      { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
      { type: "image", mimeType: "image/webp", data: "BBBB" }
    ]
    const events = log(start, call("a"), {
      type: "tool_result",
      tool_use_id: "a",
      status: "ok",
      content,
      turn: 1
    }, end)
    const files = shownBy(6, [streams(events).whole]).parts().filter(({ type }) => type === "file")
    assert.deepStrictEqual(files, [
      { type: "file", mediaType: "image/png", url: "data:image/png;base64,AAAA" },
      { type: "file", mediaType: "image/webp", url: "data:image/webp;base64,BBBB" }
    ])
  })
})

describe("the messages of a session", () => {
  it("are its prompts by their own names, and its turns; what waits for an answer can be answered", () => {
    const events = log(start, message("Hello"), end, { ...start, message_id: "m2", text: "more", turn: 2 }, {
      ...call("a"),
      turn: 2
    }, { ...ask("q1", "a", "question", { questions: [{ question: "Which?", options: [] }] }), turn: 2 })
    const [first, answer, second, open] = historyOf(events, 7)
    assert.deepStrictEqual(first, { id: "m1", role: "user", parts: [{ type: "text", text: "go" }] })
    assert.deepInclude(answer, { id: "t-1", role: "assistant" })
    assert.deepInclude(second, { id: "m2", role: "user" })
    assert.deepStrictEqual(states(open?.parts ?? []), { a: "approval-requested" })
    const place = { session_id: "recorded", turn: 2, turn_seq: 4, seq: 6 }
    assert.deepStrictEqual(open?.metadata, { relay: place })
  })

  it("tell what was said between turns, and by nobody in particular", () => {
    const said = { type: "assistant_message", content: [], text: "The build is done." } as const
    const background = { type: "turn_start", turn: 2 } as const
    const events = log(start, end, said, background, { ...message("I look"), turn: 2 }, { ...end, turn: 2 })
    assert.deepStrictEqual(historyOf(events, 6).map(({ id, role }) => [id, role]), [
      ["m1", "user"],
      ["s-3", "assistant"],
      ["t-4", "assistant"]
    ])
  })

  it("show a turn as broken off when it went with its relay", () => {
    const events = log(start, message("I begin"), call("a"), ask("q1", "a"))
    const messages = Messages.make("made-up", 7)
    for (const event of events) messages.next(event)
    const left = brokenOff({
      session_id: "made-up",
      tool: "fake",
      folder: "/",
      state: "closed",
      created_at: 1,
      last_active_at: 1,
      last_seq: events.length,
      turns: 1,
      cost_usd: 0,
      clients: 0,
      pending: ["q1"],
      open_turn: 1
    })
    for (const event of left) messages.next(event)
    const broken = messages.end().at(-1)
    assert.deepStrictEqual(states(broken?.parts ?? []), { a: "output-denied" })
    assert.match(JSON.stringify(broken?.parts), /was restarted during/)
    assert.deepInclude(broken?.metadata?.["relay"], { stop_reason: "error" })
  })

  it("are the same for who looks in the middle of a message and later", () => {
    const events = log(start, piece("Hel"), piece("lo"), message("Hello"), end)
    assert.deepStrictEqual(historyOf(events.slice(0, 2), 6).at(-1)?.parts, [
      { type: "text", text: "Hel", state: "streaming" }
    ])
    assert.deepStrictEqual(historyOf(events, 6).at(-1)?.parts, [{
      type: "text",
      text: "Hello",
      state: "done"
    }])
  })
})
