import { assert, describe, it } from "@effect/vitest"
import { Effect, Scope } from "effect"
import * as fc from "fast-check"
import { isUtf8 } from "node:buffer"
import { readdirSync, readFileSync } from "node:fs"
import { EventSink, PermissionGate, ProcessSpawner } from "../../../src/adapters/Adapter.js"
import { AgentAdapter } from "../../../src/adapters/AgentDescriptor.js"
import * as ClaudeAdapter from "../../../src/adapters/claude/ClaudeAdapter.js"
import { noNews, readFields, readMessage } from "../../../src/adapters/claude/ClaudeMessage.js"
import { makeState } from "../../../src/adapters/claude/ClaudeState.js"
import { readPiece } from "../../../src/adapters/claude/streamEvent.js"
import { begunBy, takeEarly, translate } from "../../../src/adapters/claude/translate.js"
import { readWholeMessage } from "../../../src/adapters/claude/wholeMessage.js"
import { wordsIn } from "../../../src/adapters/wire/words.js"
import { SessionId } from "../../../src/schema/index.js"
import * as EventLog from "../../../src/services/log/EventLog.js"
import { frameAt } from "../../../src/services/log/frames.js"
import { specOf } from "../../support/fakeAdapter.js"

/** What a session's log holds, frame by frame, when the lines were handed to `onLine`. */
const framesOf = (
  lines: ReadonlyArray<Buffer>,
  open: (sink: EventSink["Service"]) => (line: Buffer) => void
): ReadonlyArray<string> => {
  const log = Effect.runSync(EventLog.make(SessionId.make("session-1")))
  const onLine = open({
    emit: log.unsafeAppend,
    splice: log.unsafeSplice,
    batch: log.unsafeBatch,
    onceDrained: log.unsafeOnceDrained,
    inTurn: () => true
  })
  const follower = log.unsafeFollow(0, () => {})
  for (const line of lines) onLine(line)
  const frames: Array<string> = []
  for (let batch = follower.next(); batch !== undefined; batch = follower.next()) {
    for (let index = 0; index < batch.ends.length; index++) {
      const frame = frameAt(batch, index)
      assert.isTrue(isUtf8(frame), "a text frame must be UTF-8")
      frames.push(frame.toString().replace(/"ts":[\d.]+/, "\"ts\":0"))
    }
  }
  return frames
}

/** The adapter as it is: the fast road for what it understands, the Schema's for the rest. */
const asAdapter = (sink: EventSink["Service"]) => {
  let onLine: (line: Buffer) => void = () => {}
  Effect.gen(function*() {
    const adapter = yield* Effect.provide(AgentAdapter, ClaudeAdapter.layer())
    yield* adapter.open(specOf())
  }).pipe(
    Effect.provideService(EventSink, sink),
    Effect.provideService(PermissionGate, { request: () => Effect.never, withdraw: () => {} }),
    Effect.provideService(ProcessSpawner, {
      spawn: (_, handLine) =>
        Effect.sync(() => {
          onLine = handLine
          return { pid: 1, writeLine: () => Effect.never, endInput: Effect.void, exit: Effect.never }
        })
    }),
    Effect.provideService(Scope.Scope, Effect.runSync(Scope.make())),
    Effect.runSync
  )
  return onLine
}

/** The Schema's road for every line, written down once more in the plainest way. */
const asSchema = (sink: EventSink["Service"]) => {
  const state = makeState(sink.inTurn, false)
  return (line: Buffer) => {
    const text = line.toString("utf8")
    const raw = Buffer.from(text)
    const fields = readFields(text)
    if (fields === undefined) return sink.emit({ type: "stdout", text })
    const message = readMessage(fields)
    if (message === undefined) {
      const { type } = fields
      if (typeof type === "string" && noNews.has(type)) return
      const words = wordsIn(fields)
      return sink.emit({
        type: "status",
        status: typeof type === "string" ? type : "unknown",
        ...(words !== undefined && { text: words })
      }, raw)
    }
    const turn = begunBy(message, state)
    if (turn !== undefined) sink.emit(turn)
    if (message.type === "result") takeEarly(state, true).forEach((event) => sink.emit(event))
    translate(message, state).forEach((event, index) => sink.emit(event, index === 0 ? raw : undefined))
    takeEarly(state, false).forEach((event) => sink.emit(event))
  }
}

