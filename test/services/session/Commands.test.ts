import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Result, Stream } from "effect"
import { decodeFrame, SessionId } from "../../../src/schema/index.js"
import { IdGenerator } from "../../../src/services/IdGenerator.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import * as Session from "../../../src/services/session/Session.js"
import * as FakeAdapter from "../../support/fakeAdapter.js"

/** Give a session on a terminal these commands, one after the other, and end it. */
const onTerminal = (...commands: ReadonlyArray<object>) =>
  Effect.gen(function*() {
    const fake = FakeAdapter.make({ capabilities: { terminal: true, images: false } })
    const session = yield* Effect.scoped(Effect.gen(function*() {
      const session = yield* Session.open(SessionId.make("session-1"), fake.adapter, FakeAdapter.specOf())
      for (const command of [...commands, { type: "end" }]) {
        yield* session.submit(Result.getOrThrow(decodeFrame(JSON.stringify(command))))
      }
      yield* session.over
      return session
    }))
    const events = yield* Stream.runCollect(session.log.tail(0))
    return { events, types: events.map(({ type }) => type), sent: fake.agent().sent.map(({ type }) => type) }
  }).pipe(Effect.provide(Layer.merge(IdGenerator.layerTest, RelayConfig.layer())))

describe("a session on a terminal", () => {
  it.effect("hands every prompt over at once, as no turn, whatever it says about others", () =>
    Effect.gen(function*() {
      const { events, sent, types } = yield* onTerminal(
        { text: "one" },
        { text: "two", message_id: "m2" },
        { text: "two", message_id: "m2" },
        { text: "three", when: "interrupt" }
      )
      assert.deepStrictEqual(sent, ["user_message", "user_message", "user_message"])
      assert.deepStrictEqual(types, [
        "session_start",
        "input_ack",
        "input_ack",
        "input_ack",
        "input_ack",
        "session_end"
      ])
      const acks = events.flatMap((event) => event.type === "input_ack" ? [event.status] : [])
      assert.deepStrictEqual(acks, ["sent", "sent", "duplicate", "sent"])
    }))

  it.effect("hands over interrupts, keys and sizes at any time", () =>
    Effect.gen(function*() {
      const { sent, types } = yield* onTerminal(
        { type: "interrupt" },
        { type: "stdin", data: "q" },
        { type: "resize", cols: 80, rows: 24, message_id: "m1" }
      )
      assert.deepStrictEqual(sent, ["interrupt", "stdin", "resize"])
      assert.deepStrictEqual(types, ["session_start", "input_ack", "session_end"])
    }))

  it.effect("an interrupt stops the prompt that is being typed, which may be sent again", () =>
    Effect.gen(function*() {
      let isSlow = true
      const fake = FakeAdapter.make({
        capabilities: { terminal: true },
        onCommand: ({ type }) => type === "user_message" && isSlow ? Effect.never : Effect.void
      })
      const session = yield* Session.open(SessionId.make("session-1"), fake.adapter, FakeAdapter.specOf())
      const submit = (command: object) =>
        session.submit(Result.getOrThrow(decodeFrame(JSON.stringify(command))))
      const acks = (count: number) =>
        Effect.map(
          session.log.tail(0).pipe(
            Stream.filter((event) => event.type === "input_ack"),
            Stream.take(count),
            Stream.runCollect
          ),
          (events) => events.map(({ message_id, status }) => `${message_id} ${status}`)
        )
      yield* submit({ text: "one", message_id: "m1" })
      yield* fake.agent().next
      yield* submit({ type: "interrupt" })
      assert.deepStrictEqual(yield* acks(1), ["m1 cancelled"])
      isSlow = false
      yield* submit({ text: "one", message_id: "m1" })
      assert.deepStrictEqual(yield* acks(2), ["m1 cancelled", "m1 sent"])
      assert.deepStrictEqual(fake.agent().sent.map(({ type }) => type), [
        "user_message",
        "interrupt",
        "user_message"
      ])
    }).pipe(Effect.provide(Layer.merge(IdGenerator.layerTest, RelayConfig.layer()))))

  it.effect("doesn't accept images", () =>
    Effect.gen(function*() {
      const source = { type: "base64", media_type: "image/png", data: "AAAA" }
      const { events, sent } = yield* onTerminal({
        type: "user_message",
        content: [{ type: "image", source }]
      })
      assert.deepStrictEqual(sent, [])
      assert.isTrue(events.some((event) => event.type === "error" && event.code === "bad_command"))
    }))
})

describe("commands an agent does not take", () => {
  it.effect("wait, 64 at most; the next is refused until there is room, and answers pass them all", () =>
    Effect.gen(function*() {
      const takes = yield* Deferred.make<void>()
      const fake = FakeAdapter.make({
        onCommand: ({ type }) => type === "set_model" ? Deferred.await(takes) : Effect.void
      })
      const session = yield* Session.open(SessionId.make("session-1"), fake.adapter, FakeAdapter.specOf())
      const submit = (command: object) =>
        session.submit(Result.getOrThrow(decodeFrame(JSON.stringify(command))))
      const told = (count: number) =>
        session.log.tail(0).pipe(
          Stream.filter((event) => event.type === "input_ack" || event.type === "error"),
          Stream.map((event) =>
            event.type === "error" ? `${event.message_id} ${event.code}` : event.message_id
          ),
          Stream.take(count),
          Stream.runCollect
        )
      const setModel = (number: number) => submit({ type: "set_model", model: "m", message_id: `m${number}` })
      const numbers = Array.from({ length: 64 }, (_, index) => index + 1)
      for (const number of numbers) yield* setModel(number)
      yield* setModel(65)
      assert.deepStrictEqual(yield* told(1), ["m65 overloaded"])
      const refused = yield* session.log.tail(0).pipe(
        Stream.filter((event) => event.type === "error"),
        Stream.take(1),
        Stream.runCollect
      )
      assert.include(refused[0]?.text, "too many commands are waiting for the agent")
      yield* submit({ type: "ping", message_id: "ping" })
      assert.deepStrictEqual(yield* told(2), ["m65 overloaded", "ping"])
      yield* Deferred.succeed(takes, undefined)
      yield* told(66)
      yield* setModel(65)
      assert.deepStrictEqual(yield* told(67), [
        "m65 overloaded",
        "ping",
        ...numbers.map((number) => `m${number}`),
        "m65"
      ])
      assert.lengthOf(fake.agent().sent, 65)
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(IdGenerator.layerTest, RelayConfig.layer()))))
})
