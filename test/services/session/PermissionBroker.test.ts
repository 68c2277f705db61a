import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { PermissionOption, PermissionRequest, PermissionResponse } from "../../../src/schema/index.js"
import { MessageId, RequestId, SessionId } from "../../../src/schema/index.js"
import { EventLog } from "../../../src/services/log/EventLog.js"
import type { Decision } from "../../../src/services/policy/Policy.js"
import * as Broker from "../../../src/services/session/PermissionBroker.js"
import { Sender } from "../../../src/services/session/Sender.js"

const { PermissionBroker } = Broker
type PermissionBroker = Broker.PermissionBroker

const request_id = RequestId.make("req-1")
const ask: PermissionRequest = {
  type: "permission_request",
  request_id,
  tool: "Bash",
  args: { command: "ls" },
  tool_use_id: "tool-1",
  metadata: { kind: "tool" }
}
const allow: PermissionResponse = { type: "permission_response", request_id, behavior: "allow" }
const deny: PermissionResponse = { ...allow, behavior: "deny" }

const layerOf = (timeout: "1 minute" | "Infinity") =>
  PermissionBroker.layer({ timeout: timeout === "Infinity" ? Infinity : timeout }).pipe(
    Layer.provideMerge(EventLog.layer(SessionId.make("session-1")))
  )
const TestLayer = layerOf("1 minute")

/** Wait until the log holds `n` events. */
const events = (n: number) =>
  EventLog.pipe(
    Effect.flatMap((log) => log.tail(0).pipe(Stream.take(n), Stream.runCollect)),
    Effect.map((events) => Array.from(events))
  )
const logged = (n: number) => Effect.map(events(n), (events) => events.map(({ type }) => type))
const lastOf = (n: number) => Effect.map(events(n), (events) => events.at(-1))
const howMany = Effect.map(EventLog, (log) => log.lastSeq())

const request = (ask: PermissionRequest, raw?: Uint8Array) =>
  Effect.forkChild(Effect.flatMap(PermissionBroker, (broker) => broker.request(ask, raw)))

/** What the agent gets for an answer to its question. */
const answered = (ask: PermissionRequest, answer: PermissionResponse) =>
  Effect.gen(function*() {
    const broker = yield* PermissionBroker
    const agent = yield* request(ask)
    yield* logged(1)
    yield* broker.respond(answer)
    return yield* Fiber.join(agent)
  }).pipe(Effect.provide(TestLayer))

