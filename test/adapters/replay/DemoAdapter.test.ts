import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer, Stream } from "effect"
import { AgentAdapter } from "../../../src/adapters/AgentDescriptor.js"
import * as DemoAdapter from "../../../src/adapters/replay/DemoAdapter.js"
import { type ClientCommand, type RelayEvent, RequestId, SessionId } from "../../../src/schema/index.js"
import { IdGenerator } from "../../../src/services/IdGenerator.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import * as Session from "../../../src/services/session/Session.js"

/** The recording's pauses take no time, and nothing that takes minutes ever happens. */
const hasty = Layer.effect(
  Clock.Clock,
  Effect.map(Clock.Clock, (live): Clock.Clock => ({
    currentTimeMillis: live.currentTimeMillis,
    currentTimeNanos: live.currentTimeNanos,
    currentTimeMillisUnsafe: () => live.currentTimeMillisUnsafe(),
    currentTimeNanosUnsafe: () => live.currentTimeNanosUnsafe(),
    monotonicTimeNanos: live.monotonicTimeNanos,
    monotonicTimeNanosUnsafe: () => live.monotonicTimeNanosUnsafe(),
    sleep: (pause) => Duration.isLessThan(pause, Duration.seconds(2)) ? Effect.yieldNow : Effect.never
  }))
)

const TestLayer = Layer.mergeAll(
  NodeServices.layer,
  IdGenerator.layerTest,
  RelayConfig.layer({}),
  hasty
)

const open = Effect.flatMap(
  Effect.provide(AgentAdapter, DemoAdapter.layer()),
  (adapter) =>
    Session.open(SessionId.make("demo"), adapter, { tool: "demo", folder: "/", fresh_uuid: "unused" })
)

const prompt = (text: string): ClientCommand => ({ type: "user_message", content: [{ type: "text", text }] })

/** The next event of that type after `seq`. */
const next = (session: Session.Session, type: RelayEvent["type"], seq: number) =>
  session.log.tail(seq).pipe(
    Stream.filter((event) => event.type === type),
    Stream.runHead,
    Effect.flatMap(Effect.fromOption),
    Effect.orDie
  )

const answer = (request_id: string, behavior: "allow" | "deny"): ClientCommand => ({
  type: "permission_response",
  request_id: RequestId.make(request_id),
  behavior
})

/** One turn, its two questions answered so; its events. */
const turn = Effect.fnUntraced(function*(
  session: Session.Session,
  question: "allow" | "deny",
  edit: "allow" | "deny" = "allow"
) {
  const before = session.log.lastSeq()
  yield* session.submit(prompt("show me"))
  const asked = yield* next(session, "permission_request", before)
  yield* session.submit(answer("demo-question", question))
  if (question === "allow") {
    yield* next(session, "permission_request", asked.seq)
    yield* session.submit(answer("demo-edit", edit))
  }
  const end = yield* next(session, "turn_end", asked.seq)
  const events = yield* session.log.tail(before).pipe(Stream.take(end.seq - before), Stream.runCollect)
  return Array.from(events)
})

const has = (events: ReadonlyArray<RelayEvent>, type: RelayEvent["type"]) =>
  events.some((event) => event.type === type)

describe("DemoAdapter", () => {
  it.live("shows all a page can be shown, for every prompt anew", () =>
    Effect.gen(function*() {
      const session = yield* open
      for (const expected of [1, 2]) {
        const events = yield* turn(session, "allow")
        for (
          const type of [
            "reasoning",
            "assistant_message",
            "tool_call",
            "tool_result",
            "file_diff",
            "response"
          ] as const
        ) {
          assert.isTrue(has(events, type), `${type} in turn ${expected}`)
        }
        assert.isTrue(events.some((event) => event.type === "status" && event.status === "plan"))
        assert.deepInclude(events.at(-1), { type: "turn_end", stop_reason: "end_turn", turn: expected })
      }
    }).pipe(Effect.provide(TestLayer)))

  it.live("leaves the file alone when that is denied", () =>
    Effect.gen(function*() {
      const session = yield* open
      const events = yield* turn(session, "allow", "deny")
      assert.isFalse(has(events, "file_diff"))
      assert.deepInclude(events.at(-1), { type: "turn_end", stop_reason: "end_turn" })
      assert.isTrue(has(yield* turn(session, "allow"), "file_diff"))
    }).pipe(Effect.provide(TestLayer)))

  it.live("stops when its question is not answered", () =>
    Effect.gen(function*() {
      const events = yield* turn(yield* open, "deny")
      assert.lengthOf(events.filter(({ type }) => type === "permission_request"), 1)
    }).pipe(Effect.provide(TestLayer)))

  it.live("can be put into another mode and model", () =>
    Effect.gen(function*() {
      const session = yield* open
      yield* session.submit({ type: "set_permission_mode", mode: "plan" })
      assert.deepInclude(yield* next(session, "status", 0), { metadata: { permission_mode: "plan" } })
    }).pipe(Effect.provide(TestLayer)))
})
