import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type EventBody, SessionId } from "../../../src/schema/index.js"
import * as EventLog from "../../../src/services/log/EventLog.js"
import { lastRewind, type PastTurn, pastTurns, toTold } from "../../../src/services/session/pastTurns.js"

const logOf = Effect.fnUntraced(function*(...events: ReadonlyArray<EventBody>) {
  const log = yield* EventLog.make(SessionId.make("session-1"))
  for (const event of events) log.unsafeAppend(event)
  return log
})

/** A turn with this prompt, and what the agent did in it. */
const turn = (text: string | undefined, ...events: ReadonlyArray<EventBody>): ReadonlyArray<EventBody> => [
  { type: "turn_start", ...(text !== undefined && { text }) },
  ...events,
  { type: "turn_end", stop_reason: "end_turn" }
]
const says = (text: string): EventBody => ({ type: "assistant_message", content: [], text })
const calls = (tool: string): EventBody => ({ type: "tool_call", tool, tool_use_id: tool, args: {} })
const rewound = (turn: number, rewind_id: string, restore = "both", more: object = {}): EventBody => ({
  type: "status",
  status: "rewound",
  metadata: { turn, rewind_id, restore, ...more }
})
const undone = (rewind_id: string): EventBody => ({
  type: "status",
  status: "rewind_undone",
  metadata: { rewind_id }
})

const promptsAfter = (...events: ReadonlyArray<EventBody>) =>
  Effect.map(Effect.flatMap(logOf(...events), pastTurns), (turns) => turns.map(({ prompt }) => prompt))

describe("past turns", () => {
  it.effect("are none of an empty log, and do not wait for more", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* promptsAfter(), [])
    }))

  it.effect("come in order, each with its number, time, prompt, messages and tools", () =>
    Effect.gen(function*() {
      const log = yield* logOf(
        says("before any turn"),
        calls("Ignored"),
        ...turn("one", says("first"), calls("Bash"), says("second"), { type: "response", text: "second" }),
        ...turn(undefined, calls("Read"), { type: "assistant_message", content: [] })
      )
      assert.deepStrictEqual(yield* pastTurns(log), [
        { turn: 1, ts: 0, prompt: "one", said: ["first", "second"], tools: ["Bash"] },
        { turn: 2, ts: 0, prompt: "", said: [], tools: ["Read"] }
      ])
    }))

  it.effect("have messages of at most 20,000 characters", () =>
    Effect.gen(function*() {
      const [only] = yield* Effect.flatMap(logOf(...turn("one", says("x".repeat(20_001)))), pastTurns)
      assert.lengthOf(only?.said[0] ?? "", 20_000)
    }))

  it.effect("that a rewind removed do not count, from its turn on", () =>
    Effect.gen(function*() {
      const three = [...turn("one"), ...turn("two"), ...turn("three")]
      assert.deepStrictEqual(yield* promptsAfter(...three, rewound(2, "a")), ["one"])
      assert.deepStrictEqual(yield* promptsAfter(...three, rewound(1, "a", "conversation")), [])
      assert.deepStrictEqual(yield* promptsAfter(...three, rewound(2, "a"), ...turn("else")), ["one", "else"])
    }))

  it.effect("stay when only files were rewound", () =>
    Effect.gen(function*() {
      const two = [...turn("one"), ...turn("two")]
      assert.deepStrictEqual(yield* promptsAfter(...two, rewound(1, "a", "files")), ["one", "two"])
    }))

  it.effect("are back when that rewind is undone, and no other", () =>
    Effect.gen(function*() {
      const two = [...turn("one"), ...turn("two"), rewound(2, "a")]
      assert.deepStrictEqual(yield* promptsAfter(...two, undone("a")), ["one", "two"])
      assert.deepStrictEqual(yield* promptsAfter(...two, undone("b")), ["one"])
      assert.deepStrictEqual(yield* promptsAfter(...two, rewound(1, "b"), undone("b")), ["one"])
    }))
})

describe("the last rewind", () => {
  const lastOf = (...events: ReadonlyArray<EventBody>) => Effect.flatMap(logOf(...events), lastRewind)
  const left = { before_native_session_id: "native-1" }

  it.effect("is none where there was none, whatever else was told", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* lastOf())
      assert.isUndefined(yield* lastOf(...turn("one"), { type: "status", status: "idle" }, undone("a")))
    }))

  it.effect("has its number among all, those that were undone, too", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* lastOf(rewound(3, "a"), undone("a"), rewound(2, "b", "conversation", left)),
        { number: 2, rewind_id: "b", turn: 2, before: "native-1" }
      )
    }))

  it.effect("has the conversation it left only if nothing but that was rewound, until it is undone", () =>
    Effect.gen(function*() {
      const beforeOf = (...events: ReadonlyArray<EventBody>) =>
        Effect.map(lastOf(...events), (found) => found?.before)
      assert.isUndefined(yield* beforeOf(rewound(1, "a", "both", left)))
      assert.isUndefined(yield* beforeOf(rewound(1, "a", "conversation")))
      assert.strictEqual(yield* beforeOf(rewound(1, "a", "conversation", left)), "native-1")
      assert.isUndefined(yield* beforeOf(rewound(1, "a", "conversation", left), undone("a")))
    }))
})

describe("what an agent is told of past turns", () => {
  const past = (
    prompt: string,
    said: ReadonlyArray<string> = [],
    tools: ReadonlyArray<string> = []
  ): PastTurn => ({
    turn: 1,
    ts: 0,
    prompt,
    said,
    tools
  })
  const conversationIn = (told: string) => /<conversation>\n([^]*)\n<\/conversation>/.exec(told)?.[1]

  it("is nothing without turns, or of turns in which nothing was said", () => {
    assert.strictEqual(toTold([]), "")
    assert.strictEqual(toTold([past("")]), "")
  })

  it("has prompts, tools once each, and messages, in order, between words that say what it is", () => {
    const told = toTold([past("one", ["a", "b"], ["Bash", "Read", "Bash"]), past("", ["c"]), past("two")])
    assert.strictEqual(
      conversationIn(told),
      "User: one\n\n(Assistant used: Bash, Read)\n\nAssistant: a\n\nb\n\nAssistant: c\n\nUser: two"
    )
    assert.match(told, /^The user went back to an earlier point/)
    assert.match(told, /The conversation continues with this:\n\n$/)
  })

  it("leaves out the oldest beyond 60,000 characters, and says so", () => {
    const long = (name: string) => past(name + "x".repeat(29_993))
    const exactly = conversationIn(toTold([long("1"), long("2")])) ?? ""
    assert.match(exactly, /^User: 1/)
    const told = conversationIn(toTold([past("0"), long("1"), long("2")])) ?? ""
    assert.match(told, /^\(Earlier turns are left out\.\)\n\nUser: 1/)
    assert.include(told, "User: 2")
    assert.notInclude(told, "User: 0")
  })

  it("has the newest turn however long it is", () => {
    const told = conversationIn(toTold([past("0"), past("y".repeat(70_000))])) ?? ""
    assert.match(told, /^\(Earlier turns are left out\.\)\n\nUser: y{70000}$/)
  })
})
