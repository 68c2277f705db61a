import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Result, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import {
  AgentFailed,
  BadHandshake,
  CommandRefused,
  ConversationGone
} from "../../../src/adapters/AdapterError.js"
import {
  type BodyOf,
  decodeFrame,
  EventBody,
  type EventType,
  RelayEvent,
  RequestId,
  SessionId
} from "../../../src/schema/index.js"
import { IdGenerator } from "../../../src/services/IdGenerator.js"
import { makeMemory } from "../../../src/services/log/EventStore.js"
import * as SessionSummary from "../../../src/services/log/SessionSummary.js"
import { RelayConfig, type Settings } from "../../../src/services/RelayConfig.js"
import { Sender } from "../../../src/services/session/Sender.js"
import * as Session from "../../../src/services/session/Session.js"
import * as FakeAdapter from "../../support/fakeAdapter.js"
import { askFor, specOf } from "../../support/fakeAdapter.js"

const settings = { interrupt_timeout: 30, permission_timeout: 60, max_queued: 3 }
const layerOf = (more: Partial<Settings> = {}) =>
  Layer.merge(IdGenerator.layerTest, RelayConfig.layer({ ...settings, ...more }))

/** An event in a few words: its type, what became of it, whose it is. */
const wordsOf = (event: RelayEvent): string => {
  const { code, message_id, status, stop_reason, text } = { ...event } as Record<string, unknown>
  const words = [
    event.type,
    status ?? stop_reason ?? code,
    message_id ?? (event.type === "turn_start" ? text : "")
  ]
  return words.filter((word) => word !== undefined && word !== "").join(" ")
}

const read = (events: Stream.Stream<RelayEvent>) => Stream.runCollect(events)

const end = { type: "turn_end", stop_reason: "end_turn" } as const

/** A session with a fake agent, and what a test does with it. Closing it says how it ended. */
const openWith = Effect.fnUntraced(function*(options: FakeAdapter.FakeOptions = {}, handshake: object = {}) {
  let isFinished = false
  const fake = FakeAdapter.make({
    ...options,
    onCommand: (command, agent) =>
      isFinished && command.type === "interrupt"
        ? agent.say(end)
        : options.onCommand?.(command, agent) ?? Effect.void
  })
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => {
    // When the test has seen enough, the agent makes it short.
    isFinished = true
    return Scope.close(scope, Exit.void)
  })
  const session = yield* Scope.provide(
    Session.open(SessionId.make("session-1"), fake.adapter, specOf(handshake)),
    scope
  )
  const { log } = session
  const whole = read(log.tail(0))
  return {
    fake,
    agent: fake.agent(),
    session,
    /** Send frames, as a client spells them. */
    send: (...frames: ReadonlyArray<object>) =>
      Effect.forEach(
        frames,
        (frame) => session.submit(Result.getOrThrow(decodeFrame(JSON.stringify(frame)))),
        { discard: true }
      ),
    /** Wait for the `n`th event of a type; all up to it, in words. */
    until: (type: EventType, n = 1) => {
      let seen = 0
      const isLast = (event: RelayEvent) => event.type === type && ++seen === n
      return Effect.map(read(Stream.takeUntil(log.tail(0), isLast)), (events) => events.map(wordsOf))
    },
    /** The first event of a type; waits for it. */
    first: <Type extends EventType>(type: Type) =>
      log.tail(0).pipe(
        Stream.filter((event): event is RelayEvent & BodyOf<Type> => event.type === type),
        Stream.runHead,
        Effect.flatMap(Effect.fromOption),
        Effect.orDie
      ),
    /** Close the session; all that was logged. */
    close: Effect.andThen(Scope.close(scope, Exit.void), whole),
    /** Wait until the session is over by itself; then close it. */
    over: Effect.andThen(session.over, Effect.andThen(Scope.close(scope, Exit.void), whole))
  }
})

const open = (options?: FakeAdapter.FakeOptions, more?: Partial<Settings>) =>
  Effect.provide(openWith(options), layerOf(more))

const id1 = SessionId.make("session-1")
const done = [{ type: "response", text: "Done." }, end] as const
const prompt = (message_id: string, more: object = {}) => ({ text: message_id, message_id, ...more })

describe("a session", () => {
  it.effect("begins with session_start: what it is, where it works and what it can do", () =>
    Effect.gen(function*() {
      const { first, session } = yield* openWith({}, { model: "m-1" }).pipe(Effect.provide(layerOf()))
      const { metadata, seq } = yield* first("session_start")
      assert.strictEqual(seq, 1)
      assert.deepInclude(metadata, {
        tool: "fake",
        folder: "/workspace",
        model: "m-1",
        cmd: ["fake"],
        last_seq: 0,
        pending_permissions: []
      })
      assert.deepInclude(session.describe().metadata, { last_seq: 1 })
    }))

  it.effect("holds back what the agent says before it is open", () =>
    Effect.gen(function*() {
      const early = [{ type: "stderr", text: "hm" }, { type: "turn_start" }, ...done] as const
      const { send, until } = yield* open({ early })
      yield* send(prompt("m1"))
      assert.deepStrictEqual(yield* until("turn_start", 2), [
        "session_start",
        "stderr",
        "turn_start",
        "response",
        "turn_end end_turn",
        "turn_start m1"
      ])
    }))

  it.effect("knows the conversation by the name the agent gave it last", () =>
    Effect.gen(function*() {
      const { agent, session } = yield* open()
      assert.notProperty(session.describe().metadata, "native_session_id")
      for (const native_session_id of ["native-1", "native-2"]) {
        yield* agent.say({ type: "status", status: "init", metadata: { native_session_id } })
        assert.deepInclude(session.describe().metadata, { native_session_id })
      }
      yield* agent.say({ type: "status", status: "init", metadata: {} })
      assert.deepInclude(session.describe().metadata, { native_session_id: "native-2" })
    }))

  it.effect("tells who attaches which permissions wait", () =>
    Effect.gen(function*() {
      const { agent, first, session } = yield* open()
      yield* Effect.forkChild(agent.ask(askFor("p1")))
      yield* first("permission_request")
      const [pending] = (session.describe().metadata?.["pending_permissions"] ?? []) as ReadonlyArray<object>
      assert.deepInclude(pending, { request_id: "p1", args: { command: "ls" } })
    }))

  it.effect("that cannot be opened leaves nothing behind", () =>
    Effect.gen(function*() {
      let closed = 0
      const failure = yield* open({
        opening: () =>
          Effect.acquireRelease(
            Effect.fail(new AgentFailed({ tool: "fake", reason: "no" })),
            () => Effect.void
          ).pipe(Effect.ensuring(Effect.sync(() => void (closed += 1))), Effect.scoped)
      }).pipe(Effect.flip)
      assert.strictEqual(failure._tag, "AgentFailed")
      assert.strictEqual(closed, 1)
    }))
})

