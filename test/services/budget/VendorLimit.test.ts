import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type EventBody, SessionId } from "../../../src/schema/index.js"
import type { Settings } from "../../../src/services/RelayConfig.js"
import type { Timetable } from "../../../src/services/schedule/Timetable.js"
import { SessionRegistry } from "../../../src/services/session/SessionRegistry.js"
import * as FakeAdapter from "../../support/fakeAdapter.js"
import { all, opening, prompt, prompts, relayOf, seconds, status, until } from "../../support/wholeRelay.js"

const hour = 3600
const fails = (metadata: object, text = "You've hit your limit"): ReadonlyArray<EventBody> => [
  { type: "error", code: "turn_failed", text },
  { type: "quota_warning", text, metadata: { limited: true, ...metadata } },
  { type: "turn_end", stop_reason: "error" }
]

const test = (
  name: string,
  body: (
    fake: FakeAdapter.FakeAdapter,
    settings: Partial<Settings>
  ) => Effect.Effect<void, unknown, SessionRegistry | Timetable | Scope.Scope>,
  settings: Partial<Settings> = {}
) =>
  it.effect(name, () => {
    const fake = FakeAdapter.make()
    const state_dir = mkdtempSync(join(tmpdir(), "ai-relay-limit-"))
    const given = { state_dir, ...settings }
    return Effect.gen(function*() {
      yield* TestClock.setTime(Date.parse("2026-11-28T20:00:00Z"))
      yield* Effect.provide(body(fake, given), relayOf(fake, given))
    }).pipe(Effect.ensuring(Effect.sync(() => rmSync(state_dir, { recursive: true, force: true }))))
  })

/** One prompt that has failed at a limit. */
const limitedOnce = Effect.fnUntraced(function*(
  fake: FakeAdapter.FakeAdapter,
  metadata: (now: number) => object = (now) => ({ resets_at: now + hour, limit: "five_hour" }),
  fields: object = {},
  text?: string
) {
  const { session } = yield* opening(fields)
  yield* prompt(session, "one")
  yield* until(session, "input_ack")
  yield* fake.agent().say(...fails(metadata(yield* seconds), text))
  return { session, limited: yield* status(session, "limited") }
})

