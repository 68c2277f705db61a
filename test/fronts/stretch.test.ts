import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schema, type Scope, Stream } from "effect"
import { WebSocket } from "ws"
import * as inProcess from "../../src/fronts/inProcess.js"
import * as overClient from "../../src/fronts/overClient.js"
import type { PortError, PortSession } from "../../src/fronts/SessionPort.js"
import { SessionPort } from "../../src/fronts/SessionPort.js"
import * as stretch from "../../src/fronts/stretch.js"
import { type ClientCommand, type EventBody, Handshake, RequestId } from "../../src/schema/index.js"
import { RelayServer } from "../../src/server/RelayServer.js"
import { AgentFindings } from "../../src/services/agents/AgentFindings.js"
import * as FakeAdapter from "../support/fakeAdapter.js"
import { layerOf } from "../support/relayServer.js"

const findings = Layer.succeed(AgentFindings, { all: Effect.succeed([]) })
const ports = {
  "in process": Effect.provide(SessionPort, Layer.provide(inProcess.layer, findings)),
  "over the client": Effect.flatMap(RelayServer, ({ address }) =>
    Effect.provide(
      SessionPort,
      overClient.layer({ url: `ws://127.0.0.1:${address.port}`, WebSocket, retries: 2 })
    ))
}

const named = (text: string, message_id = text, when?: "queue" | "steer" | "interrupt") =>
  ({
    type: "user_message",
    content: [{ type: "text", text }],
    message_id,
    ...(when !== undefined && { when })
  }) as const
const end: EventBody = { type: "turn_end", stop_reason: "end_turn" }
const message = (text: string): EventBody => ({ type: "assistant_message", content: [], text })

/** What a client sees of it, and how it ended. */
const seen = (
  { ending, items }: stretch.Stretch
): Effect.Effect<
  { said: ReadonlyArray<string>; end: string; ending: stretch.Ending | undefined },
  PortError
> =>
  Effect.map(Stream.runCollect(items), (arrays) => ({
    said: [...arrays].flat().flatMap(({ known, op }) =>
      known
        ? []
        : op.type === "delta"
        ? [op.text]
        : op.type === "turn_start"
        ? [`<${op.text ?? ""}`]
        : op.type === "ask"
        ? [`?${op.request_id}`]
        : []
    ),
    end: ending()?.type ?? "none",
    ending: ending()
  }))

interface Stage {
  /** Each front that comes joins for itself. */
  readonly join: Effect.Effect<PortSession, PortError, Scope.Scope>
  readonly port: SessionPort["Service"]
  readonly session: PortSession
  readonly fake: FakeAdapter.FakeAdapter
  readonly say: (...events: ReadonlyArray<EventBody>) => Effect.Effect<void>
  /** The agent has the next command. */
  readonly taken: Effect.Effect<unknown>
  /** A question is open; the fiber ends when it is settled. */
  readonly ask: (request_id: string) => Effect.Effect<unknown, PortError>
  readonly answer: (request_id: string) => Effect.Effect<void, PortError>
}