describe("a turn", () => {
  it.effect("is a prompt, what the agent says to it, and one turn_end", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      yield* send(prompt("m1"))
      assert.deepInclude(yield* agent.next, {
        type: "user_message",
        content: [{ type: "text", text: "m1" }],
        uuid: "00000000-0000-4000-8000-000000000001"
      })
      yield* until("input_ack")
      yield* agent.say(...done)
      assert.deepStrictEqual(yield* until("turn_end"), [
        "session_start",
        "turn_start m1",
        "input_ack sent m1",
        "response",
        "turn_end end_turn"
      ])
    }))

  it.effect("may be one the agent began by itself; prompts wait for its end", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      yield* agent.say({ type: "turn_start" })
      yield* send(prompt("m1"))
      yield* until("input_ack")
      yield* agent.say(...done)
      assert.deepStrictEqual(yield* until("turn_start", 2), [
        "session_start",
        "turn_start",
        "input_ack queued m1",
        "response",
        "turn_end end_turn",
        "turn_start m1"
      ])
    }))

  it.effect("that does not pair is told as a status, with its native message", () =>
    Effect.gen(function*() {
      const { agent, close } = yield* open()
      yield* Effect.sync(() => agent.sink.emit(end, Buffer.from("{\"n\":1}")))
      yield* agent.say({ type: "turn_start" }, { type: "turn_start", metadata: { why: "again" } }, end)
      const events = yield* close
      assert.deepStrictEqual(events.map(wordsOf), [
        "session_start",
        "status turn_end",
        "turn_start",
        "status turn_start",
        "turn_end end_turn",
        "session_end"
      ])
      assert.deepStrictEqual(events[1]?.raw, { n: 1 })
      assert.deepStrictEqual(events[3]?.metadata, { why: "again" })
    }))

  it.effect("the agent refuses ends with an error, and the next prompt runs", () =>
    Effect.gen(function*() {
      const { send, until } = yield* open({
        onCommand: (command) =>
          command.type === "user_message" && command.message_id === "m1"
            ? new CommandRefused({ reason: "not that one" })
            : Effect.void
      })
      yield* send(prompt("m1"))
      yield* until("turn_end")
      yield* send(prompt("m2"))
      assert.deepStrictEqual(yield* until("input_ack"), [
        "session_start",
        "turn_start m1",
        "error bad_command m1",
        "turn_end error",
        "turn_start m2",
        "input_ack sent m2"
      ])
    }))

  it.effect("knows by inTurn whether it runs", () =>
    Effect.gen(function*() {
      const { agent } = yield* open()
      assert.isFalse(agent.sink.inTurn())
      yield* agent.say({ type: "turn_start" })
      assert.isTrue(agent.sink.inTurn())
      yield* agent.say(end)
      assert.isFalse(agent.sink.inTurn())
    }))
})

describe("a prompt that comes during a turn", () => {
  it.effect("waits, and runs in the order it came", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      yield* send(prompt("m1"), prompt("m2"), prompt("m3"))
      yield* until("input_ack", 3)
      yield* agent.say(...done)
      yield* until("turn_start", 2)
      yield* until("input_ack", 4)
      yield* agent.say(...done)
      const words = yield* until("turn_start", 3)
      assert.deepStrictEqual(words.filter((word) => /queued|turn_start/.test(word)), [
        "turn_start m1",
        "input_ack queued m2",
        "input_ack queued m3",
        "turn_start m2",
        "turn_start m3"
      ])
    }))

  it.effect("steers the turn, where the agent can be steered", () =>
    Effect.gen(function*() {
      const { agent, close, send, until } = yield* open()
      yield* send(prompt("m1"), prompt("m2", { when: "steer" }))
      yield* agent.next
      assert.include(yield* agent.next, { message_id: "m2", when: "steer" })
      yield* until("input_ack", 2)
      yield* agent.say(...done)
      const words = (yield* close).map(wordsOf)
      assert.deepStrictEqual(words.filter((word) => word.startsWith("turn_start")), ["turn_start m1"])
      assert.include(words, "input_ack sent m2")
    }))

  it.effect("waits though it should steer, where the agent cannot be steered", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open({ capabilities: { steer: false } })
      yield* send(prompt("m1"), prompt("m2", { when: "steer" }))
      yield* until("input_ack", 2)
      yield* agent.say(...done)
      assert.strictEqual((yield* until("turn_start", 2)).at(-1), "turn_start m2")
      yield* until("input_ack", 3)
      assert.notProperty(agent.sent[1], "when")
    }))

  it.effect("and wants to be first stops the turn and goes before those that wait", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      yield* send(prompt("m1"), prompt("m2"), prompt("m3", { when: "interrupt" }))
      yield* agent.next
      assert.strictEqual((yield* agent.next).type, "interrupt")
      yield* agent.say({ type: "turn_end", stop_reason: "cancelled" })
      assert.deepStrictEqual((yield* until("turn_start", 2)).slice(-2), [
        "turn_end cancelled",
        "turn_start m3"
      ])
    }))

  it.effect("starts a turn like any other when none runs, whatever it wants", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      for (const [n, when] of ["steer", "interrupt", "queue"].entries()) {
        yield* send(prompt(`m${n}`, { when }))
        yield* until("input_ack", n + 1)
        yield* agent.say(...done)
      }
      assert.lengthOf((yield* until("turn_end", 3)).filter((word) => word.startsWith("turn_start")), 3)
    }))

  it.effect("can be taken back as long as it waits", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      yield* send(
        prompt("m1"),
        prompt("m2"),
        { type: "cancel_queued", message_id: "m2" },
        { type: "cancel_queued", message_id: "m2" },
        { type: "cancel_queued", message_id: "m1" }
      )
      assert.deepStrictEqual((yield* until("error", 2)).slice(-4), [
        "input_ack queued m2",
        "input_ack cancelled m2",
        "error bad_command m2",
        "error bad_command m1"
      ])
      yield* agent.say(...done)
      yield* send(prompt("m3"))
      assert.strictEqual((yield* until("turn_start", 2)).at(-1), "turn_start m3")
    }))

  it.effect("is refused when too many wait, and may be sent again", () =>
    Effect.gen(function*() {
      const { agent, first, send, until } = yield* open()
      yield* send(...["m1", "m2", "m3", "m4", "m5"].map((name) => prompt(name)))
      assert.strictEqual((yield* until("error")).at(-1), "error overloaded m5")
      assert.include((yield* first("error")).text, "3 prompts are already waiting")
      yield* agent.say(...done)
      yield* until("turn_start", 2)
      yield* send(prompt("m5"))
      assert.include(yield* until("input_ack", 6), "input_ack queued m5")
    }))
})

