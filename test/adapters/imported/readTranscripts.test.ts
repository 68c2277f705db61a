/** Recordings and the Python relay's frames, read for `ai-relay import`. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { join } from "node:path"
import { readTranscripts, type Recorded } from "../../../src/adapters/imported/readTranscripts.js"
import { type EventBody, type RelayEvent, RelayEvent as Event } from "../../../src/schema/index.js"
import { pythonFrames } from "../../support/pythonRelay.js"
import { recordedSessions } from "../../support/recordedSessions.js"

const fixture = (tool: string, name: string) =>
  join(import.meta.dirname, `../../fixtures/${tool}/${name}.jsonl`)

const read = (...files: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<Recorded> =>
  Result.getOrThrow(readTranscripts(files.map((lines, index) => ({ name: `file ${index}`, lines }))))

const one = (lines: ReadonlyArray<string>): Recorded => {
  const [session, ...others] = read(lines)
  assert.lengthOf(others, 0)
  if (session === undefined) throw new Error("no session was found")
  return session
}

const frame = (type: string, fields: object = {}, ts = 1_777_000_000) =>
  JSON.stringify({ type, ts, session_id: "s-1", ...fields })

const bodies = ({ events }: Recorded): ReadonlyArray<EventBody> => events.map(({ event }) => event)

/** What people see of an event. */
const seen = (event: EventBody): ReadonlyArray<string> => {
  switch (event.type) {
    case "turn_start":
      return [`turn: ${event.text ?? ""}`]
    case "assistant_message":
    case "user_message":
      return event.text === undefined ? [] : [`${event.type}: ${event.text}`]
    case "response":
    case "reasoning":
      return [`${event.type}: ${event.text}`]
    case "tool_call":
      return [`call: ${event.tool} ${JSON.stringify(event.args)}`]
    case "tool_result":
      return [`result: ${event.status} ${event.text ?? ""}`]
    case "file_diff":
      return [`diff: ${event.file_path}\n${event.diff}`]
    case "turn_end":
      return [`end: ${event.stop_reason}`]
    default:
      return []
  }
}

const wellFormed = (events: ReadonlyArray<EventBody>) => {
  let isOpen = false
  let answers = 0
  for (const event of events) {
    if (event.type === "turn_start") {
      assert.isFalse(isOpen, "a turn begins in a turn")
      isOpen = true
      answers = 0
    }
    if (event.type === "response") answers += 1
    if (event.type === "turn_end") {
      assert.isTrue(isOpen, "a turn ends that was not begun")
      isOpen = false
      assert.strictEqual(answers, event.stop_reason === "end_turn" ? 1 : 0)
    }
  }
  assert.isFalse(isOpen, "a turn is left open")
}

