import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Schema, Stream } from "effect"
import { WebSocket } from "ws"
import * as inProcess from "../../src/fronts/inProcess.js"
import * as overClient from "../../src/fronts/overClient.js"
import { eventsAfter, SessionPort } from "../../src/fronts/SessionPort.js"
import { Handshake, type RelayEvent, RequestId, SessionId } from "../../src/schema/index.js"
import { RelayServer } from "../../src/server/RelayServer.js"
import { AgentFindings } from "../../src/services/agents/AgentFindings.js"
import { Sender } from "../../src/services/session/Sender.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { layerOf } from "../support/relayServer.js"

const found = [{ tool: "fake", name: "Fake", installed: true }]
const findings = Layer.succeed(AgentFindings, { all: Effect.succeed(found) })

interface Stage {
  readonly port: SessionPort["Service"]
  readonly fake: FakeAdapter.FakeAdapter
}

/** One relay, and the port over it. */
const ports = {
  "in process": Effect.provide(SessionPort, Layer.provide(inProcess.layer, findings)),
  "over the client": Effect.flatMap(RelayServer, ({ address }) =>
    Effect.provide(
      SessionPort,
      overClient.layer({ url: `ws://127.0.0.1:${address.port}`, WebSocket, retries: 2 })
    ))
}

const handshake = (fields: object = {}) =>
  Schema.decodeUnknownSync(Handshake)({ tool: "fake", session_id: "s", ...fields })
const prompt = (text: string) =>
  ({ type: "user_message", content: [{ type: "text", text }], message_id: text }) as const
const isEnd = ({ type }: RelayEvent) => type === "turn_end"
const untilEnd = <E>(events: Stream.Stream<RelayEvent, E>) =>
  Effect.map(Stream.runCollect(Stream.takeUntil(events, isEnd)), (taken) => Array.from(taken))
const typesOf = (events: ReadonlyArray<RelayEvent>) => events.map(({ seq, type }) => `${seq} ${type}`)

