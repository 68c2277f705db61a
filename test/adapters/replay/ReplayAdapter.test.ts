import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { AgentAdapter } from "../../../src/adapters/AgentDescriptor.js"
import * as ReplayAdapter from "../../../src/adapters/replay/ReplayAdapter.js"
import { type ClientCommand, type RelayEvent, SessionId } from "../../../src/schema/index.js"
import { layerTranscripts, longestTranscript } from "../../../src/services/access/ordinaryFile.js"
import { IdGenerator } from "../../../src/services/IdGenerator.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import * as Session from "../../../src/services/session/Session.js"

const fixtures = join(import.meta.dirname, "../../fixtures/replay")

const TestLayer = Layer.mergeAll(
  ReplayAdapter.layer().pipe(Layer.provide(layerTranscripts), Layer.provide(NodeServices.layer)),
  IdGenerator.layerTest,
  RelayConfig.layer({ permission_timeout: 30 })
)

const open = (command: readonly [string, ...Array<string>], folder = fixtures) =>
  Effect.flatMap(
    AgentAdapter,
    (adapter) =>
      Session.open(SessionId.make("replayed"), adapter, {
        tool: "replay",
        folder,
        command,
        fresh_uuid: "unused"
      })
  )

/** The first event of a kind that is logged after `seq`. */
const logged = (session: Session.Session, type: RelayEvent["type"], seq = 0) =>
  session.log.tail(seq).pipe(
    Stream.filter((event) => event.type === type),
    Stream.runHead,
    Effect.flatMap(Effect.fromOption),
    Effect.orDie
  )

const readLines = (name: string) => readFileSync(join(fixtures, name), "utf8").split("\n")

/** When things happened, in ms since the start, leaving out the small pieces (and the end, which comes with the test's). */
const diary = (events: ReadonlyArray<RelayEvent>) =>
  events
    .filter(({ type }) => !["stream_event", "status", "input_ack", "session_end"].includes(type))
    .map(({ ts, type }) => `${Math.round(ts * 1000)} ${type}`)

const allow = (request_id: string) =>
  ({ type: "permission_response", request_id, behavior: "allow" }) as unknown as ClientCommand

/** The first permission is allowed after two seconds, the second is left to its deadline. */
const playBoth = Effect.scoped(Effect.gen(function*() {
  const session = yield* open(["two-permissions.ndjson"])
  const whole = yield* Effect.forkChild(Stream.runCollect(session.log.tail(0)))
  yield* TestClock.adjust("1200 millis")
  const ask = yield* logged(session, "permission_request")
  yield* TestClock.adjust("2 seconds")
  yield* session.submit(allow((ask as { request_id: string }).request_id))
  yield* TestClock.adjust("2 minutes")
  yield* session.over
  return { session, whole }
})).pipe(Effect.flatMap(({ whole }) => Fiber.join(whole)), Effect.map((events) => Array.from(events)))