describe("a limit of the agent's vendor", () => {
  test("is told with the time at which it is over; nothing is sent by itself", (fake) =>
    Effect.gen(function*() {
      const { limited, session } = yield* limitedOnce(fake, undefined, { on_limit: "stop" })
      const resets_at = (yield* seconds) + hour
      assert.deepInclude(limited.metadata, {
        resets_at,
        limit: "five_hour",
        message_id: "one",
        on_limit: "stop"
      })
      assert.notProperty(limited.metadata, "resume_at")
      assert.deepInclude(session.describe().metadata?.["limited"], { resets_at })
      yield* TestClock.adjust("3 hours")
      assert.deepStrictEqual(prompts(fake), ["one"])
      assert.notProperty(session.describe().metadata, "limited")
    }))

  test("is read out of the agent's words", (fake) =>
    Effect.gen(function*() {
      const { limited } = yield* limitedOnce(
        fake,
        () => ({}),
        {},
        "You've hit your session limit · resets 11pm (Europe/Berlin)"
      )
      assert.strictEqual(limited.metadata?.["resets_at"], Date.parse("2026-11-28T22:00:00Z") / 1000)
    }))

  test("is understood in milliseconds, too; a time that no limit has is none to wait for", (fake) =>
    Effect.gen(function*() {
      const { limited, session } = yield* limitedOnce(fake, (now) => ({ resets_at: (now + hour) * 1000 }))
      assert.strictEqual(limited.metadata?.["resets_at"], (yield* seconds) + hour)
      yield* session.submit({ type: "interrupt" })
      yield* status(session, "limited", limited.seq)
      yield* prompt(session, "two")
      yield* until(session, "input_ack", ({ message_id }) => message_id === "two")
      yield* fake.agent().say(...fails({ resets_at: 8e12 }))
      yield* prompt(session, "three")
      yield* until(
        session,
        "input_ack",
        ({ message_id, status }) => message_id === "three" && status === "sent"
      )
    }))

  test("that has no time, or did not fail the turn, is none to wait for", (fake) =>
    Effect.gen(function*() {
      const { session } = yield* opening()
      const now = yield* seconds
      yield* prompt(session, "one")
      yield* until(session, "input_ack")
      yield* fake.agent().say(...fails({}))
      yield* prompt(session, "two")
      yield* until(session, "input_ack", ({ message_id }) => message_id === "two")
      yield* fake.agent().say(
        { type: "quota_warning", text: "used", metadata: { limited: true, resets_at: now + 9 } },
        { type: "turn_end", stop_reason: "end_turn" }
      )
      yield* prompt(session, "three")
      yield* until(session, "input_ack", ({ message_id }) => message_id === "three")
      yield* fake.agent().say(
        { type: "quota_warning", text: "nearly", metadata: { resets_at: now + 9 } },
        { type: "turn_end", stop_reason: "error" }
      )
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(prompts(fake), ["one", "two", "three"])
      assert.isFalse(
        (yield* all(session)).some((event) => event.type === "status" && event.status === "limited")
      )
    }))

  test("over, the prompt is sent again with some jitter, once", (fake) =>
    Effect.gen(function*() {
      const { limited, session } = yield* limitedOnce(fake)
      const now = yield* seconds
      const resume_at = limited.metadata?.["resume_at"] as number
      assert.isAtLeast(resume_at, now + hour + 5)
      assert.isAtMost(resume_at, now + hour + 60)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(prompts(fake), ["one"])
      yield* TestClock.adjust("2 minutes")
      const over = yield* status(session, "limit_over")
      assert.deepInclude(over.metadata, { reason: "resumed" })
      const start = yield* until(session, "turn_start", ({ metadata }) => metadata?.["resumes"] === true)
      assert.strictEqual(start.text, "one")
      yield* until(session, "input_ack", ({ message_id }) => message_id !== "one", start.seq)
      assert.deepStrictEqual(prompts(fake), ["one", "one"])
      // The limit is reached again: it is not tried for ever.
      yield* fake.agent().say(...fails({ resets_at: (yield* seconds) + hour }))
      const again = yield* status(session, "limited", start.seq)
      assert.notProperty(again.metadata, "resume_at")
      yield* TestClock.adjust("3 hours")
      assert.deepStrictEqual(prompts(fake), ["one", "one"])
    }))

  test("keeps the prompts behind it waiting, and lets them go on after it", (fake) =>
    Effect.gen(function*() {
      const { session } = yield* opening()
      yield* prompt(session, "one")
      yield* until(session, "input_ack")
      yield* prompt(session, "two")
      yield* until(session, "input_ack", ({ status }) => status === "queued")
      yield* fake.agent().say(...fails({ resets_at: (yield* seconds) + hour }))
      yield* status(session, "limited")
      yield* prompt(session, "three")
      yield* until(session, "input_ack", ({ message_id, status }) =>
        status === "queued" && message_id === "three")
      assert.deepStrictEqual(prompts(fake), ["one"])
      yield* TestClock.adjust("62 minutes")
      for (const last of ["one", "two", "three"]) {
        yield* until(session, "turn_start", ({ text }) =>
          text === last)
        yield* fake.agent().say({ type: "turn_end", stop_reason: "end_turn" })
      }
      yield* until(session, "input_ack", ({ message_id, status }) =>
        status === "sent" && message_id === "three")
      assert.deepStrictEqual(prompts(fake), ["one", "one", "two", "three"])
    }))

  for (
    const [how, command] of [
      ["an interrupt", { type: "interrupt" }],
      ["set_on_limit", { type: "set_on_limit", on_limit: "stop" }]
    ] as const
  ) {
    test(`can be waited for no more: ${how}`, (fake) =>
      Effect.gen(function*() {
        const { limited, session } = yield* limitedOnce(fake)
        yield* session.submit(command)
        const stands = yield* status(session, "limited", limited.seq)
        assert.notProperty(stands.metadata, "resume_at")
        assert.deepInclude(stands.metadata, { reason: "cancelled" })
        yield* TestClock.adjust("3 hours")
        assert.deepStrictEqual(prompts(fake), ["one"])
      }))
  }

  test("can be waited for after all", (fake) =>
    Effect.gen(function*() {
      const { limited, session } = yield* limitedOnce(fake, undefined, { on_limit: "stop" })
      yield* session.submit({ type: "set_on_limit", on_limit: "resume" })
      const waits = yield* status(session, "limited", limited.seq)
      assert.property(waits.metadata, "resume_at")
      yield* TestClock.adjust("62 minutes")
      yield* until(session, "turn_start", ({ metadata }) => metadata?.["resumes"] === true)
    }))

  test(
    "is not gone on from while a budget is used up",
    (fake) =>
      Effect.gen(function*() {
        const { session } = yield* opening()
        yield* prompt(session, "one")
        yield* until(session, "input_ack")
        const [error, warning] = fails({ resets_at: (yield* seconds) + hour })
        yield* fake.agent().say(error!, warning!, {
          type: "turn_end",
          stop_reason: "error",
          usage: { cost_usd: 2 }
        })
        yield* status(session, "limited")
        yield* TestClock.adjust("62 minutes")
        const over = yield* status(session, "limit_over")
        assert.deepInclude(over.metadata, { reason: "budget" })
        yield* TestClock.adjust("3 hours")
        assert.deepStrictEqual(prompts(fake), ["one"])
      }),
    { budgets: [{ scope: "session", unit: "cost_usd", cap: 1 }] }
  )

  test("ends with the session, if somebody ends it", (fake, { state_dir }) =>
    Effect.gen(function*() {
      const { session } = yield* limitedOnce(fake)
      yield* session.submit({ type: "end" })
      yield* until(session, "session_end")
      assert.deepStrictEqual(readdirSync(join(state_dir ?? "", "schedules")), [])
      yield* TestClock.adjust("3 hours")
      assert.deepStrictEqual(prompts(fake), ["one"])
    }))

  it.effect("is waited for by the next relay; a prompt that is a day late is not sent", () => {
    const fake = FakeAdapter.make()
    const state_dir = mkdtempSync(join(tmpdir(), "ai-relay-limit-"))
    const relay = <A, E>(body: Effect.Effect<A, E, SessionRegistry | Timetable | Scope.Scope>) =>
      Effect.scoped(Effect.provide(body, relayOf(fake, { state_dir })))
    return Effect.gen(function*() {
      yield* TestClock.setTime(Date.parse("2026-11-28T20:00:00Z"))
      yield* relay(limitedOnce(fake))
      yield* TestClock.adjust("3 hours")
      yield* relay(Effect.gen(function*() {
        // Nobody has opened the session: the relay does.
        const registry = yield* SessionRegistry
        while (registry.live(SessionId.make("s")) === undefined) yield* TestClock.adjust("1 second")
        const session = registry.live(SessionId.make("s"))!
        const { text } = yield* until(session, "turn_start", ({ metadata }) => metadata?.["resumes"] === true)
        assert.strictEqual(text, "one")
        yield* until(session, "input_ack", ({ message_id }) => message_id?.startsWith("resume-") === true)
        yield* fake.agent().say(...fails({ resets_at: (yield* seconds) + hour }))
        yield* prompt(session, "two")
        yield* until(session, "input_ack", ({ message_id }) => message_id === "two")
        yield* fake.agent().say(...fails({ resets_at: (yield* seconds) + hour }))
        yield* until(session, "status", ({ metadata }) => metadata?.["message_id"] === "two")
      }))
      assert.deepStrictEqual(prompts(fake), ["one", "one", "two"])
      yield* TestClock.adjust("2 days")
      yield* relay(TestClock.adjust("5 minutes"))
      assert.deepStrictEqual(prompts(fake), ["one", "one", "two"])
      assert.deepStrictEqual(readdirSync(join(state_dir, "schedules")), [])
    }).pipe(Effect.ensuring(Effect.sync(() => rmSync(state_dir, { recursive: true, force: true }))))
  })
})