// --- lines as Claude prints them, and as it never should -------------------------------------------------------------

const nasty = fc.constantFrom(
  "",
  "a",
  "é",
  "😀",
  "\u2028\u2029",
  "\"\\/",
  "\ud800\u0000",
  "\u00ff\u0100",
  "\ufeff",
  "\u007f\u0080\u009f",
  "__proto__",
  "\n\r\t",
  "\\u0041"
)
const text = fc.array(fc.oneof(nasty, fc.string({ unit: "binary", maxLength: 5 })), { maxLength: 4 })
  .map((pieces) => pieces.join(""))

/** A field's value as it should be; sometimes null, sometimes nothing, sometimes something else altogether. */
const sloppy = <A>(right: fc.Arbitrary<A>) =>
  fc.oneof(
    { weight: 60, arbitrary: right as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.oneof(text, fc.integer(), fc.boolean(), fc.constantFrom([], {}, [[]], -0, 0.1, 1e300))
    }
  )

const toolId = fc.constantFrom("toolu_1", "toolu_2", "toolu_3", "toolu_4", "outil-é")
const index = fc.constantFrom(0, 1, 2)
const count = fc.oneof(fc.nat(1000), fc.constantFrom(-1, 1.5, 1e21))
const usage = sloppy(fc.record({
  input_tokens: sloppy(count),
  output_tokens: sloppy(count),
  cache_read_input_tokens: sloppy(count),
  cache_creation_input_tokens: sloppy(count)
}))
const block = sloppy(fc.oneof(
  fc.record({
    type: sloppy(fc.constant("tool_use")),
    id: sloppy(toolId),
    name: text,
    input: fc.constant({})
  }),
  fc.record({ type: fc.constant("text"), text })
))
const delta = sloppy(fc.oneof(
  fc.record({ type: sloppy(fc.constant("text_delta")), text: sloppy(text) }),
  fc.record({ type: fc.constant("thinking_delta"), thinking: sloppy(text) }),
  fc.record({ type: fc.constant("input_json_delta"), partial_json: sloppy(text) }),
  fc.record({ type: fc.constant("signature_delta"), signature: text }),
  fc.record({ stop_reason: text, type: sloppy(fc.constant(undefined)) })
))
const event = fc.oneof(
  fc.record({ type: fc.constant("content_block_delta"), index: sloppy(index), delta }),
  fc.record({ type: fc.constant("content_block_start"), index: sloppy(index), content_block: block }),
  fc.record({ type: fc.constant("message_start"), message: sloppy(fc.record({ usage, id: text })) }),
  fc.record({ type: fc.constant("message_delta"), delta, usage }),
  fc.record({
    type: sloppy(fc.constantFrom("content_block_stop", "message_stop", "ping")),
    index: sloppy(index)
  })
)
/** As Claude prints most of its lines. */
const piece = fc.record({
  type: fc.constant("stream_event"),
  event: fc.record({ type: fc.constant("content_block_delta"), index: sloppy(index), delta }),
  session_id: text,
  parent_tool_use_id: sloppy(fc.oneof(fc.constant(null), toolId)),
  uuid: sloppy(text)
})
/** Exactly as it prints them: what the fast road is for. */
const rightPiece = fc.record({
  type: fc.constant("stream_event"),
  event: fc.record({
    type: fc.constant("content_block_delta"),
    index,
    delta: fc.oneof(
      fc.record({ type: fc.constant("text_delta"), text }),
      fc.record({ type: fc.constant("thinking_delta"), thinking: text }),
      fc.record({ type: fc.constant("input_json_delta"), partial_json: text })
    )
  }),
  session_id: text,
  parent_tool_use_id: fc.oneof(fc.constant(null), toolId),
  uuid: text
})
const others = fc.dictionary(text, fc.jsonValue(), { maxKeys: 2, noNullPrototype: true })
const streamEvent = fc.record({
  type: fc.constant("stream_event"),
  event: fc.tuple(event, others).map(([event, others]) => ({ ...others, ...event }) as unknown),
  parent_tool_use_id: sloppy(fc.oneof(fc.constant(null), toolId)),
  uuid: fc.constant("u-1"),
  others
}).map(({ others, ...message }) => ({ ...message, ...others }))