describe("a command", () => {
  it.effect("of a name that was executed before is only acknowledged", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      yield* send(prompt("m1"), prompt("m1"), { type: "set_model", model: "x", message_id: "m1" })
      const words = yield* until("input_ack", 3)
      assert.lengthOf(words.filter((word) => word === "input_ack duplicate m1"), 2)
      assert.lengthOf(agent.sent, 1)
    }))

  it.effect("that is a prompt is known by its uuid too", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      const uuid = "11111111-1111-4111-8111-111111111111"
      yield* send({ text: "a", uuid }, { text: "a", uuid, message_id: "m1" })
      assert.deepStrictEqual((yield* until("input_ack", 2)).at(-1), "input_ack duplicate m1")
      assert.lengthOf(agent.sent, 1)
      assert.deepInclude(agent.sent[0], { uuid })
    }))

  it.effect("the agent refused may be sent again under the same name", () =>
    Effect.gen(function*() {
      let refusals = 2
      const { agent, send, until } = yield* open({
        onCommand: () => refusals-- > 0 ? new CommandRefused({ reason: "not now" }) : Effect.void
      })
      const setModel = { type: "set_model", model: "x", message_id: "m1" }
      yield* send(setModel, prompt("m2"))
      yield* until("turn_end")
      yield* send(setModel, prompt("m2"))
      const words = yield* until("input_ack", 2)
      assert.includeMembers([...words], ["error bad_command m1", "error bad_command m2", "input_ack sent m1"])
      assert.strictEqual(words.at(-1), "input_ack sent m2")
      assert.lengthOf(agent.sent, 4)
    }))

  it.effect("is acknowledged when it is done, if it has a name", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      yield* send({ type: "set_model", model: "x" }, {
        type: "set_permission_mode",
        mode: "plan",
        message_id: "m1"
      })
      assert.deepStrictEqual(yield* until("input_ack"), ["session_start", "input_ack sent m1"])
      assert.deepStrictEqual(agent.sent.map(({ type }) => type), ["set_model", "set_permission_mode"])
    }))

  const refused: ReadonlyArray<
    readonly [
      name: string,
      command: object,
      capabilities: FakeAdapter.FakeOptions["capabilities"],
      why: string
    ]
  > = [
    [
      "a model, where it cannot be changed",
      { type: "set_model", model: "x" },
      { set_model: false },
      "cannot change"
    ],
    [
      "a mode the agent does not have",
      { type: "set_permission_mode", mode: "x" },
      {},
      "one of default, plan"
    ],
    [
      "a mode, where there are none",
      { type: "set_permission_mode", mode: "x" },
      { permission_modes: [] },
      "has no"
    ],
    ["a size, where there is no terminal", { type: "resize", cols: 80, rows: 24 }, {}, "not a terminal"],
    ["input, where there is no terminal", { type: "stdin", data: "x" }, {}, "not a terminal"],
    [
      "an answer to nothing",
      { type: "permission_response", request_id: "x", behavior: "allow" },
      {},
      "no permission"
    ],
    [
      "a prompt to take back that never was",
      { type: "cancel_queued", message_id: "m0" },
      {},
      "no queued prompt"
    ],
    [
      "an image, where none can be seen",
      {
        type: "user_message",
        content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "aaaa" } }]
      },
      { images: false },
      "accept images: send text only"
    ]
  ]
  it.effect.each(refused)(
    "is refused and changes nothing: %s",
    ([, command, capabilities, why]) =>
      Effect.gen(function*() {
        const { agent, first, send } = yield* open({ ...(capabilities && { capabilities }) })
        yield* send(command)
        const error = yield* first("error")
        assert.strictEqual(error.code, "bad_command")
        assert.include(error.text, why)
        assert.isEmpty(agent.sent)
      })
  )

  it.effect("of the agent's own protocol is handed over with an id of its own", () =>
    Effect.gen(function*() {
      const { agent, send } = yield* open({ native: { harmless: { usage: [], "model/list": [] } } })
      yield* send(
        { type: "control_request", request: { subtype: "usage" } },
        { type: "control_request", request_id: "r1", request: { subtype: "usage" } },
        { type: "raw_request", method: "model/list", params: {} },
        { type: "control_response", response: { subtype: "success", request_id: "r2", response: {} } }
      )
      const names: Array<string | undefined> = []
      for (let n = 0; n < 3; n++) {
        const command = yield* agent.next
        names.push("request_id" in command ? command.request_id : undefined)
      }
      assert.strictEqual(names[1], "r1")
      assert.match(names[0] ?? "", /^00000000-/)
      assert.match(names[2] ?? "", /^00000000-/)
      assert.notStrictEqual(names[0], names[2])
      assert.strictEqual((yield* agent.next).type, "control_response")
    }))

  it.effect("of the agent's own protocol is journaled with who sent it, without secrets", () =>
    Effect.gen(function*() {
      const { close, first, session } = yield* open({}, { allow_native_requests: true })
      const params = { token: "t0p-secret", env: { A: "t0p-secret" }, path: "/x" }
      yield* session.submit({ type: "raw_request", method: "fs/readFile", params }).pipe(
        Effect.provideService(Sender, { address: "192.0.2.7", connection: 3 })
      )
      const journaled = yield* Effect.repeat(first("status"), {
        until: ({ status }) => status === "native_request"
      })
      assert.deepInclude(journaled, { text: "fs/readFile" })
      assert.deepInclude(journaled.metadata, {
        method: "fs/readFile",
        params: { token: "[REDACTED]", env: { A: "[REDACTED]" }, path: "/x" },
        by: { address: "192.0.2.7", connection: 3 }
      })
      yield* close
    }))

  it.effect("of the agent's own protocol that is not listed as harmless reaches nobody", () =>
    Effect.gen(function*() {
      const { agent, first, send } = yield* open({ native: { harmless: { "model/list": [] } } })
      yield* send({
        type: "raw_request",
        method: "command/exec",
        params: { command: ["id"] },
        message_id: "m"
      })
      const { code, message_id, text } = yield* first("error")
      assert.deepStrictEqual([code, message_id], ["bad_command", "m"])
      assert.include(text, "--allow-native-requests")
      assert.isEmpty(agent.sent)
    }))

  it.effect("of the agent's own protocol shows no token in its answer, nor in the native message", () =>
    Effect.gen(function*() {
      const { agent, close, send } = yield* open({
        onCommand: (command, agent) =>
          command.type === "raw_request"
            ? Effect.sync(() => {
              const content = { authMethod: "apikey", authToken: "op3rators-key" }
              const raw = Buffer.from(JSON.stringify({ id: 1, result: content }))
              agent.sink.emit({
                type: "control_response",
                request_id: command.request_id,
                status: "ok",
                content
              }, raw)
            })
            : Effect.void
      }, { allow_native_requests: true })
      yield* send({ type: "raw_request", method: "getAuthStatus", params: { includeToken: true } })
      assert.strictEqual((yield* agent.next).type, "raw_request")
      const whole = JSON.stringify(yield* close)
      assert.include(whole, "apikey")
      assert.notInclude(whole, "op3rators-key")
    }))

  it.effect("that makes the adapter fail by a fault of ours ends neither the session nor other commands", () =>
    Effect.gen(function*() {
      let faults = 2
      const { first, send, until } = yield* open({
        onCommand: () => faults-- > 0 ? Effect.die(new Error("kaputt")) : Effect.void
      })
      yield* send({ type: "set_model", model: "x", message_id: "m1" }, prompt("m2"))
      yield* until("turn_end")
      yield* send(prompt("m3"))
      assert.deepStrictEqual(yield* until("input_ack"), [
        "session_start",
        "error internal m1",
        "turn_start m2",
        "error internal m2",
        "turn_end error",
        "turn_start m3",
        "input_ack sent m3"
      ])
      assert.notInclude((yield* first("error")).text, "kaputt")
    }))
})