describe("PermissionBroker", () => {
  it.effect("hands the client's answer to the waiting agent", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      const agent = yield* request(ask)
      yield* logged(1)
      yield* broker.respond(allow)
      assert.deepStrictEqual(yield* Fiber.join(agent), { ...allow, behavior: "allow" })
      assert.strictEqual((yield* Effect.flip(broker.respond(allow)))._tag, "PermissionNotPending")
      assert.include(yield* lastOf(2), { type: "control_response", request_id, status: "allow" })
    }).pipe(Effect.provide(TestLayer)))

  it.effect("tells when the answer is due, and keeps the native question", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("10 seconds")
      yield* request(ask, Buffer.from("{ \"native\": 1 }"))
      const [asked] = yield* events(1)
      assert.deepStrictEqual(asked?.raw, { native: 1 })
      assert.deepStrictEqual(asked?.type === "permission_request" && asked.metadata, {
        kind: "tool",
        expires_at: 70
      })
    }).pipe(Effect.provide(TestLayer)))

  it.effect("without a deadline waits as long as it takes, and tells of none", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      const agent = yield* request(ask)
      const [asked] = yield* events(1)
      assert.deepStrictEqual(asked?.type === "permission_request" && asked.metadata, { kind: "tool" })
      yield* TestClock.adjust("1000 days")
      yield* broker.respond(deny)
      assert.strictEqual((yield* Fiber.join(agent)).behavior, "deny")
    }).pipe(Effect.provide(layerOf("Infinity"))))

  it.effect("cancels after the deadline and tells the client", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      const agent = yield* request(ask)
      yield* logged(1)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.join(agent), { behavior: "cancelled", reason: "timeout" })
      assert.deepStrictEqual(yield* logged(2), ["permission_request", "permission_cancelled"])
      assert.strictEqual((yield* Effect.flip(broker.respond(allow)))._tag, "PermissionNotPending")
    }).pipe(Effect.provide(TestLayer)))

  it.effect("lets the first decide, once, when an answer comes in the moment of the deadline", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      for (const answerFirst of [true, false]) {
        const before = yield* howMany
        const agent = yield* request(ask)
        yield* logged(before + 1)
        const answer = Effect.ignore(broker.respond(allow))
        const expire = TestClock.adjust("1 minute")
        const late = Effect.delay(answer, "1 minute")
        yield* answerFirst
          ? Effect.andThen(answer, expire)
          : Effect.all([late, expire], { concurrency: "unbounded" })
        const { behavior } = yield* Fiber.join(agent)
        const settled = (yield* events(yield* howMany)).slice(before + 1)
        assert.lengthOf(settled, 1)
        assert.strictEqual(
          settled[0]?.type,
          behavior === "allow" ? "control_response" : "permission_cancelled"
        )
        if (answerFirst) assert.strictEqual(behavior, "allow")
      }
    }).pipe(Effect.provide(TestLayer)))

  it.effect("knows an answer by its tool call too", () =>
    Effect.gen(function*() {
      const { request_id: _, ...unnamed } = allow
      const outcome = yield* answered(ask, { ...unnamed, tool_use_id: "tool-1" })
      assert.strictEqual(outcome.behavior, "allow")
      const broker = yield* PermissionBroker
      const unknown = yield* Effect.flip(broker.respond({ ...unnamed, tool_use_id: "tool-2" }))
      assert.include(unknown.message, "tool-2")
    }).pipe(Effect.provide(TestLayer)))

  it.effect("keeps several questions apart, and lists them as they were asked", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      const second = { ...ask, request_id: RequestId.make("req-2"), tool_use_id: "tool-2" }
      const agents = [yield* request(ask), yield* request(second)] as const
      yield* logged(2)
      assert.deepStrictEqual(broker.pending().map(({ request_id }) => request_id), [
        request_id,
        second.request_id
      ])
      yield* broker.respond({ ...deny, request_id: second.request_id, message: "no" })
      assert.deepStrictEqual(broker.pending().map(({ request_id }) => request_id), [request_id])
      yield* broker.respond(allow)
      assert.isEmpty(broker.pending())
      const outcomes = yield* Fiber.joinAll(agents)
      assert.deepStrictEqual(outcomes.map(({ behavior }) => behavior), ["allow", "deny"])
      assert.include(outcomes[1], { message: "no" })
    }).pipe(Effect.provide(TestLayer)))

  it.effect("does not ask any more what the agent has withdrawn", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      const agent = yield* request(ask)
      yield* logged(1)
      broker.withdraw(RequestId.make("another"))
      broker.withdraw(request_id)
      broker.withdraw(request_id)
      assert.deepStrictEqual(yield* Fiber.join(agent), { behavior: "cancelled", reason: "withdrawn" })
      assert.deepStrictEqual(yield* logged(2), ["permission_request", "permission_cancelled"])
      assert.strictEqual(yield* howMany, 2)
    }).pipe(Effect.provide(TestLayer)))

  it.effect("gives a question of a used name another one: an answer to the one before is none to it", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      const pending = () => broker.pending().map(({ request_id }) => request_id)
      const first = yield* request(ask)
      yield* logged(1)
      const second = yield* request({ ...ask, args: { command: "rm" } })
      assert.deepStrictEqual(yield* Fiber.join(first), { behavior: "cancelled", reason: "withdrawn" })
      yield* logged(3)
      assert.strictEqual((yield* Effect.flip(broker.respond(allow)))._tag, "PermissionNotPending")
      const [id = request_id] = pending()
      // Nor does the agent choose a name that was given.
      const third = yield* request({ ...ask, request_id: id, tool: "Write" })
      yield* logged(4)
      yield* broker.respond({ ...allow, request_id: id })
      assert.strictEqual((yield* Fiber.join(second)).behavior, "allow")
      assert.lengthOf(pending(), 1)
      broker.withdraw(id)
      assert.strictEqual((yield* Fiber.join(third)).behavior, "cancelled")
      // The agent withdraws by its own name, which it may use again for the same question.
      const fourth = yield* request({ ...ask, args: { command: "rm" } })
      yield* logged(7)
      assert.deepStrictEqual(pending(), [id])
      broker.withdraw(request_id)
      assert.strictEqual((yield* Fiber.join(fourth)).behavior, "cancelled")
    }).pipe(Effect.provide(TestLayer)))

  it.effect("gives another name also in place of the longest one", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      const longest = { ...ask, request_id: RequestId.make("r".repeat(256)) }
      yield* request(longest)
      yield* logged(1)
      yield* request({ ...longest, tool: "Write" })
      yield* logged(3)
      assert.lengthOf(broker.pending(), 1)
    }).pipe(Effect.provide(TestLayer)))

  it.effect("takes no answer to a question of an earlier process, which counted alike", () =>
    Effect.gen(function*() {
      const { unsafeAppend } = yield* EventLog
      unsafeAppend({ type: "status", status: "before" })
      const counted = { ...allow, request_id: RequestId.make("request-1") }
      const broker = yield* Broker.make("1 minute")
      yield* Effect.forkChild(broker.request({ ...ask, request_id: counted.request_id }))
      yield* logged(2)
      assert.strictEqual((yield* Effect.flip(broker.respond(counted)))._tag, "PermissionNotPending")
      const [{ request_id } = counted] = broker.pending()
      yield* broker.respond({ ...allow, request_id })
    }).pipe(Effect.scoped, Effect.provide(EventLog.layer(SessionId.make("session-1")))))

  it.effect("releases everyone when the turn is interrupted, and says why", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      const agents = [yield* request(ask), yield* request({ ...ask, request_id: RequestId.make("req-2") })]
      yield* logged(2)
      yield* broker.cancelAll("interrupted")
      assert.deepStrictEqual(yield* Fiber.joinAll(agents), [
        { behavior: "cancelled", reason: "interrupted" },
        { behavior: "cancelled", reason: "interrupted" }
      ])
      assert.deepInclude(yield* lastOf(4), {
        type: "permission_cancelled",
        metadata: { reason: "interrupted" }
      })
      assert.isEmpty(broker.pending())
    }).pipe(Effect.provide(TestLayer)))

  it.effect("settles the question of an agent that is stopped while it waits", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      const agent = yield* request(ask)
      yield* logged(1)
      yield* Fiber.interrupt(agent)
      assert.deepStrictEqual(yield* logged(2), ["permission_request", "permission_cancelled"])
      assert.isEmpty(broker.pending())
    }).pipe(Effect.provide(TestLayer)))

  it.effect("releases everyone at the end of its scope", () =>
    Effect.gen(function*() {
      const agent = yield* Effect.gen(function*() {
        const agent = yield* Effect.forkDetach(
          Effect.flatMap(PermissionBroker, (broker) => broker.request(ask))
        )
        yield* logged(1)
        return agent
      }).pipe(Effect.provide(TestLayer))
      assert.deepStrictEqual(yield* Fiber.join(agent), { behavior: "cancelled", reason: "session_end" })
    }))
})