/** Most of the time nothing that JSON writes as `\u`. */
const words = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.array(
      fc.constantFrom("a", "é", "😀", "\u2028", "\"\\/", "\n\r\t", "\u00ff\u0100", "\u0080\u009f", "\ufeff"),
      { maxLength: 3 }
    ).map((pieces) => pieces.join(""))
  },
  { weight: 1, arbitrary: text }
)
const said = fc.oneof(
  fc.record({ type: fc.constant("text"), text: sloppy(words) }),
  fc.record({ type: fc.constant("thinking"), thinking: sloppy(words), signature: words }),
  fc.record({
    type: fc.constant("tool_use"),
    id: sloppy(toolId),
    name: words,
    input: sloppy(fc.dictionary(words, fc.jsonValue(), { maxKeys: 2, noNullPrototype: true }))
  })
)
const assistant = fc.record({
  type: fc.constant("assistant"),
  message: fc.record({ content: sloppy(fc.array(said)), usage }),
  parent_tool_use_id: fc.oneof(fc.constant(null), toolId),
  error: sloppy(words)
})
const answered = fc.record({
  type: fc.constant("tool_result"),
  tool_use_id: sloppy(toolId),
  content: sloppy(
    fc.oneof(words, fc.array(fc.record({ type: fc.constant("text"), text: words }), { maxLength: 2 }))
  ),
  is_error: sloppy(fc.boolean())
})
const change = fc.oneof(
  words,
  fc.record({
    type: fc.constant("create"),
    filePath: words,
    content: words,
    structuredPatch: fc.constant([])
  }),
  fc.record({
    type: fc.constant("update"),
    filePath: words,
    structuredPatch: fc.array(
      fc.record({
        oldStart: fc.nat(9),
        oldLines: fc.nat(9),
        newStart: fc.nat(9),
        newLines: fc.nat(9),
        lines: fc.array(words, { maxLength: 2 })
      }),
      { maxLength: 2 }
    )
  })
)
const user = fc.record({
  type: fc.constant("user"),
  message: fc.record({
    role: fc.constant("user"),
    content: sloppy(fc.oneof(words, fc.array(fc.oneof(answered, said), { maxLength: 2 })))
  }),
  parent_tool_use_id: fc.oneof(fc.constant(null), toolId),
  uuid: sloppy(words),
  tool_use_result: sloppy(change)
})
const result = fc.constant({ type: "result", subtype: "success", modelUsage: { m: { contextWindow: 2000 } } })
const message = fc.oneof(
  { weight: 40, arbitrary: piece },
  { weight: 40, arbitrary: rightPiece },
  { weight: 10, arbitrary: streamEvent },
  { weight: 10, arbitrary: assistant },
  { weight: 10, arbitrary: user },
  { weight: 1, arbitrary: result }
)

const unicodeEscapes = (json: string) =>
  json.replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** Fields in another order, at every depth. */
const reordered = (value: unknown): unknown =>
  Array.isArray(value) || typeof value !== "object" || value === null
    ? value
    : Object.fromEntries(Object.entries(value).toReversed().map(([name, value]) => [name, reordered(value)]))