for (const [name, open] of Object.entries(ports)) {
  const test = <E>(title: string, body: (stage: Stage) => Effect.Effect<unknown, E, never>) =>
    it.live(title, () =>
      Effect.gen(function*() {
        const fake = FakeAdapter.make({ onCommand: FakeAdapter.answering() })
        yield* Effect.provide(
          Effect.gen(function*() {
            const port = yield* open
            yield* body({ port, fake })
          }),
          layerOf(fake, {})
        )
      }))

  describe(`SessionPort, ${name}`, () => {
    test("opens a session, gives it commands and tells what happens", ({ port }) =>
      Effect.gen(function*() {
        const session = yield* port.join(handshake())
        assert.deepInclude(session, { session_id: "s", attached: false, last_seq: 0 })
        assert.strictEqual(session.start.metadata?.["tool"], "fake")
        yield* session.submit(prompt("hello"))
        const events = yield* untilEnd(session.events)
        assert.deepStrictEqual(typesOf(events).slice(0, 2), ["1 session_start", "2 turn_start"])
      }).pipe(Effect.scoped))

    test("attaches to a live one: what was, and what comes, without a gap or anything twice", ({ port }) =>
      Effect.gen(function*() {
        const first = yield* port.join(handshake())
        yield* first.submit(prompt("one"))
        const before = Array.from(
          yield* Stream.runCollect(Stream.takeUntil(first.events, ({ type }) => type === "input_ack"))
        )
        const session = yield* port.join(handshake())
        const last_seq = before.at(-1)?.seq ?? 0
        assert.deepInclude(session, { attached: true, last_seq })
        yield* session.submit(prompt("two"))
        const events = yield* Stream.runCollect(
          eventsAfter(session, 1).pipe(Stream.takeUntil((event) => isEnd(event) && event.turn === 2))
        )
        const seqs = Array.from(events, ({ seq }) => seq)
        assert.deepStrictEqual(seqs, seqs.map((_, index) => index + 2))
        assert.isAbove(seqs.at(-1) ?? 0, last_seq)
      }).pipe(Effect.scoped))

    test("leaves with its scope, and the session goes on", ({ port }) =>
      Effect.gen(function*() {
        yield* Effect.scoped(port.join(handshake({ linger: 60 })))
        const clients = Effect.map(port.list, (sessions) => sessions.map(({ clients }) => clients))
        const left = Effect.repeat(clients, { until: (counts) => counts[0] === 0, times: 200 })
        assert.deepStrictEqual(yield* left, [0])
        assert.strictEqual((yield* port.join(handshake())).attached, true)
      }).pipe(Effect.scoped))

    test("reads a session without joining it", ({ port }) =>
      Effect.gen(function*() {
        const session = yield* port.join(handshake())
        yield* session.submit(prompt("one"))
        const joined = yield* untilEnd(session.events)
        const events = yield* port.read(SessionId.make("s"), 0)
        assert.deepStrictEqual(typesOf(yield* untilEnd(events ?? Stream.empty)), typesOf(joined))
        assert.isUndefined(yield* port.read(SessionId.make("none"), 0))
      }).pipe(Effect.scoped))

    test("lists sessions and agents", ({ port }) =>
      Effect.gen(function*() {
        yield* port.join(handshake())
        const [session] = yield* port.list
        assert.deepInclude(session, { session_id: "s", tool: "fake", state: "idle" })
        if (name === "in process") assert.deepStrictEqual([...yield* port.agents], found)
      }).pipe(Effect.scoped))

    test("says why a session cannot be had", ({ port }) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Effect.scoped(port.join(handshake({ tool: "none" }))))
        assert.strictEqual(error.code, "unknown_tool")
        assert.include(error.message, "none")
      }))

    test("ends when the session does", ({ fake, port }) =>
      Effect.gen(function*() {
        const session = yield* port.join(handshake())
        const done = yield* Deferred.make<ReadonlyArray<string>>()
        yield* Stream.runCollect(session.events).pipe(
          Effect.flatMap((events) => Deferred.succeed(done, Array.from(events, ({ type }) => type))),
          Effect.forkScoped
        )
        yield* fake.agent().exit({ exit_code: 0 })
        assert.strictEqual((yield* Deferred.await(done)).at(-1), "session_end")
      }).pipe(Effect.scoped))
  })
}

describe("SessionPort, over the client", () => {
  it.live("says at once that no relay is there", () =>
    Effect.gen(function*() {
      const port = yield* SessionPort
      const error = yield* Effect.flip(Effect.scoped(port.join(handshake())))
      assert.strictEqual(error.code, "unreachable")
      assert.strictEqual((yield* Effect.flip(port.list)).code, "unreachable")
    }).pipe(Effect.provide(overClient.layer({ url: "ws://127.0.0.1:24499", WebSocket }))))
})

describe("SessionPort, in process", () => {
  it.live("gives commands in the name of whoever joined", () =>
    Effect.gen(function*() {
      const fake = FakeAdapter.make({ onCommand: FakeAdapter.answering() })
      yield* Effect.gen(function*() {
        const port = yield* Effect.provide(SessionPort, Layer.provide(inProcess.layer, findings))
        const session = yield* port.join(handshake()).pipe(Effect.provideService(Sender, { address: "here" }))
        const asked = Effect.forkScoped(fake.agent().ask(FakeAdapter.askFor("q")))
        yield* asked
        const events = session.events.pipe(
          Stream.tap(({ type }) =>
            type !== "permission_request" ? Effect.void : session.submit({
              type: "permission_response",
              request_id: RequestId.make("q"),
              behavior: "allow"
            })
          ),
          Stream.takeUntil(({ type }) => type === "control_response")
        )
        const last = Array.from(yield* Stream.runCollect(events)).at(-1)
        assert.deepStrictEqual(last?.metadata?.["by"], { address: "here" })
      }).pipe(Effect.provide(layerOf(fake, {})))
    }))
})