describe("an agent that is slow to take a command", () => {
  const slow = (type: string): FakeAdapter.FakeOptions => ({
    onCommand: (command, agent) =>
      command.type === type
        ? Effect.never
        : command.type === "interrupt"
        ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
        : Effect.void
  })
  const commands = [
    { type: "set_model", model: "x" },
    { type: "set_permission_mode", mode: "plan" },
    { type: "user_message", content: "also", when: "steer" }
  ]

  it.effect.each(commands)(
    "is interrupted, and answered, all the same: $type",
    (command) =>
      Effect.gen(function*() {
        let isSlow = false
        const { agent, send, until } = yield* open({
          onCommand: (sent, agent) =>
            sent.type === "interrupt"
              ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
              : isSlow
              ? Effect.never
              : Effect.void
        })
        yield* send(prompt("m1"))
        yield* until("input_ack")
        isSlow = true
        const asking = yield* Effect.forkChild(agent.ask(askFor("q")))
        yield* until("permission_request")
        yield* send(command, { type: "permission_response", request_id: "q", behavior: "allow" })
        assert.strictEqual((yield* Fiber.join(asking)).behavior, "allow")
        yield* send({ type: "interrupt" })
        assert.strictEqual((yield* until("turn_end")).at(-1), "turn_end cancelled")
      })
  )

  it.effect("gets a prompt only when it has taken the model that was chosen before it", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open({
        onCommand: ({ type }) => type === "set_model" ? Effect.sleep("5 seconds") : Effect.void
      })
      yield* send({ type: "set_model", model: "x", message_id: "m1" }, prompt("m2"))
      assert.strictEqual((yield* agent.next).type, "set_model")
      yield* TestClock.adjust("4 seconds")
      assert.lengthOf(agent.sent, 1)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* until("input_ack", 2)).slice(1), [
        "input_ack sent m1",
        "turn_start m2",
        "input_ack sent m2"
      ])
    }))

  it.effect("is interrupted while a prompt waits for it: the prompt does not run on", () =>
    Effect.gen(function*() {
      const { send, until } = yield* open({
        onCommand: ({ type }, agent) =>
          type === "set_model"
            ? Effect.sleep("5 seconds")
            : type === "interrupt"
            ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
            : Effect.void
      })
      yield* send({ type: "set_model", model: "x" }, prompt("m1"), { type: "interrupt", message_id: "i" })
      yield* until("input_ack")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* until("turn_end")).at(-1), "turn_end cancelled")
      // What comes after it is not stopped.
      yield* send(prompt("m2"))
      assert.deepStrictEqual((yield* until("turn_start", 2)).at(-1), "turn_start m2")
    }))

  it.effect("has so long; then the command is refused, and those behind it are handed over", () =>
    Effect.gen(function*() {
      const { agent, first, send, until } = yield* open(slow("set_model"))
      yield* send({ type: "set_model", model: "x", message_id: "m1" }, {
        type: "set_permission_mode",
        mode: "plan",
        message_id: "m2"
      })
      assert.strictEqual((yield* agent.next).type, "set_model")
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual((yield* until("input_ack")).slice(1), [
        "error bad_command m1",
        "input_ack sent m2"
      ])
      assert.include((yield* first("error")).text, "within 30 seconds")
    }))

  it.effect("and is interrupted while it is handed a prompt: that is told, and may be sent again", () =>
    Effect.gen(function*() {
      let isSlow = true
      const { agent, send, until } = yield* open({
        onCommand: (sent, agent) =>
          sent.type === "interrupt"
            ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
            : isSlow
            ? Effect.never
            : Effect.void
      })
      yield* send(prompt("m1"))
      assert.strictEqual((yield* agent.next).type, "user_message")
      yield* send({ type: "interrupt" })
      assert.deepStrictEqual((yield* until("input_ack")).slice(1), [
        "turn_start m1",
        "turn_end cancelled",
        "input_ack cancelled m1"
      ])
      isSlow = false
      yield* send(prompt("m1"))
      assert.deepStrictEqual((yield* until("input_ack", 2)).slice(4), ["turn_start m1", "input_ack sent m1"])
    }))

  it.effect("and ends the turn without saying that it took the prompt: the next one runs", () =>
    Effect.gen(function*() {
      let isSlow = true
      const { agent, send, until } = yield* open({
        onCommand: () => isSlow ? Effect.never : Effect.void
      })
      yield* send(prompt("m1"), prompt("m2"))
      yield* until("input_ack")
      isSlow = false
      yield* agent.say(...done)
      assert.deepStrictEqual((yield* until("input_ack", 3)).slice(1), [
        "turn_start m1",
        "input_ack queued m2",
        "response",
        "turn_end end_turn",
        "input_ack sent m1",
        "turn_start m2",
        "input_ack sent m2"
      ])
    }))
})