type Spelling = (message: unknown) => Buffer
const json = (message: unknown) => JSON.stringify(message)
const spellings: Record<string, Spelling> = {
  plain: (message) => Buffer.from(json(message)),
  "with \\u": (message) => Buffer.from(unicodeEscapes(json(message))),
  "with spaces": (message) => Buffer.from(JSON.stringify(message, undefined, 1).replaceAll("\n", "\t\r ")),
  "with an escaped slash": (message) => Buffer.from(json(message).replaceAll("/", "\\/")),
  "in another order": (message) => Buffer.from(json(reordered(message))),
  "with a field twice": (message) =>
    Buffer.from(json(message).replace(/\}$/, ",\"type\":\"assistant\",\"event\":{\"type\":\"ping\"}}")),
  "with its type twice": (message) => Buffer.from(json(message).replace(/\}$/, ",\"type\":\"keep_alive\"}")),
  "with bytes after it": (message) => Buffer.from(`${json(message)} x`),
  "in latin1": (message) => Buffer.from(json(message), "latin1")
}

const place = fc.double({ min: 0, max: 1, noNaN: true })
const seldom = <A>(arbitrary: fc.Arbitrary<A>) =>
  fc.oneof({ weight: 15, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

/** A line: a message in some spelling, now and then with a wrong byte or cut off. As text of bytes, to be readable. */
const line = fc.tuple(
  message,
  fc.oneof(fc.constant("plain"), fc.constantFrom(...Object.keys(spellings))),
  seldom(fc.tuple(place, fc.integer({ min: 11, max: 255 }))),
  seldom(place)
).map(([message, spelling, flaw, cut]) => {
  const bytes = spellings[spelling]?.(message) ?? Buffer.alloc(0)
  if (flaw !== undefined) bytes[Math.floor(flaw[0] * (bytes.length - 1))] = flaw[1]
  return bytes.toString("latin1", 0, cut === undefined ? bytes.length : Math.ceil(cut * bytes.length) || 1)
})

const parsed = (frames: ReadonlyArray<string>) => frames.map((frame) => JSON.parse(frame))

describe("the fast roads", () => {
  it("tell the same as the Schema's road, event for event, whatever Claude prints", () => {
    let total = 0
    let pieces = 0
    let wholes = 0
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 12, size: "max" }), (lines) => {
        const session = lines.map((line) => Buffer.from(line, "latin1"))
        const byAdapter = framesOf(session, asAdapter)
        const bySchema = framesOf(session, asSchema)
        assert.deepStrictEqual(parsed(byAdapter), parsed(bySchema))
        total += session.length
        pieces += session.filter((line) => readPiece(line) !== undefined).length
        wholes += session.filter((line) => readWholeMessage(line) !== undefined).length
      }),
      { numRuns: 400 }
    )
    // Or it would compare nothing.
    assert.isAbove(pieces / total, 0.2)
    assert.isAbove(wholes / total, 0.05)
  }, 30_000)

  it("keeps the native line as it is, byte by byte", () => {
    const native =
      "{\"type\":\"stream_event\",\"event\":{ \"type\" : \"ping\", \"n\":1.0 , \"é\":\"\u2028\"}}"
    const [frame] = framesOf([Buffer.from(native)], asAdapter)
    assert.isTrue(frame?.endsWith(`,"raw":${native}}`))
  })

  it("names the tool call whose input it streams, in the thread it belongs to", () => {
    const start = (index: number, id: string, parent: string | null) => ({
      type: "stream_event",
      event: { type: "content_block_start", index, content_block: { type: "tool_use", id } },
      parent_tool_use_id: parent
    })
    const input = (index: number, parent: string | null) => ({
      type: "stream_event",
      event: { type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json: "{" } },
      parent_tool_use_id: parent
    })
    const begin = { type: "stream_event", event: { type: "message_start" }, parent_tool_use_id: null }
    const messages = [
      start(0, "toolu_1", null),
      start(1, "toolu_2", null),
      start(0, "toolu_3", "toolu_1"),
      input(0, null),
      input(1, null),
      input(0, "toolu_1"),
      begin,
      input(0, null),
      input(0, "toolu_1")
    ]
    const frames = parsed(framesOf(messages.map((message) => Buffer.from(json(message))), asAdapter))
    assert.deepStrictEqual(
      frames.filter(({ delta }) => delta === "tool_input").map(({ tool_use_id }) => tool_use_id),
      ["toolu_1", "toolu_2", "toolu_3", undefined, "toolu_3"]
    )
  })

  it("take every piece and every whole message the real CLI prints", () => {
    const fixtures = new URL("../../fixtures/claude/", import.meta.url)
    let pieces = 0
    let wholes = 0
    for (const name of readdirSync(fixtures).filter((name) => name.endsWith(".jsonl"))) {
      for (const recorded of readFileSync(new URL(name, fixtures), "utf8").split("\n")) {
        const { data } = recorded === "" ? { data: undefined } : JSON.parse(recorded)
        if (data?.type === "assistant" || data?.type === "user") {
          const line = JSON.stringify(data)
          if (readWholeMessage(Buffer.from(line)) !== undefined) wholes += 1
          else assert.include(line, "\\u")
        }
        if (data?.event?.type !== "content_block_delta" || data.event.delta.type === "signature_delta") {
          continue
        }
        pieces += 1
        assert.isDefined(readPiece(Buffer.from(JSON.stringify(data))), JSON.stringify(data))
      }
    }
    assert.isAbove(pieces, 50)
    assert.isAbove(wholes, 50)
  })

  it("takes only lines of the one shape, and of them only what is JSON in UTF-8", () => {
    const read = (line: string) => readPiece(Buffer.from(line, "latin1")) !== undefined
    const before = "{\"type\":\"stream_event\",\"event\":{\"type\":\"content_block_delta\",\"index\":"
    const delta = ",\"delta\":{\"type\":\"text_delta\",\"text\":"
    const line = (text: string, after = "") => `${before}0${delta}${text}}}${after}}`
    for (
      const right of [
        line("\"\""),
        line("\"a\\n\\u00e9\\ud800 \\\"\\/\""),
        line("\"\xc3\xa9\xe2\x80\xa8\""),
        line("\"a\"", ",\"parent_tool_use_id\":null,\"uuid\":\"u\",\"session_id\":\"s\""),
        line("\"a\"", ",\"parent_tool_use_id\":\"toolu_1\"")
      ]
    ) {
      assert.doesNotThrow(() => JSON.parse(right))
      assert.isTrue(read(right), right)
    }
    for (
      const wrong of [
        "",
        "{",
        before,
        `${before}0${delta}`,
        line("\"a"),
        line("\"a\\\""),
        line("\"a\\x\""),
        line("\"a\\u00g0\""),
        line("\"a\\u12\""),
        line("\"a\tb\""),
        line("\"a\x00b\""),
        line("\"\xff\""),
        line("\"\xed\xa0\x80\""),
        line("null"),
        line("\"a\"") + " ",
        line("\"a\"") + "}",
        line("\"a\"", ",\"type\":\"result\""),
        line("\"a\"", ",\"event\":null"),
        line("\"a\"", ",\"\\u0074ype\":\"result\""),
        line("\"a\"", ",\"uuid\":1"),
        line("\"a\"", ",\"uuid\""),
        line("\"a\"", ","),
        line("\"a\"", ",\"parent_tool_use_id\":\"\xc3\xa9\""),
        line("\"a\"", ",\"parent_tool_use_id\":\"a\\nb\""),
        line("\"a\"", ",\"parent_tool_use_id\":null,\"parent_tool_use_id\":\"toolu_1\""),
        `${before}10${delta}"a"}}}`,
        `${before}-1${delta}"a"}}}`,
        `${before}0,"delta":{"type":"text_delta","text":"a","thinking":"b"}}}`
      ]
    ) assert.isFalse(read(wrong), wrong)
  })

  it("survives JSON that is deeper than any stack", () => {
    const deep = "[".repeat(200_000) + "]".repeat(200_000)
    const native = `{"type":"stream_event","event":{"type":"ping"},"deep":${deep}}`
    const frames = framesOf([Buffer.from(native), Buffer.from("{\"type\":\"still_alive\"}")], asAdapter)
    assert.isAtLeast(frames.length, 2)
    assert.include(frames.at(-1), "still_alive")
  })
})