describe("ReplayAdapter", () => {
  it.effect("plays at the recorded pace, and waits for people instead of for the recording", () =>
    Effect.gen(function*() {
      const started = process.cpuUsage()
      assert.deepStrictEqual(diary(yield* playBoth), [
        "0 session_start",
        "32 turn_start",
        "1055 user_message",
        "1060 assistant_message",
        "1060 reasoning",
        "1084 assistant_message",
        "1089 assistant_message",
        "1089 tool_call",
        "1117 permission_request",
        "3200 control_response",
        "3374 user_message",
        "3374 tool_result",
        "3519 assistant_message",
        "3538 response",
        "3538 turn_end",
        "4242 turn_start",
        "4375 user_message",
        "4381 assistant_message",
        "4381 tool_call",
        "4412 permission_request",
        "34412 permission_cancelled",
        "34426 user_message",
        "34426 tool_result",
        "34472 assistant_message",
        "34486 response",
        "34486 turn_end"
      ])
      const { user } = process.cpuUsage(started)
      assert.isBelow(user / 1000, 3000)
    }).pipe(Effect.provide(TestLayer)))

  it.effect("asks before it tells what came in the same millisecond", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-replay-"))
      const lines = readLines("two-permissions.ndjson")
      const at = lines.findIndex((line) => line.includes("\"type\":\"permission_request\""))
      const { seq, session_id, ts } = JSON.parse(lines[at] ?? "") as RelayEvent
      const meanwhile = { type: "stream_event", delta: "text", text: "meanwhile", seq, session_id, ts }
      const later = lines.slice(at + 1).map((line) =>
        line.replace(/"seq":(\d+)/, (_, number) => `"seq":${Number(number) + 1}`)
      )
      const own = [...lines.slice(0, at + 1), JSON.stringify({ ...meanwhile, seq: seq + 1 }), ...later]
      writeFileSync(join(folder, "same.ndjson"), own.join("\n"))
      const session = yield* open(["same.ndjson"], folder)
      yield* TestClock.adjust("1200 millis")
      const ask = yield* logged(session, "permission_request")
      const next = yield* logged(session, "stream_event", ask.seq - 1)
      assert.deepInclude(next, { text: "meanwhile", seq: ask.seq + 1 })
      rmSync(folder, { recursive: true })
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.effect("gives the same bytes every time", () =>
    Effect.gen(function*() {
      const plays = yield* Effect.forEach(Array.from({ length: 4 }), () =>
        playBoth.pipe(Effect.provide(TestLayer), Effect.provide(TestClock.layer())))
      for (const play of plays) {
        assert.deepStrictEqual(play, plays[0])
      }
    }))

  it.effect("waits for prompts when asked to, and plays a turn for each", () =>
    Effect.scoped(Effect.gen(function*() {
      const session = yield* open(["two-permissions.ndjson", "--on-prompt"])
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(session.log.lastSeq(), 1)
      yield* session.submit({ type: "user_message", content: [{ type: "text", text: "my own words" }] })
      const start = yield* logged(session, "turn_start")
      assert.propertyVal(start, "text", "my own words")
      yield* TestClock.adjust("1 minute")
      yield* logged(session, "turn_end")
    })).pipe(Effect.provide(TestLayer)))

  it.effect("leaves out the rest of a turn that is interrupted", () =>
    Effect.scoped(Effect.gen(function*() {
      const session = yield* open(["two-permissions.ndjson"])
      yield* TestClock.adjust("1100 millis")
      yield* session.submit({ type: "interrupt" })
      assert.propertyVal(yield* logged(session, "turn_end"), "stop_reason", "cancelled")
      yield* TestClock.adjust("800 millis")
      assert.propertyVal(yield* logged(session, "turn_start", 20), "text", "the second file, please")
    })).pipe(Effect.provide(TestLayer)))

  it.effect("waits for no pipe and reads no file of gigabytes: others can lay both in a session's folder", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-replay-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      execFileSync("mkfifo", [join(folder, "pipe")])
      writeFileSync(join(folder, "sparse"), "")
      truncateSync(join(folder, "sparse"), longestTranscript + 1)
      for (let n = 0; n < 5; n++) {
        const error = yield* Effect.flip(open(["pipe"], folder))
        assert.match(error.message, /"pipe" cannot be read: it is not a regular file/)
      }
      assert.match(
        (yield* Effect.flip(open(["sparse"], folder))).message,
        /has 67108865 bytes, and at most 67108864 can/
      )
    }).pipe(Effect.provide(TestLayer)))

  it.effect("plays a file whose name begins with two dots, which leads nowhere else", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-replay-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      writeFileSync(join(folder, "..x.ndjson"), readLines("two-permissions.ndjson").join("\n"))
      const session = yield* open(["..x.ndjson"], folder)
      assert.strictEqual((yield* logged(session, "session_start")).type, "session_start")
      const refusal = yield* Effect.flip(open(["../..x.ndjson"], join(folder, "..")))
      assert.match(refusal.message, /does not exist|is not in the session's folder/)
    })).pipe(Effect.provide(TestLayer)))

  const refusals: ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp]> = [
    ["a missing file", ["nothing.ndjson"], /"nothing.ndjson" does not exist: set `command`/],
    ["a file outside of the folder", ["/etc/hosts"], /is not in the session's folder: set `folder`/],
    ["a folder", ["."], /cannot be read/],
    ["a file that is no transcript", ["bad.ndjson"], /line 2 of "bad.ndjson" is not a recorded event/]
  ]
  for (const [what, command, message] of refusals) {
    it.effect(`refuses ${what}`, () =>
      Effect.gen(function*() {
        const [first = "", second = ""] = readLines("two-permissions.ndjson")
        const folder = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-replay-"))),
          (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
        )
        writeFileSync(join(folder, "bad.ndjson"), `${first}\n${second.slice(1)}\n`)
        const refusal = yield* Effect.flip(open([command[0] ?? ""], folder))
        assert.match(refusal.message, message)
      }).pipe(Effect.provide(TestLayer)))
  }
})