describe("frames of the Python relay", () => {
  it.effect.each(
    [
      ["claude", "hello"],
      ["claude", "two-turns"],
      ["claude", "write-file"],
      ["claude", "permission-allow"],
      ["claude", "permission-deny"],
      ["claude", "ask-user"],
      ["claude", "interrupt-permission"],
      ["codex", "hello"],
      ["codex", "command-output"],
      ["codex", "file-changes"],
      ["codex", "approval-accept"],
      ["codex", "approval-decline"],
      ["codex", "mcp"]
    ] as const
  )("%s %s: people see what they see of it live", ([tool, name]) =>
    Effect.gen(function*() {
      const session = one(pythonFrames(tool, fixture(tool, name)))
      const live = recordedSessions.find((recorded) => recorded.name === `${tool}/${name}`)
      if (live === undefined) throw new Error("there is no such recording")
      assert.deepInclude(session, { by: "python", tool, folder: "/workspace" })
      wellFormed(bodies(session))
      // Who denied it the Python relay did not tell.
      const words = (events: ReadonlyArray<EventBody>) =>
        events.flatMap(seen).map((line) => line.replace("The user denied this.", "It was not allowed."))
      assert.deepStrictEqual(words(bodies(session)), words(yield* live.events))
      for (const { event, ts } of session.events) {
        assert.isTrue(Schema.is(Event)({ ...event, seq: 1, ts }), JSON.stringify(event))
      }
    }))

  it("Claude's conversation can be gone on with", () => {
    const session = one(pythonFrames("claude", fixture("claude", "two-turns")))
    const ids = bodies(session).flatMap((event) => {
      const id = "metadata" in event ? event.metadata?.["native_session_id"] : undefined
      return id === undefined ? [] : [id]
    })
    assert.match(String(ids.at(-1)), /^[0-9a-f-]{36}$/)
  })

  it("Gemini's pieces are one message, its end is the turn's", () => {
    const session = one([
      frame("session_start", { metadata: { tool: "gemini", folder: "/srv/shop", model: null } }),
      frame("input_ack", { text: "mend it" }),
      frame("user_message", { text: "mend it", content: "mend it", raw: { type: "message", role: "user" } }),
      frame("assistant_message", {
        text: "I look ",
        raw: { type: "message", role: "assistant", delta: true }
      }),
      frame("assistant_message", {
        text: "at it.",
        raw: { type: "message", role: "assistant", delta: true }
      }),
      frame("tool_call", {
        tool: "read_file",
        args: { path: "a" },
        tool_use_id: "t1",
        raw: { type: "tool_use" }
      }),
      frame("tool_result", { tool_use_id: "t1", content: "42", raw: { type: "tool_result" } }),
      frame("assistant_message", { text: "Done.", raw: { type: "message", role: "assistant", delta: true } }),
      frame("response", { metadata: { stats: {} }, raw: { type: "result" } })
    ])
    assert.deepStrictEqual(bodies(session).flatMap(seen), [
      "turn: mend it",
      "user_message: mend it",
      "assistant_message: I look at it.",
      "call: read_file {\"path\":\"a\"}",
      "result: ok 42",
      "assistant_message: Done.",
      "response: Done.",
      "end: end_turn"
    ])
    wellFormed(bodies(session))
  })

  it("without native messages its fields count; an error ends the turn with it, a next prompt the turn before", () => {
    const session = one([
      frame("session_start", { metadata: { tool: "cortex", folder: "/srv" } }),
      frame("input_ack", { text: "how many?" }),
      frame("reasoning", { text: "I count." }),
      frame("tool_call", { text: "select 1", tool: "sql" }),
      frame("tool_result", { content: [{ type: "text", text: "1" }], exit_code: 1 }),
      frame("file_diff", { text: "+++ b/x" }),
      frame("response", { text: "One." }),
      frame("input_ack", { text: "again" }),
      frame("error", { text: "the account is closed" }),
      frame("input_ack", { text: "interrupt" }),
      frame("input_ack", { text: "and again" }),
      frame("status", { status: "thinking" }),
      frame("context_warning", { text: "nearly full" }),
      frame("a_later_event", { text: "words" })
    ])
    wellFormed(bodies(session))
    assert.deepStrictEqual(bodies(session).flatMap(seen), [
      "turn: how many?",
      "reasoning: I count.",
      "call: sql {\"text\":\"select 1\"}",
      "result: error 1",
      "assistant_message: One.",
      "response: One.",
      "end: end_turn",
      "turn: again",
      "end: error",
      "turn: and again",
      "end: cancelled"
    ])
    const texts = bodies(session).flatMap((event) => "text" in event ? [event.text] : [])
    for (const text of ["+++ b/x", "the account is closed", "nearly full", "words"]) {
      assert.include(texts, text)
    }
  })

  it("a text that was cut off in the middle is not lost", () => {
    const delta = (text: string) => ({
      method: "item/agentMessage/delta",
      params: { itemId: "m", delta: text }
    })
    const session = one([
      frame("session_start", { metadata: { tool: "codex" } }),
      frame("input_ack", { text: "tell me" }),
      frame("response", { text: "It was ", raw: delta("It was ") }),
      frame("response", { text: "a dark", raw: delta("a dark") }),
      frame("input_ack", { text: "interrupt" }),
      frame("session_end", { exit_code: 0 })
    ])
    assert.deepStrictEqual(bodies(session).flatMap(seen), [
      "turn: tell me",
      "assistant_message: It was a dark",
      "end: cancelled"
    ])
  })

  it("sessions of one file are told apart; an error before the first belongs to it", () => {
    const sessions = read([
      frame("error", { session_id: "", text: "first" }),
      frame("session_start", { session_id: "a" }),
      frame("session_start", { session_id: "b" }),
      frame("error", { session_id: "", text: "second" }),
      frame("input_ack", { session_id: "a", text: "hi" })
    ])
    assert.deepStrictEqual(sessions.map(({ lines, session_id }) => [session_id, lines.length]), [["a", 3], [
      "b",
      2
    ]])
  })
})