describe("a native answer to a permission", () => {
  const answers: ReadonlyArray<readonly [name: string, response: object, outcome: object]> = [
    ["allows", { subtype: "success", response: { behavior: "allow", updatedInput: { command: "pwd" } } }, {
      behavior: "allow",
      updatedInput: { command: "pwd" }
    }],
    ["denies", { subtype: "success", response: { behavior: "deny", message: "no", interrupt: true } }, {
      behavior: "deny",
      message: "no",
      stop: true
    }],
    ["denies when it is an error", { subtype: "error", error: "broken" }, {
      behavior: "deny",
      message: "broken"
    }],
    ["denies unless it says allow", { subtype: "success", response: { behavior: "perhaps" } }, {
      behavior: "deny"
    }]
  ]
  it.effect.each(answers)("%s", ([, response, outcome]) =>
    Effect.gen(function*() {
      const { agent, first, send } = yield* open()
      const asked = yield* Effect.forkChild(agent.ask(askFor("p1")))
      yield* first("permission_request")
      yield* send({ type: "control_response", response: { ...response, request_id: "p1" } })
      const given = yield* Fiber.join(asked)
      assert.deepInclude(given, outcome)
      const settled = yield* first("control_response")
      assert.deepStrictEqual([settled.request_id, settled.status], ["p1", given.behavior])
      assert.isEmpty(agent.sent)
    }))
})

describe("an interrupt", () => {
  it.effect("stops the turn, releases who waits for a permission, and keeps the session", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      yield* send(prompt("m1"))
      yield* agent.next
      yield* until("input_ack")
      const asked = yield* Effect.forkChild(agent.ask(askFor("p1")))
      yield* until("permission_request")
      yield* send({ type: "interrupt", message_id: "m2" })
      assert.strictEqual((yield* agent.next).type, "interrupt")
      assert.deepStrictEqual(yield* Fiber.join(asked), { behavior: "cancelled", reason: "interrupted" })
      yield* agent.say({ type: "turn_end", stop_reason: "cancelled" })
      yield* send(prompt("m3"))
      const words = yield* until("turn_start", 2)
      assert.sameMembers(words.slice(4, 6), ["input_ack sent m2", "permission_cancelled"])
      assert.deepStrictEqual(words.slice(6), ["turn_end cancelled", "turn_start m3"])
    }))

  it.effect("of nothing is told as idle", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      yield* send({ type: "interrupt" })
      assert.deepStrictEqual(yield* until("status"), ["session_start", "status idle"])
      assert.isEmpty(agent.sent)
    }))

  it.effect("sent twice is handed over once", () =>
    Effect.gen(function*() {
      const { agent, send, until } = yield* open()
      yield* send(prompt("m1"), { type: "interrupt" }, { type: "interrupt", message_id: "m2" })
      yield* until("input_ack", 2)
      yield* agent.say({ type: "turn_end", stop_reason: "cancelled" })
      yield* until("turn_end")
      assert.deepStrictEqual(agent.sent.map(({ type }) => type), ["user_message", "interrupt"])
    }))

  it.effect("the agent does not heed ends the session", () =>
    Effect.gen(function*() {
      const { agent, first, over, send } = yield* open({ closing: (agent) => agent.say(end) })
      yield* send(prompt("m1"), { type: "interrupt" })
      yield* agent.next
      yield* agent.next
      yield* TestClock.adjust("29 seconds")
      yield* TestClock.adjust("1 seconds")
      const error = yield* first("error")
      assert.include(error, { code: "agent_failed" })
      assert.deepStrictEqual(error.metadata, { fatal: true })
      assert.include(error.text, "did not stop within 30 s")
      const words = (yield* over).map(wordsOf)
      assert.deepStrictEqual(words.filter((word) => word.startsWith("turn_end")).length, 1)
      assert.strictEqual(words.at(-1), "session_end")
    }))
})

