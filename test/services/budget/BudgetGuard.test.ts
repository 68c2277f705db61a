import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  type BodyOf,
  type EventType,
  type RelayEvent,
  type RequestId,
  SessionId
} from "../../../src/schema/index.js"
import { BudgetBook } from "../../../src/services/budget/BudgetBook.js"
import type { Rule } from "../../../src/services/budget/Budgets.js"
import { IdGenerator } from "../../../src/services/IdGenerator.js"
import { RelayConfig, type Settings } from "../../../src/services/RelayConfig.js"
import { agentName, Sender } from "../../../src/services/session/Sender.js"
import * as Session from "../../../src/services/session/Session.js"
import * as FakeAdapter from "../../support/fakeAdapter.js"
import { specOf } from "../../support/fakeAdapter.js"

const rules = (...budgets: ReadonlyArray<Rule>): Partial<Settings> => ({ budgets })
const layerOf = (settings: Partial<Settings>) =>
  BudgetBook.layer.pipe(
    Layer.provideMerge(Layer.merge(IdGenerator.layerTest, RelayConfig.layer(settings)))
  )

const stops = (agent: FakeAdapter.FakeAgent): Effect.Effect<void> =>
  agent.say({ type: "turn_end", stop_reason: "cancelled" })
const open = Effect.fnUntraced(function*(name = "s", handshake: object = {}, onInterrupt = stops) {
  const fake = FakeAdapter.make({
    onCommand: (command, agent) => command.type === "interrupt" ? onInterrupt(agent) : Effect.void
  })
  const session = yield* Session.open(SessionId.make(name), fake.adapter, specOf(handshake))
  const until = <Type extends EventType>(type: Type, nth = 1) =>
    session.log.tail(0).pipe(
      Stream.filter((event): event is RelayEvent & BodyOf<Type> => event.type === type),
      Stream.drop(nth - 1),
      Stream.runHead,
      Effect.flatMap(Effect.fromOption)
    )
  const all = Stream.runCollect(
    Stream.takeUntil(session.log.tail(0), ({ seq }) => seq === session.log.lastSeq())
  )
  const prompt = (text: string, message_id = text) =>
    session.submit({
      type: "user_message",
      content: [{ type: "text", text }],
      message_id: message_id as never
    })
  const uses = (cost_usd: number) =>
    fake.agent().say({ type: "status", status: "usage", metadata: { usage: { cost_usd } } })
  const ends = (cost_usd: number) =>
    fake.agent().say({ type: "turn_end", stop_reason: "end_turn", usage: { cost_usd } })
  const answer = (
    request_id: RequestId,
    behavior: "allow" | "deny",
    updatedInput?: Record<string, unknown>
  ) =>
    session.submit({
      type: "permission_response",
      request_id,
      behavior,
      ...(updatedInput !== undefined && { updatedInput })
    })
  return { session, fake, until, all, prompt, uses, ends, answer }
})

const dollar: Rule = { scope: "session", unit: "cost_usd", cap: 1 }