for (const [name, open] of Object.entries(ports)) {
  const test = (title: string, body: (stage: Stage) => Effect.Effect<unknown, PortError, never>) =>
    it.live(title, () =>
      Effect.gen(function*() {
        const fake = FakeAdapter.make({ onCommand: () => Effect.void })
        yield* Effect.provide(
          Effect.gen(function*() {
            const port = yield* open
            const join = port.join(Schema.decodeUnknownSync(Handshake)({ tool: "fake", session_id: "s" }))
            const session = yield* join
            const isPending = (request_id: string) => (now: { readonly pending: ReadonlyArray<string> }) =>
              now.pending.includes(request_id)
            yield* body({
              join,
              port,
              session,
              fake,
              say: (...events) => fake.agent().say(...events),
              taken: Effect.suspend(() => fake.agent().next),
              ask: (request_id) =>
                Effect.andThen(
                  Effect.forkDetach(Effect.suspend(() => fake.agent().ask(FakeAdapter.askFor(request_id)))),
                  Effect.repeat(session.now, { until: isPending(request_id) })
                ),
              answer: (request_id) =>
                session.submit({
                  type: "permission_response",
                  request_id: RequestId.make(request_id),
                  behavior: "allow"
                } as ClientCommand)
            })
          }),
          layerOf(fake, { max_queued: 1 })
        )
      }).pipe(Effect.scoped))

  describe(`stretch, ${name}`, () => {
    test("tells a prompt's turn from its start to its end", ({ join, port, say, taken }) =>
      Effect.gen(function*() {
        const following = yield* stretch.prompt(port, yield* join, named("hello"))
        const reading = yield* Effect.forkChild(seen(following))
        yield* taken
        yield* say({ type: "stream_event", delta: "text", text: "Good " }, message("Good day"), end)
        const { end: how, said } = yield* Fiber.join(reading)
        assert.deepStrictEqual([said.join(""), how], ["<helloGood day", "turn_end"])
      }).pipe(Effect.scoped))

    test("ends where a person is asked; the next one goes on behind it, with the same ids", (stage) =>
      Effect.gen(function*() {
        const { answer, ask, join, port, say, taken } = stage
        const following = yield* stretch.prompt(port, yield* join, named("hello"))
        yield* taken
        yield* say(message("one"))
        yield* ask("q1")
        const first = yield* seen(following)
        assert.deepStrictEqual(first.said, ["<hello", "one", "?q1"])
        assert.deepInclude(first.ending, { type: "asked" })
        yield* answer("q1")
        const going = yield* Effect.forkChild(
          seen(stretch.resume(port, yield* join, { after_seq: first.ending?.seq ?? 0, answered: ["q1"] }))
        )
        yield* say(message("two"), end)
        const second = yield* Fiber.join(going)
        assert.deepStrictEqual([second.said, second.end], [["two"], "turn_end"])
      }).pipe(Effect.scoped))

    test("asks for all that waits at once, and for nothing that was answered meanwhile", (stage) =>
      Effect.gen(function*() {
        const { answer, ask, join, port, session, taken } = stage
        const following = yield* stretch.prompt(port, yield* join, named("hello"))
        yield* taken
        yield* ask("q1")
        yield* ask("q2")
        yield* ask("q3")
        yield* answer("q1")
        yield* Effect.repeat(session.now, { until: ({ pending }) => !pending.includes("q1") })
        const { ending } = yield* seen(following)
        assert.deepStrictEqual(
          ending?.type === "asked" ? ending.asks.map(({ request_id }) => request_id) : [],
          ["q2", "q3"]
        )
        yield* Effect.all([answer("q2"), answer("q3"), stage.say(end)])
      }).pipe(Effect.scoped))

    test("does not end at a question where its client can be asked in the middle", (stage) =>
      Effect.gen(function*() {
        const { answer, ask, join, port, say, taken } = stage
        const following = yield* stretch.prompt(port, yield* join, named("hello"), { endAtAsk: false })
        const reading = yield* Effect.forkChild(seen(following))
        yield* taken
        yield* ask("q1")
        yield* answer("q1")
        yield* say(message("one"), end)
        const { end: how, said } = yield* Fiber.join(reading)
        assert.deepStrictEqual([said, how], [["<hello", "?q1", "one"], "turn_end"])
      }).pipe(Effect.scoped))

    test("begins with the prompt's own turn, where another's runs", (stage) =>
      Effect.gen(function*() {
        const { join, port, say, session, taken } = stage
        yield* session.submit(named("theirs"))
        yield* taken
        yield* say(message("for them"))
        const following = yield* stretch.prompt(port, yield* join, named("ours"))
        const reading = yield* Effect.forkChild(seen(following))
        yield* say(end)
        yield* taken
        yield* say(message("for us"), end)
        const { end: how, said } = yield* Fiber.join(reading)
        assert.deepStrictEqual([said, how], [["<ours", "for us"], "turn_end"])
      }).pipe(Effect.scoped))

    test("tells another's turn that waits for a person and keeps the prompt waiting, then the prompt's", (stage) =>
      Effect.gen(function*() {
        const { answer, ask, join, port, say, session, taken } = stage
        yield* session.submit(named("theirs"))
        yield* taken
        const following = yield* stretch.prompt(port, yield* join, named("ours"))
        yield* ask("q1")
        const first = yield* seen(following)
        assert.deepStrictEqual([first.said, first.end], [["<theirs", "?q1"], "asked"])
        yield* answer("q1")
        const going = yield* Effect.forkChild(seen(
          stretch.resume(port, yield* join, {
            after_seq: first.ending?.seq ?? 0,
            answered: ["q1"],
            message_id: "ours"
          })
        ))
        yield* say(end)
        yield* taken
        yield* say(message("for us"), end)
        const { said } = yield* Fiber.join(going)
        assert.deepStrictEqual(said, ["<ours", "for us"])
      }).pipe(Effect.scoped))

    test("tells the turn of a prompt that the session had before, and gives it once", (stage) =>
      Effect.gen(function*() {
        const { fake, join, port, say, session, taken } = stage
        yield* session.submit(named("hello"))
        yield* taken
        yield* say(message("one"))
        const again = yield* stretch.prompt(port, yield* join, named("hello"))
        const reading = yield* Effect.forkChild(seen(again))
        yield* say(message("two"), end)
        assert.deepStrictEqual((yield* Fiber.join(reading)).said, ["<hello", "one", "two"])
        const late = yield* seen(yield* stretch.prompt(port, yield* join, named("hello")))
        assert.deepStrictEqual([late.said, late.end], [["<hello", "one", "two"], "turn_end"])
        assert.lengthOf(fake.agent().sent, 1)
      }).pipe(Effect.scoped))

    test("follows a prompt that was handed to the running turn, with the ids of that turn", (stage) =>
      Effect.gen(function*() {
        const { join, port, say, session, taken } = stage
        yield* session.submit(named("theirs"))
        yield* taken
        yield* say(message("before"))
        const following = yield* stretch.prompt(port, yield* join, named("more", "more", "steer"))
        const reading = yield* Effect.forkChild(Stream.runCollect(following.items))
        yield* say(message("after"), end)
        const items = [...yield* Fiber.join(reading)].flat()
        const deltas = items.flatMap(({ known, op }) => op.type === "delta" ? [[op.id, op.text, known]] : [])
        assert.deepStrictEqual(deltas, [["1.1", "before", true], ["1.2", "after", false]])
      }).pipe(Effect.scoped))

    test("fails before it begins when the prompt is refused, and says so when it is taken back", (stage) =>
      Effect.gen(function*() {
        const { join, port, session, taken } = stage
        yield* session.submit(named("theirs"))
        yield* taken
        const waiting = yield* stretch.prompt(port, yield* join, named("ours"))
        const refused = yield* Effect.match(stretch.prompt(port, yield* join, named("one more")), {
          onSuccess: () => "taken",
          onFailure: ({ code }) => code
        })
        assert.strictEqual(refused, "overloaded")
        yield* session.submit({ type: "cancel_queued", message_id: "ours" })
        assert.strictEqual((yield* seen(waiting)).end, "refused")
        yield* stage.say(end)
      }).pipe(Effect.scoped))

    test("is over at once where nothing goes on and nothing is to come", (stage) =>
      Effect.gen(function*() {
        const { join, port, say, taken } = stage
        const first = yield* stretch.prompt(port, yield* join, named("hello"))
        yield* taken
        yield* say(end)
        const { ending } = yield* seen(first)
        const next = yield* seen(stretch.resume(port, yield* join, { after_seq: ending?.seq ?? 0 }))
        assert.deepStrictEqual([next.said, next.end], [[], "idle"])
      }).pipe(Effect.scoped))
  })
}