describe("when the agent is gone", () => {
  it.effect("in the middle of a turn, the error comes first, then the turn's end, then the session's", () =>
    Effect.gen(function*() {
      const { agent, over, send, until } = yield* open()
      yield* send(prompt("m1"), prompt("m2"))
      yield* until("input_ack", 2)
      yield* Effect.forkChild(agent.ask(askFor("p1")))
      yield* until("permission_request")
      yield* agent.exit({ exit_code: 3, stderr: ["Segmentation fault"] })
      const events = yield* over
      assert.deepStrictEqual(events.map(wordsOf).slice(-5), [
        "input_ack cancelled m2",
        "permission_cancelled",
        "error agent_failed",
        "turn_end error",
        "session_end"
      ])
      const [error, , last] = events.slice(-3)
      assert.deepInclude(error, { metadata: { fatal: true, stderr: ["Segmentation fault"] } })
      assert.include(error?.type === "error" && error.text, "exit code 3")
      assert.deepInclude(last, { exit_code: 3, metadata: { stderr: ["Segmentation fault"] } })
    }))

  it.effect("by a signal, between turns, the signal is told", () =>
    Effect.gen(function*() {
      const { agent, over } = yield* open()
      yield* agent.exit({ signal: "SIGKILL" })
      const events = yield* over
      assert.deepStrictEqual(events.map(wordsOf), ["session_start", "error agent_failed", "session_end"])
      assert.deepStrictEqual(events[2]?.metadata, { signal: "SIGKILL" })
    }))

  it.effect("and all was well, there is no error", () =>
    Effect.gen(function*() {
      const { agent, over } = yield* open()
      yield* agent.exit({ exit_code: 0, stderr: ["bye"] })
      const events = yield* over
      assert.deepStrictEqual(events.map(wordsOf), ["session_start", "session_end"])
      assert.deepInclude(events[1], { exit_code: 0, metadata: {} })
    }))

  it.effect("a terminal's exit code is not a failure", () =>
    Effect.gen(function*() {
      const { agent, over } = yield* open({ capabilities: { terminal: true } })
      yield* agent.exit({ exit_code: 130 })
      assert.deepStrictEqual((yield* over).map(wordsOf), ["session_start", "session_end"])
    }))

  it.effect("and a prompt cannot be handed over any more, the session ends", () =>
    Effect.gen(function*() {
      const { over, send } = yield* open({
        onCommand: ({ type }) =>
          type === "user_message" ? new AgentFailed({ tool: "fake", reason: "it is gone" }) : Effect.void,
        closing: (agent) => agent.say(end)
      })
      yield* send(prompt("m1"))
      const words = (yield* over).map(wordsOf)
      assert.deepStrictEqual(words.slice(0, 3), ["session_start", "turn_start m1", "error agent_failed m1"])
      assert.strictEqual(words.at(-1), "session_end")
    }))
})

describe("the end of a session", () => {
  it.effect("during a turn tells the agent to stop, and ends the turn before itself", () =>
    Effect.gen(function*() {
      const { agent, over, send, until } = yield* open({ onCommand: FakeAdapter.answering() })
      yield* agent.say({ type: "turn_start" })
      yield* send(prompt("m1"), prompt("m2"))
      yield* until("input_ack", 2)
      yield* Effect.forkChild(agent.ask(askFor("p1")))
      yield* until("permission_request")
      yield* send({ type: "end" })
      assert.deepStrictEqual((yield* over).map(wordsOf).slice(-5), [
        "input_ack cancelled m1",
        "input_ack cancelled m2",
        "turn_end cancelled",
        "permission_cancelled",
        "session_end"
      ])
      assert.deepStrictEqual(agent.sent.map(({ type }) => type), ["interrupt"])
    }))

  it.effect("does not wait long for an agent that will not stop", () =>
    Effect.gen(function*() {
      const { agent, over, send } = yield* open()
      yield* send(prompt("m1"))
      yield* agent.next
      yield* send({ type: "end" })
      assert.deepStrictEqual((yield* over).map(wordsOf).slice(-2), ["turn_end cancelled", "session_end"])
    }))

  it.effect("does not wait for an agent that does not even read", () =>
    Effect.gen(function*() {
      const { agent, over, send } = yield* open({
        onCommand: ({ type }) => type === "interrupt" ? Effect.never : Effect.void
      })
      yield* send(prompt("m1"))
      yield* agent.next
      yield* send({ type: "end" })
      assert.deepStrictEqual((yield* over).map(wordsOf).slice(-2), ["turn_end cancelled", "session_end"])
    }))

  it.effect("hears the last words of the agent, and nothing after session_end", () =>
    Effect.gen(function*() {
      const { agent, close } = yield* open({ closing: (agent) => agent.say({ type: "stderr", text: "bye" }) })
      const events = yield* close
      yield* agent.say({ type: "stderr", text: "too late" })
      assert.deepStrictEqual(events.map(wordsOf), ["session_start", "stderr", "session_end"])
    }))
})