describe("what an answer means", () => {
  const options: ReadonlyArray<PermissionOption> = [
    { option_id: "once", name: "Once", kind: "allow_once" },
    { option_id: "always", name: "Always", kind: "allow_always" },
    { option_id: "no", name: "No", kind: "reject_once" },
    { option_id: "never", name: "Never", kind: "reject_always" }
  ]
  const offered: PermissionRequest = { ...ask, metadata: { kind: "tool", options } }
  const question: PermissionRequest = { ...ask, tool: "AskUserQuestion", metadata: { kind: "question" } }
  const answer = (fields: Partial<PermissionResponse>): PermissionResponse => ({
    type: "permission_response",
    request_id,
    ...fields
  })

  const cases: ReadonlyArray<
    readonly [name: string, PermissionRequest, Partial<PermissionResponse>, meaning: object]
  > = [
    ["an option that allows once", offered, { option_id: "once" }, { behavior: "allow", option_id: "once" }],
    ["an option that allows for good", offered, { option_id: "always" }, {
      behavior: "allow",
      scope: "session",
      option_id: "always"
    }],
    ["an option that allows for good, but once", offered, { option_id: "always", scope: "once" }, {
      behavior: "allow",
      scope: "once"
    }],
    ["an option that rejects", offered, { option_id: "no" }, { behavior: "deny" }],
    ["an option that rejects for good", offered, { option_id: "never" }, { behavior: "deny" }],
    ["an option that was not offered", offered, { option_id: "what" }, { behavior: "deny" }],
    ["an option, where none is offered", ask, { option_id: "once" }, { behavior: "deny" }],
    ["a denial that names an allowing option", offered, { behavior: "deny", option_id: "once" }, {
      behavior: "deny"
    }],
    ["answers to a question", question, { answers: { color: "red" } }, {
      behavior: "allow",
      answers: { color: "red" }
    }],
    ["answers to a question, but denied", question, { behavior: "deny", answers: { color: "red" } }, {
      behavior: "deny"
    }],
    ["answers where no question was asked", ask, { answers: { color: "red" } }, { behavior: "deny" }],
    ["nothing in particular", ask, {}, { behavior: "deny" }],
    ["nothing in particular, to a question", question, {}, { behavior: "deny" }],
    ["a plain yes", ask, { behavior: "allow" }, { behavior: "allow" }]
  ]

  it.effect.each(cases)("%s", ([, ask, fields, meaning]) =>
    Effect.gen(function*() {
      const outcome = yield* answered(ask, answer(fields))
      for (const [field, value] of Object.entries(meaning)) {
        assert.deepStrictEqual(Object.entries(outcome).find(([name]) => name === field)?.[1], value)
      }
      if (!("scope" in meaning)) assert.notProperty(outcome, "scope")
    }))

  it.effect("tells everyone what was decided", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      yield* request(offered)
      yield* logged(1)
      yield* broker.respond(answer({ option_id: "never" }))
      const told = yield* lastOf(2)
      assert.include(told, { type: "control_response", status: "deny" })
      assert.deepStrictEqual(told?.metadata, { option_id: "never" })
    }).pipe(Effect.provide(TestLayer)))

  it.effect("tells with whose words, and by whom, it was decided; and nothing that nobody said", () =>
    Effect.gen(function*() {
      const metadataOf = (fields: Partial<PermissionResponse>, by: Sender.Fields = {}) =>
        Effect.gen(function*() {
          const broker = yield* PermissionBroker
          yield* request(ask)
          yield* logged(1)
          yield* Effect.provideService(broker.respond(answer(fields)), Sender, by)
          return (yield* lastOf(2))?.metadata
        }).pipe(Effect.provide(TestLayer))
      assert.isUndefined(yield* metadataOf({ behavior: "allow" }))
      assert.deepStrictEqual(
        yield* metadataOf({ behavior: "deny", message: "not now", message_id: MessageId.make("m1") }, {
          token: "anna"
        }),
        { by: { token: "anna" }, message_id: "m1", message: "not now" }
      )
      assert.deepStrictEqual(
        yield* metadataOf({ behavior: "allow", updatedInput: { command: "ls -a" } }),
        { updated_input: { command: "ls -a" } }
      )
    }))

  it.effect("must fit the question it allows; the question waits for another", () =>
    Effect.gen(function*() {
      const broker = yield* PermissionBroker
      const args = { questions: [{ question: "How many?", type: "integer" }] }
      const answers = { "How many?": "many" }
      const agent = yield* request({ ...question, args })
      yield* logged(1)
      const unfit = yield* Effect.flip(broker.respond(answer({ behavior: "allow", answers })))
      assert.strictEqual(unfit._tag, "AnswerUnfit")
      assert.include(unfit.message, "\"How many?\" must be a number")
      assert.lengthOf(broker.pending(), 1)
      yield* broker.respond(answer({ behavior: "deny", answers }))
      assert.strictEqual((yield* Fiber.join(agent)).behavior, "deny")
    }).pipe(Effect.provide(TestLayer)))

  it.effect("need fit no form in a tool's input: that is none", () =>
    Effect.gen(function*() {
      const args = { questions: [{ question: "How many?", type: "integer", required: true }] }
      const outcome = yield* answered({ ...ask, args }, answer({ behavior: "allow" }))
      assert.strictEqual(outcome.behavior, "allow")
    }))
})

describe("the operator's rules", () => {
  const ruled = (decision: Decision, fields: Partial<PermissionRequest> = {}) =>
    Effect.gen(function*() {
      const broker = yield* Broker.make("1 minute", undefined, () => decision)
      const outcome = yield* broker.request({ ...ask, ...fields })
      return { outcome, events: yield* events(2), pending: broker.pending() }
    }).pipe(
      Effect.provide(EventLog.layer(SessionId.make("session-1"))),
      Effect.scoped
    )

  it.effect("that allow or forbid are the answer, which is told with the rule's name", () =>
    Effect.gen(function*() {
      const allowed = yield* ruled({ verdict: "allow", rule: "reads" })
      assert.deepInclude(allowed.outcome, { behavior: "allow" })
      assert.deepInclude(allowed.events[1], { type: "control_response", status: "allow" })
      assert.deepStrictEqual(allowed.pending, [])
      const forbidden = yield* ruled({ verdict: "deny", rule: "no pushes" })
      assert.deepInclude(forbidden.outcome, {
        behavior: "deny",
        message: "The operator's rule \"no pushes\" forbids this."
      })
      assert.deepInclude(forbidden.events[1], { type: "control_response", status: "deny" })
    }))
})