describe("a budget", () => {
  it.effect("of a token is also that of the sessions its agent opens, and of those they open", () =>
    Effect.gen(function*() {
      const by = (token: string) => Effect.provideService(Sender, { token })
      const parent = yield* open("parent")
      yield* by("anna")(parent.prompt("one"))
      yield* parent.until("input_ack")
      yield* parent.uses(0.5)
      const child = yield* open("child")
      yield* by(agentName("parent"))(child.prompt("two"))
      yield* child.until("input_ack")
      const grandchild = yield* open("grandchild")
      yield* by(agentName("child"))(grandchild.prompt("three"))
      yield* grandchild.until("input_ack")
      yield* grandchild.ends(0.6)
      for (const { until } of [parent, child]) {
        const { metadata } = yield* until("permission_request")
        assert.deepInclude(metadata?.["budget"], { scope: "token", spent: 1.1 })
      }
    }).pipe(Effect.provide(layerOf(rules({ scope: "token", unit: "cost_usd", cap: 1 })))))

  it.effect("warns when it is nearly used up, once", () =>
    Effect.gen(function*() {
      const { all, ends, prompt, until } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* ends(0.85)
      const { metadata } = yield* until("quota_warning")
      assert.deepInclude(metadata?.["budget"], { scope: "session", unit: "cost_usd", cap: 1, spent: 0.85 })
      yield* prompt("two")
      yield* until("input_ack", 2)
      yield* ends(0.05)
      yield* until("turn_end", 2)
      assert.lengthOf((yield* all).filter(({ type }) => type === "quota_warning"), 1)
    }).pipe(Effect.provide(layerOf(rules(dollar)))))

  it.effect("holds the next turn and asks; it goes on by as much as a person says", () =>
    Effect.gen(function*() {
      const { answer, ends, fake, prompt, session, until } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* ends(1.25)
      yield* until("turn_end")
      yield* prompt("two")
      const { metadata, request_id } = yield* until("permission_request")
      assert.strictEqual(metadata.kind, "budget")
      assert.lengthOf(fake.agent().sent, 1)
      yield* answer(request_id, "allow", { raise_by: 0.5 })
      yield* until("input_ack", 2)
      assert.lengthOf(fake.agent().sent, 2)
      const budgets = session.describe().metadata?.["budget"] as ReadonlyArray<{ cap: number }> | undefined
      assert.strictEqual(budgets?.[0]?.cap, 1.75)
    }).pipe(Effect.provide(layerOf(rules(dollar)))))

  it.effect("that is not raised keeps the prompt and those behind it from the agent", () =>
    Effect.gen(function*() {
      const { all, answer, ends, fake, prompt, until } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* prompt("two")
      yield* prompt("three")
      yield* until("input_ack", 3)
      yield* ends(2)
      const { request_id } = yield* until("permission_request")
      yield* answer(request_id, "deny")
      const end = yield* until("turn_end", 2)
      assert.strictEqual(end.stop_reason, "cancelled")
      yield* until("input_ack", 5)
      assert.lengthOf(fake.agent().sent, 1)
      const cancelled = (yield* all).flatMap((event) =>
        event.type === "input_ack" && event.status === "cancelled" ? [event.message_id] : []
      )
      assert.deepStrictEqual(cancelled, ["two", "three"])
      assert.isTrue((yield* all).some((event) => event.type === "error" && event.code === "budget_exceeded"))
    }).pipe(Effect.provide(layerOf(rules(dollar)))))

  it.effect("on turns does not count those that it kept from the agent", () =>
    Effect.gen(function*() {
      const { answer, ends, prompt, session, until } = yield* open()
      const spent = () =>
        (session.describe().metadata?.["budget"] as ReadonlyArray<{ spent: number }> | undefined)?.[0]?.spent
      yield* prompt("one")
      yield* until("input_ack")
      yield* ends(0)
      yield* until("turn_end")
      yield* prompt("two")
      yield* answer((yield* until("permission_request")).request_id, "deny")
      yield* until("turn_end", 2)
      assert.strictEqual(spent(), 1)
      yield* prompt("three")
      yield* until("permission_request", 2)
      yield* session.submit({ type: "interrupt" })
      yield* until("turn_end", 3)
      assert.strictEqual(spent(), 1)
      yield* prompt("four")
      yield* answer((yield* until("permission_request", 3)).request_id, "allow", { raise_by: 5 })
      yield* until("input_ack", 4)
      yield* ends(0)
      yield* until("turn_end", 4)
      assert.strictEqual(spent(), 2)
      yield* session.submit({ type: "set_budget", budget: {} })
      assert.include((yield* until("status", 2)).text, "The budget is as it was")
    }).pipe(Effect.provide(layerOf(rules({ scope: "session", unit: "turns", cap: 1 })))))

  it.effect("asks once, whatever the agent still says of what it used until it has stopped", () =>
    Effect.gen(function*() {
      const { all, answer, fake, prompt, until, uses } = yield* open("s", {}, () => Effect.void)
      yield* prompt("one")
      yield* until("input_ack")
      yield* uses(1.1)
      const { request_id } = yield* until("permission_request")
      yield* answer(request_id, "deny")
      const agent = fake.agent()
      while ((yield* agent.next).type !== "interrupt");
      yield* uses(1.2)
      for (let step = 0; step < 50; step += 1) yield* Effect.yieldNow
      yield* agent.say({ type: "turn_end", stop_reason: "cancelled" })
      const end = yield* until("turn_end")
      assert.strictEqual(end.usage?.cost_usd, 1.2)
      assert.lengthOf((yield* all).filter(({ type }) => type === "permission_request"), 1)
      assert.lengthOf((yield* all).filter(({ type }) => type === "error"), 1)
    }).pipe(Effect.provide(layerOf(rules(dollar)))))

  it.effect("acts in the middle of a turn", () =>
    Effect.gen(function*() {
      const { answer, fake, prompt, until, uses } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* uses(0.4)
      yield* uses(1.1)
      const { request_id } = yield* until("permission_request")
      yield* answer(request_id, "deny")
      const end = yield* until("turn_end")
      assert.strictEqual(end.stop_reason, "cancelled")
      // The agent said nothing of its own: what it had used is not lost.
      assert.strictEqual(end.usage?.cost_usd, 1.1)
      assert.deepStrictEqual(fake.agent().sent.map(({ type }) => type), ["user_message", "interrupt"])
    }).pipe(Effect.provide(layerOf(rules(dollar)))))

  it.effect("stops without a question where the operator says so", () =>
    Effect.gen(function*() {
      const { prompt, until, uses } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* uses(1)
      const { code } = yield* until("error")
      assert.strictEqual(code, "budget_exceeded")
      assert.strictEqual((yield* until("turn_end")).stop_reason, "cancelled")
    }).pipe(Effect.provide(layerOf({ ...rules(dollar), budget_at_cap: "stop" }))))

  it.effect("ends the session where the operator says so", () =>
    Effect.gen(function*() {
      const { prompt, session, until, uses } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* uses(1)
      yield* session.over
    }).pipe(Effect.provide(layerOf({ ...rules(dollar), budget_at_cap: "end" }))))

  it.effect("that sessions share stops all of them, and one answer lets all go on", () =>
    Effect.gen(function*() {
      const first = yield* open("a")
      const second = yield* open("b")
      for (const { prompt, until } of [first, second]) {
        yield* prompt("go")
        yield* until("input_ack")
      }
      yield* first.uses(0.6)
      yield* second.uses(0.6)
      const { request_id } = yield* first.until("permission_request")
      yield* second.until("permission_request")
      yield* first.answer(request_id, "allow")
      yield* second.until("permission_cancelled")
      yield* first.ends(0.7)
      yield* second.ends(0.7)
      assert.strictEqual((yield* second.until("turn_end")).stop_reason, "end_turn")
    }).pipe(Effect.provide(layerOf(rules({ scope: "day", unit: "cost_usd", cap: 1 })))))

  it.effect("of minutes is reached while nothing is said", () =>
    Effect.gen(function*() {
      const { prompt, until } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* TestClock.adjust("6 minutes")
      assert.strictEqual((yield* until("permission_request")).metadata.kind, "budget")
    }).pipe(Effect.provide(layerOf(rules({ scope: "turn", unit: "minutes", cap: 5 })))))

  it.effect("of turns lets the last one end", () =>
    Effect.gen(function*() {
      const { ends, prompt, until } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* ends(0)
      yield* until("turn_end")
      yield* prompt("two")
      assert.include((yield* until("permission_request")).text, "1 turns")
    }).pipe(Effect.provide(layerOf(rules({ scope: "session", unit: "turns", cap: 1 })))))

  it.effect("of turns that sessions share stops none that was begun below it", () =>
    Effect.gen(function*() {
      const first = yield* open("a")
      yield* first.prompt("one")
      yield* first.until("input_ack")
      const second = yield* open("b")
      yield* second.prompt("two")
      yield* second.until("permission_request")
      // Every report makes all sessions look at the caps they share.
      yield* first.uses(0.1)
      yield* first.ends(0.2)
      assert.strictEqual((yield* first.until("turn_end")).stop_reason, "end_turn")
      assert.isEmpty((yield* first.all).filter(({ type }) => type === "permission_request"))
    }).pipe(Effect.provide(layerOf(rules({ scope: "day", unit: "turns", cap: 1 })))))

  it.effect("counts what an agent has told, even if its last word lacks it", () =>
    Effect.gen(function*() {
      const { fake, prompt, until, uses } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* uses(0.7)
      yield* fake.agent().say({ type: "turn_end", stop_reason: "cancelled", usage: { duration_ms: 5 } })
      assert.deepStrictEqual((yield* until("turn_end")).usage, { cost_usd: 0.7, duration_ms: 5 })
      assert.strictEqual((yield* BudgetBook).ledger.total("session:s").cost_usd, 0.7)
    }).pipe(Effect.provide(layerOf(rules(dollar)))))

  it.effect("takes no amounts from an agent that cannot be", () =>
    Effect.gen(function*() {
      const { fake, prompt, until, uses } = yield* open()
      for (const [turn, cost_usd] of [0.6, -5, 1e300, 1.7e308, 1.7e308].entries()) {
        yield* prompt(String(turn))
        yield* until("input_ack", turn + 1)
        yield* uses(cost_usd)
        yield* fake.agent().say({ type: "turn_end", stop_reason: "end_turn", usage: { cost_usd } })
      }
      assert.deepStrictEqual((yield* until("turn_end", 2)).usage, undefined)
      assert.strictEqual((yield* BudgetBook).ledger.total("session:s").cost_usd, 0.6)
    }).pipe(Effect.provide(layerOf(rules(dollar)))))

  it.effect("can be lowered by a client, and not raised", () =>
    Effect.gen(function*() {
      const { session, until } = yield* open("s", { budget: { session: { cost_usd: 0.5 } } })
      yield* session.submit({ type: "set_budget", budget: { session: { cost_usd: 0.8 } } })
      assert.include((yield* until("error")).text, "may be 0.5 at most")
      yield* session.submit({ type: "set_budget", budget: { turn: { tokens: 100 } } })
      yield* until("status", 2)
      assert.lengthOf(session.describe().metadata?.["budget"] as ReadonlyArray<unknown>, 3)
    }).pipe(Effect.provide(layerOf(rules(dollar)))))

  it.effect("can be lowered by a client, also after somebody has allowed more", () =>
    Effect.gen(function*() {
      const { answer, ends, prompt, session, until } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* ends(1.25)
      yield* until("turn_end")
      yield* prompt("two")
      yield* answer((yield* until("permission_request")).request_id, "allow", { raise_by: 5 })
      yield* until("input_ack", 2)
      yield* ends(0.25)
      yield* until("turn_end", 2)
      yield* session.submit({ type: "set_budget", budget: { session: { cost_usd: 0.5 } } })
      yield* prompt("three")
      assert.include((yield* until("permission_request", 2)).text, "has used $1.50 of $")
      const budgets = session.describe().metadata?.["budget"] as ReadonlyArray<{ cap: number }> | undefined
      assert.deepStrictEqual(budgets?.map(({ cap }) => cap), [1, 0.5])
    }).pipe(Effect.provide(layerOf(rules(dollar)))))

  it.effect("that asks for more than the operator allows refuses the handshake", () =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(open("s", { budget: { session: { cost_usd: 2 } } }))
      assert.include(String(refused), "may be 1 at most")
    }).pipe(Effect.provide(layerOf(rules(dollar)))))

  it.effect("prices what agents only count, from the operator's table", () =>
    Effect.gen(function*() {
      const { fake, prompt, until } = yield* open("s", { model: "gpt-9" })
      yield* prompt("one")
      yield* until("input_ack")
      yield* fake.agent().say({
        type: "turn_end",
        stop_reason: "end_turn",
        usage: { input_tokens: 1_000_000, output_tokens: 100_000, cached_input_tokens: 500_000 }
      })
      const { metadata, usage } = yield* until("turn_end")
      assert.strictEqual(usage?.cost_usd, 2 + 1 + 0.1)
      assert.strictEqual(metadata?.["priced"], "table")
    }).pipe(Effect.provide(layerOf({ prices: { "gpt-*": { input: 2, output: 10, cached_input: 0.2 } } }))))

  it.effect("lets an interrupt through while it asks", () =>
    Effect.gen(function*() {
      const { prompt, session, until, uses } = yield* open()
      yield* prompt("one")
      yield* until("input_ack")
      yield* uses(3)
      yield* until("permission_request")
      yield* session.submit({ type: "interrupt" })
      yield* until("permission_cancelled")
      assert.strictEqual((yield* until("turn_end")).stop_reason, "cancelled")
      yield* prompt("two")
      yield* until("permission_request", 2)
      yield* session.submit({ type: "interrupt" })
      assert.strictEqual((yield* until("turn_end", 2)).stop_reason, "cancelled")
    }).pipe(Effect.provide(layerOf(rules(dollar)))))
})