describe("whatever clients and agent do", () => {
  type Step =
    | readonly ["client" | "agent" | "deaf" | "exit", Readonly<Record<string, unknown>>]
    | readonly ["time", number]

  const name = fc.constantFrom("a", "b", "c", "d", "e")
  const client = fc.oneof(
    fc.record({
      text: fc.constant("hi"),
      message_id: name,
      when: fc.constantFrom("queue", "steer", "interrupt")
    }),
    fc.record({ text: fc.constant("hi") }),
    fc.constant({ type: "interrupt" }),
    fc.record({ type: fc.constant("cancel_queued"), message_id: name }),
    fc.record({
      type: fc.constant("permission_response"),
      request_id: name,
      behavior: fc.constantFrom("allow", "deny")
    }),
    fc.record({ type: fc.constant("set_model"), model: name, message_id: name }),
    fc.constant({ type: "control_response", response: { subtype: "success", request_id: "a" } })
  )
  const agent = fc.oneof(
    fc.constant({ type: "turn_start" }),
    fc.constant(end),
    fc.record({ type: fc.constant("stdout"), text: fc.string() }),
    fc.record({ ask: name }),
    fc.record({ withdraw: name })
  )
  const script: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
    fc.oneof(
      { weight: 10, arbitrary: fc.tuple(fc.constant("client" as const), client) },
      { weight: 10, arbitrary: fc.tuple(fc.constant("agent" as const), agent) },
      { weight: 2, arbitrary: fc.tuple(fc.constant("time" as const), fc.constantFrom(10, 25, 40)) },
      fc.tuple(fc.constantFrom("deaf" as const, "exit" as const), fc.constant({}))
    ),
    { maxLength: 40 }
  )

  /** Play a script to its end; what the log holds then. */
  const play = (steps: ReadonlyArray<Step>) =>
    Effect.gen(function*() {
      // A deaf agent does not heed interrupts.
      let isDeaf = false
      const { agent, close, send } = yield* openWith({
        onCommand: ({ type }, agent) =>
          type === "interrupt" && !isDeaf
            ? agent.say({ type: "turn_end", stop_reason: "cancelled" })
            : Effect.void
      })
      for (const [who, what] of steps) {
        if (who === "client") yield* send(what)
        else if (who === "time") yield* TestClock.adjust(`${what} seconds`)
        else if (who === "deaf") isDeaf = !isDeaf
        else if (who === "exit") yield* agent.exit({ exit_code: 1 })
        else if ("ask" in what) yield* Effect.forkChild(agent.ask(askFor(String(what.ask))))
        else if ("withdraw" in what) yield* agent.withdraw(RequestId.make(String(what.withdraw)))
        else yield* agent.say(Schema.decodeUnknownSync(EventBody)(what))
        yield* Effect.yieldNow
      }
      isDeaf = false
      return yield* close
    }).pipe(Effect.scoped, Effect.provide(layerOf()), Effect.provide(TestClock.layer()))

  const keepsItsPromises = (events: ReadonlyArray<RelayEvent>) => {
    for (const event of events) Schema.decodeUnknownSync(RelayEvent)(event)
    assert.deepStrictEqual(events.map(({ seq }) => seq), events.map((_, index) => index + 1))
    assert.strictEqual(events[0]?.type, "session_start")
    assert.strictEqual(events.findIndex(({ type }) => type === "session_end"), events.length - 1)
    let turn: number | undefined
    let turns = 0
    const waiting = new Set<string>()
    const prompts = new Map<string, string>()
    for (const event of events) {
      if (event.type === "turn_start") {
        assert.isUndefined(turn)
        turn = ++turns
      }
      assert.strictEqual(event.turn, turn)
      if (event.type === "turn_end") {
        assert.isDefined(turn)
        turn = undefined
      }
      if (event.type === "permission_request") {
        assert.isFalse(waiting.has(event.request_id))
        waiting.add(event.request_id)
      }
      if (event.type === "permission_cancelled" || event.type === "control_response") {
        assert.isTrue(waiting.delete(event.request_id))
      }
      if (event.type === "input_ack" && event.text !== undefined && event.message_id !== undefined) {
        prompts.set(event.message_id, event.status)
      }
    }
    assert.isUndefined(turn)
    assert.isEmpty(waiting)
    // A prompt that was queued became something.
    assert.notInclude([...prompts.values()], "queued")
  }

  it(
    "every turn ends once, every permission is settled once, every prompt is answered, without a gap",
    () =>
      fc.assert(
        fc.asyncProperty(script, (steps) => Effect.runPromise(Effect.map(play(steps), keepsItsPromises))),
        { numRuns: 100, interruptAfterTimeLimit: 4000 }
      ),
    20_000
  )
})

describe("a session that is opened again", () => {
  const id = SessionId.make("session-1")
  const before = { ...SessionSummary.empty(id), last_seq: 5, turns: 2 }
  const reopen = (
    summary: Partial<SessionSummary.SessionSummary>,
    options: FakeAdapter.FakeOptions = {},
    handshake: object = {}
  ) =>
    Effect.gen(function*() {
      const fake = FakeAdapter.make(options)
      const session = yield* Session.open(id, fake.adapter, specOf(handshake), {
        store: makeMemory(1_000_000),
        summary: { ...before, ...summary }
      })
      const { log } = session
      const events = yield* read(Stream.takeUntil(log.tail(0), ({ seq }) => seq === log.lastSeq()))
      return { words: events.map(wordsOf), session }
    }).pipe(Effect.provide(layerOf()))

  it.effect("settles first what its relay left open when it was killed", () =>
    Effect.gen(function*() {
      const { words } = yield* reopen({ open_turn: 2, pending: ["q1"], queued: ["m2"] })
      assert.deepStrictEqual(words, [
        "permission_cancelled",
        "input_ack cancelled m2",
        "error turn_failed",
        "turn_end error",
        "session_start"
      ])
    }))

  const gone = "status conversation_gone"
  it.effect("says that the agent does not know what was said, if it cannot", () =>
    Effect.gen(function*() {
      const forgetful = { capabilities: { resume: false } }
      assert.deepStrictEqual((yield* reopen({}, forgetful)).words, ["session_start", gone])
      assert.deepStrictEqual((yield* reopen({ turns: 0 }, forgetful)).words, ["session_start"])
      assert.deepStrictEqual((yield* reopen({}, { capabilities: { resume: true } })).words, ["session_start"])
      const terminal = { capabilities: { resume: false, terminal: true } }
      assert.deepStrictEqual((yield* reopen({}, terminal)).words, ["session_start"])
      const named = yield* reopen({}, forgetful, { native_session_id: "n1" })
      assert.deepStrictEqual(named.words, ["session_start"])
    }))

  it.effect("keeps who opened it first, whoever opens it now", () =>
    Effect.gen(function*() {
      const metadataOf = (summary: object) =>
        Effect.map(reopen(summary, {}, { front: "chat" }), ({ session }) => session.describe().metadata)
      assert.deepInclude(yield* metadataOf({ last_seq: 0 }), { opened_by: { front: "chat" } })
      assert.notProperty(yield* metadataOf({}), "opened_by")
      assert.deepInclude(yield* metadataOf({ opened_by: { front: "acp" } }), { opened_by: { front: "acp" } })
    }))

  it.effect("begins anew where its agent does not have the conversation any more, and says so", () =>
    Effect.gen(function*() {
      const tried: Array<string | undefined> = []
      const { words } = yield* reopen({}, {
        opening: ({ native_session_id }) =>
          Effect.suspend(() => {
            tried.push(native_session_id)
            return native_session_id === undefined
              ? Effect.void
              : new ConversationGone({ tool: "fake", native_session_id })
          })
      }, { native_session_id: "n1" }).pipe(Effect.flip, Effect.as({ words: ["refused"] }))
      // Whoever names a conversation wants that one.
      assert.deepStrictEqual([words, tried], [["refused"], ["n1"]])
    }))
})