describe("recordings of this relay", () => {
  const recorded = (name: string) =>
    Effect.flatMap(
      Effect.fromNullishOr(recordedSessions.find((session) => session.name === name)),
      ({ events }) => events
    )
  const toLines = (events: ReadonlyArray<RelayEvent>) => events.map((event) => JSON.stringify(event))

  it.effect("stay as they are, with their native messages", () =>
    Effect.gen(function*() {
      const events = yield* recorded("claude/write-file")
      const session = one(toLines(events))
      assert.deepStrictEqual(
        session.events.map(({ event, raw, ts }) => ({
          ...event,
          ts,
          ...(raw !== undefined && { raw: JSON.parse(raw) as unknown })
        })),
        events.map(({ seq: _seq, session_id: _id, turn: _turn, ...event }) => event)
      )
      assert.deepInclude(session, { by: "relay", tool: "claude", folder: "/workspace" })
    }))

  it.effect("spread over files, told twice, or with what one connection was told: each event once", () =>
    Effect.gen(function*() {
      const lines = toLines(yield* recorded("claude/two-turns"))
      const [first = "", second = ""] = lines
      const seconds = JSON.parse(second) as RelayEvent
      const greeting = JSON.stringify({
        ...JSON.parse(first) as RelayEvent,
        ts: seconds.ts + 1,
        seq: seconds.seq
      })
      const early = JSON.stringify({ ...JSON.parse(first) as RelayEvent, ts: 1, seq: 0 })
      const whole = one(lines).events
      const [spread] = read([early, first, second, greeting, ...lines.slice(2, 9)], lines.slice(5))
      assert.deepStrictEqual(spread?.events, whole)
    }))

  it.effect("a session that began anew under its name goes on in the same", () =>
    Effect.gen(function*() {
      const lines = toLines(yield* recorded("claude/hello"))
      const later = lines.map((line) => {
        const event = JSON.parse(line) as RelayEvent
        return JSON.stringify({ ...event, ts: event.ts + 1000 })
      })
      const session = one([...lines, ...later])
      assert.lengthOf(session.events, 2 * lines.length)
    }))
})

describe("what is no transcript", () => {
  const good = frame("session_start")
  it.each([
    ["{\"type\":\"response\",\"te", "is no JSON object: if the recording was cut off"],
    ["[]", "is no JSON object"],
    ["{\"text\":\"hi\"}", "cannot be imported"],
    ["{\"type\":\"response\",\"text\":\"no time\"}", "cannot be imported"],
    ["{\"type\":\"response\",\"seq\":3,\"ts\":1,\"session_id\":\"s\"}", "is not a valid \"response\" event"],
    ["{\"type\":\"response\",\"seq\":\"3\",\"ts\":1,\"text\":\"\"}", "is not a valid \"response\" event"],
    [
      "{\"type\":\"user\",\"uuid\":\"u\",\"sessionId\":\"s\",\"message\":{}}",
      "cannot be imported"
    ],
    ["{\"type\":\"session_meta\",\"timestamp\":\"2026\",\"payload\":{}}", "cannot be imported"],
    ["{\"sessionId\":\"s\",\"projectHash\":\"h\"}", "cannot be imported"],
    [
      "{\"type\":\"status\",\"status\":\"x\",\"seq\":1,\"ts\":1,\"session_id\":\"s-1\"}",
      "belongs to the session \"s-1\""
    ]
  ])("%s is told with its line", (line, words) => {
    const found = readTranscripts([{ name: "a", lines: [good] }, {
      name: "b",
      lines: [good, "", line, good]
    }])
    assert.isTrue(Result.isFailure(found))
    if (Result.isFailure(found)) {
      assert.deepInclude(found.failure, { name: "b", line: 3 })
      assert.include(found.failure.reason, words)
    }
  })
})