describe("a session whose agent refuses what it was opened with", () => {
  const refusing = (field: "model" | "permission_mode", tried: Array<object>): FakeAdapter.FakeOptions => ({
    opening: ({ [field]: asked, model, permission_mode }) =>
      Effect.suspend(() => {
        tried.push({ model, permission_mode })
        return asked === undefined
          ? Effect.void
          : new BadHandshake({ reason: `fake refuses this \`${field}\`: there is none` })
      })
  })
  const handshake = { model: "old", permission_mode: "auto" }
  const openKept = (options: FakeAdapter.FakeOptions, kept: object) =>
    Effect.gen(function*() {
      const fake = FakeAdapter.make(options)
      const session = yield* Session.open(SessionId.make("kept"), fake.adapter, {
        ...specOf(handshake),
        ...kept
      })
      const events = yield* read(
        Stream.takeUntil(session.log.tail(0), ({ seq }) => seq === session.log.lastSeq())
      )
      return events.map(wordsOf)
    }).pipe(Effect.scoped, Effect.provide(layerOf()))

  it.effect("goes on without a model that is gone, if that is only remembered, and says so", () =>
    Effect.gen(function*() {
      const tried: Array<object> = []
      const words = yield* openKept(refusing("model", tried), { keeps_model: true, keeps_mode: true })
      assert.deepStrictEqual(tried, [handshake, { model: undefined, permission_mode: "auto" }])
      assert.deepStrictEqual(words, ["session_start", "status model_gone"])
    }))

  it.effect("goes on without a mode that is gone", () =>
    Effect.gen(function*() {
      const tried: Array<object> = []
      const words = yield* openKept(refusing("permission_mode", tried), {
        keeps_model: true,
        keeps_mode: true
      })
      assert.deepStrictEqual(tried, [handshake, { model: "old", permission_mode: undefined }])
      assert.deepStrictEqual(words, ["session_start"])
    }))

  it.effect("is told so where a client wants it now", () =>
    Effect.gen(function*() {
      const refusal = yield* Effect.flip(openKept(refusing("model", []), { keeps_mode: true }))
      assert.include(refusal.message, "refuses this `model`")
    }))
})

describe("what the agent says to a command", () => {
  it.effect("is told with the code and the facts a program can decide by", () =>
    Effect.gen(function*() {
      const { first, send } = yield* open({
        onCommand: () =>
          new CommandRefused({ reason: "it is open elsewhere", code: "in_use", metadata: { pid: 7 } })
      })
      yield* send({ type: "set_model", model: "m", message_id: "m1" })
      assert.deepInclude(yield* first("error"), {
        code: "in_use",
        text: "it is open elsewhere",
        message_id: "m1",
        metadata: { pid: 7 }
      })
    }))

  it.effect("counts: a prompt it has said something to was taken, however long its answer takes", () =>
    Effect.gen(function*() {
      const slow: FakeAdapter.FakeOptions = {
        onCommand: ({ type }) => type === "user_message" ? Effect.never : Effect.void
      }
      const told = yield* open(slow)
      yield* told.send(prompt("m1"))
      yield* told.agent.next
      yield* told.agent.say({ type: "response", text: "Well" })
      yield* TestClock.adjust("10 minutes")
      assert.include(yield* told.until("input_ack"), "input_ack sent m1")
      const silent = yield* open(slow)
      yield* silent.send(prompt("m1"))
      yield* silent.agent.next
      yield* TestClock.adjust("10 minutes")
      assert.include((yield* silent.first("error")).text, "did not accept it within 2 minutes")
    }))
})

describe("the room for prompts that wait", () => {
  it.effect("is bounded in bytes, of all that wait together", () =>
    Effect.gen(function*() {
      const { first, send, until } = yield* open({}, { max_queued: 100, max_queued_bytes: 1000 })
      const long = "x".repeat(400)
      yield* send({ text: "one" })
      yield* until("turn_start")
      yield* send({ text: long, message_id: "m1" }, { text: long, message_id: "m2" })
      yield* send({ text: long, message_id: "m3" })
      assert.deepInclude(yield* first("error"), { code: "overloaded", message_id: "m3" })
    }))
})

describe("the command `end`", () => {
  it.effect("if_alone ends nothing while others are there", () =>
    Effect.gen(function*() {
      let clients = 2
      const fake = FakeAdapter.make()
      const session = yield* Session.open(id1, fake.adapter, specOf(), undefined, () => clients)
      const end = session.submit({ type: "end", if_alone: true })
      const over = yield* Effect.forkChild(session.over)
      yield* end
      yield* session.submit({ type: "interrupt" })
      yield* Stream.runHead(Stream.filter(session.log.tail(0), ({ type }) => type === "status"))
      assert.isUndefined(over.pollUnsafe())
      clients = 1
      yield* end
      yield* Fiber.join(over)
    }).pipe(Effect.provide(layerOf())))
})
