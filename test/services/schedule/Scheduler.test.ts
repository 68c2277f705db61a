import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, type Scope } from "effect"
import { TestClock } from "effect/testing"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type ClientCommand, SessionId } from "../../../src/schema/index.js"
import { IdGenerator } from "../../../src/services/IdGenerator.js"
import { listed } from "../../../src/services/schedule/plan.js"
import * as Timetable from "../../../src/services/schedule/Timetable.js"
import { Sender } from "../../../src/services/session/Sender.js"
import type { Session } from "../../../src/services/session/Session.js"
import { SessionRegistry } from "../../../src/services/session/SessionRegistry.js"
import * as FakeAdapter from "../../support/fakeAdapter.js"
import { all, opening, prompts, relayOf, until } from "../../support/wholeRelay.js"

type Relay = SessionRegistry | Timetable.Timetable | Scope.Scope

const start = Date.parse("2026-11-28T20:00:00Z")

/** A relay, one or several in a row, on one state folder; it is eight in the evening. */
const test = (
  name: string,
  body: (
    relay: <A, E>(body: Effect.Effect<A, E, Relay>) => Effect.Effect<A, E>,
    fake: FakeAdapter.FakeAdapter,
    state_dir: string
  ) => Effect.Effect<void, unknown>,
  options: FakeAdapter.FakeOptions = {}
) =>
  it.effect(name, () => {
    const fake = FakeAdapter.make(options)
    const state_dir = mkdtempSync(join(tmpdir(), "ai-relay-schedule-"))
    const relay = <A, E>(body: Effect.Effect<A, E, Relay>) =>
      Effect.scoped(Effect.provide(body, relayOf(fake, { state_dir }))) as Effect.Effect<A, E>
    return Effect.andThen(TestClock.setTime(start), body(relay, fake, state_dir)).pipe(
      Effect.ensuring(Effect.sync(() => rmSync(state_dir, { recursive: true, force: true })))
    )
  })

const give = (session: Session, command: object) => session.submit(command as ClientCommand)
const content = [{ type: "text", text: "look at the build" }]
const hourly = { type: "schedule", content, every: "0 * * * *", time_zone: "UTC", message_id: "m" }
const ack = (session: Session) => until(session, "input_ack", ({ message_id }) => message_id === "m")
const kept = Effect.map(Timetable.Timetable, (table) => listed(table))
const run = (session: Session, how: string, from = 0) =>
  until(session, "status", ({ metadata, status }) => status === "schedule" && metadata?.["run"] === how, from)
/** The run's turn has begun and ends. */
const finish = Effect.fnUntraced(function*(session: Session, fake: FakeAdapter.FakeAdapter, from = 0) {
  const begun = yield* until(
    session,
    "turn_start",
    ({ metadata }) => metadata?.["schedule"] !== undefined,
    from
  )
  yield* until(session, "input_ack", ({ message_id }) => message_id === begun.message_id, from)
  yield* fake.agent().say({ type: "turn_end", stop_reason: "end_turn" })
  yield* until(session, "turn_end", () => true, begun.seq)
  return begun
})

describe("a schedule", () => {
  test("runs once, at its time", (relay, fake) =>
    relay(Effect.gen(function*() {
      const { session } = yield* opening()
      yield* give(session, { type: "schedule", content, at: "2026-11-28T21:30:00+01:00", message_id: "m" })
      yield* ack(session)
      const [schedule] = yield* kept
      assert.deepInclude(schedule, { text: "look at the build", next_at: start / 1000 + 1800, runs: 0 })
      assert.deepStrictEqual(session.describe().metadata?.["schedules"], [schedule])
      yield* TestClock.adjust("29 minutes")
      assert.deepStrictEqual(prompts(fake), [])
      yield* TestClock.adjust("1 minute")
      const begun = yield* finish(session, fake)
      assert.strictEqual(begun.text, "look at the build")
      yield* TestClock.adjust("5 hours")
      assert.lengthOf(prompts(fake), 1)
      const [after] = yield* kept
      assert.deepInclude(after, { runs: 1, missed: 0 })
      assert.notProperty(after, "next_at")
    })))

  test("runs again and again; one run at a time", (relay, fake) =>
    relay(Effect.gen(function*() {
      const { session } = yield* opening()
      yield* give(session, hourly)
      yield* ack(session)
      yield* TestClock.adjust("1 hour")
      const first = yield* until(session, "turn_start")
      yield* until(session, "input_ack", () => true, first.seq)
      yield* TestClock.adjust("1 hour")
      const skipped = yield* run(session, "skipped")
      assert.include(skipped.text, "has not ended")
      assert.lengthOf(prompts(fake), 1)
      yield* fake.agent().say({ type: "turn_end", stop_reason: "end_turn" })
      yield* until(session, "turn_end")
      yield* TestClock.adjust("1 hour")
      yield* finish(session, fake, skipped.seq)
      assert.lengthOf(prompts(fake), 2)
      assert.deepInclude((yield* kept)[0], { runs: 2, missed: 0, next_at: start / 1000 + 4 * 3600 })
    })))

  test("stays while its session's files cannot be read", (relay, fake, state_dir) =>
    Effect.gen(function*() {
      const files = join(state_dir, "sessions/s")
      yield* relay(Effect.gen(function*() {
        const { session } = yield* opening()
        yield* give(session, hourly)
        yield* ack(session)
      }))
      renameSync(files, `${files}-away`)
      mkdirSync(join(files, "meta.json"), { recursive: true })
      yield* relay(Effect.gen(function*() {
        yield* TestClock.adjust("1 hour")
        while ((yield* kept)[0]?.last === undefined) yield* TestClock.adjust("1 second")
        assert.include((yield* kept)[0]?.last?.text, "its files cannot be read")
        rmSync(files, { recursive: true })
        renameSync(`${files}-away`, files)
        yield* TestClock.adjust("1 hour")
        const registry = yield* SessionRegistry
        while (registry.live(SessionId.make("s")) === undefined) yield* TestClock.adjust("1 second")
        yield* finish(registry.live(SessionId.make("s"))!, fake)
      }))
    }))

  test("opens a session that is not live, in the next relay too", (relay, fake) =>
    Effect.gen(function*() {
      yield* relay(Effect.gen(function*() {
        const { session } = yield* opening()
        yield* give(session, hourly)
        yield* ack(session)
      }))
      yield* relay(Effect.gen(function*() {
        yield* TestClock.adjust("1 hour")
        const registry = yield* SessionRegistry
        while (registry.live(SessionId.make("s")) === undefined) yield* TestClock.adjust("1 second")
        yield* finish(registry.live(SessionId.make("s"))!, fake)
      }))
      assert.lengthOf(prompts(fake), 1)
    }))

  test(
    "that was missed while no relay ran is told, not made up for",
    (relay, fake, state_dir) =>
      Effect.gen(function*() {
        yield* relay(Effect.gen(function*() {
          const { session } = yield* opening()
          yield* give(session, { type: "schedule", content, at: start / 1000 + 5400 })
          yield* give(session, hourly)
          yield* ack(session)
        }))
        yield* TestClock.adjust("200 minutes")
        yield* relay(Effect.gen(function*() {
          const { session } = yield* opening()
          yield* TestClock.adjust("1 minute")
          const all = yield* kept
          const every = all.find(({ every }) => every !== undefined)
          const once = all.find(({ every }) => every === undefined)
          assert.deepInclude(every, { missed: 3, runs: 0, next_at: start / 1000 + 4 * 3600 })
          assert.deepInclude(once, { missed: 1, runs: 0 })
          assert.strictEqual(once?.last?.status, "missed")
          assert.notProperty(once, "next_at")
          assert.deepStrictEqual(prompts(fake), [])
          yield* TestClock.adjust("39 minutes")
          const begun = yield* finish(session, fake)
          assert.isDefined(begun)
        }))
        assert.lengthOf(prompts(fake), 1)
        // Nothing is left of runs that were claimed.
        assert.deepStrictEqual(
          readdirSync(join(state_dir, "schedules")).filter((name) => !name.endsWith(".json")),
          []
        )
      })
  )

  test("can be paused, and removed", (relay, fake) =>
    relay(Effect.gen(function*() {
      const { session } = yield* opening()
      yield* give(session, hourly)
      yield* ack(session)
      const schedule_id = (yield* kept)[0]?.schedule_id
      yield* give(session, { type: "change_schedule", schedule_id, paused: true })
      yield* until(session, "status", ({ metadata }) => metadata?.["change"] === "changed")
      yield* TestClock.adjust("150 minutes")
      yield* give(session, { type: "change_schedule", schedule_id, paused: false })
      yield* until(session, "status", ({ metadata, status }) =>
        status === "schedule" &&
        (metadata?.["schedule"] as { paused?: boolean } | undefined)?.paused === false
        && metadata?.["change"] === "changed")
      assert.deepInclude((yield* kept)[0], { missed: 0, runs: 0, next_at: start / 1000 + 3 * 3600 })
      yield* give(session, { type: "remove_schedule", schedule_id })
      yield* until(session, "status", ({ metadata }) => metadata?.["change"] === "removed")
      yield* TestClock.adjust("2 hours")
      assert.deepStrictEqual(yield* kept, [])
      assert.deepStrictEqual(prompts(fake), [])
      yield* give(session, { type: "remove_schedule", schedule_id, message_id: "again" })
      const refused = yield* until(session, "error")
      assert.include(refused.text, "no schedule")
    })))

  test(
    "may do what the token it was made with may do when it runs",
    (relay, fake, state_dir) =>
      relay(Effect.gen(function*() {
        const { session } = yield* opening()
        const registry = yield* SessionRegistry
        const token = (scopes: ReadonlyArray<string>) =>
          Effect.sync(() =>
            writeFileSync(
              join(state_dir, "tokens.json"),
              JSON.stringify({ tokens: [{ name: "phone", hash: "00", scopes, created_at: 1 }] }),
              { mode: 0o600 }
            )
          )
        yield* token(["prompt"])
        yield* Effect.provideService(session.submit(hourly as never), Sender, { token: "phone" })
        yield* ack(session)
        yield* TestClock.adjust("1 hour")
        const begun = yield* finish(session, fake)
        yield* token(["view"])
        yield* TestClock.adjust("1 hour")
        const failed = yield* run(session, "failed", begun.seq)
        assert.include(failed.text, "needs the scope `prompt`")
        yield* Effect.sync(() => rmSync(join(state_dir, "tokens.json")))
        yield* TestClock.adjust("1 hour")
        while ((yield* kept).length > 0) yield* TestClock.adjust("1 second")
        assert.lengthOf(prompts(fake), 1)
        assert.isDefined(registry.live(SessionId.make("s")))
      }))
  )

  test(
    "never does more than its maker: not by another token that got the same name since",
    (relay, fake, state_dir) =>
      relay(Effect.gen(function*() {
        const { session } = yield* opening()
        const token = (created_at: number, scopes: ReadonlyArray<string>) =>
          Effect.sync(() =>
            writeFileSync(
              join(state_dir, "tokens.json"),
              JSON.stringify({ tokens: [{ name: "phone", hash: "00", scopes, created_at }] }),
              { mode: 0o600 }
            )
          )
        yield* token(start / 1000 - 60, ["prompt"])
        yield* Effect.provideService(session.submit(hourly as never), Sender, { token: "phone" })
        yield* ack(session)
        yield* token(start / 1000 + 60, ["admin"])
        yield* TestClock.adjust("1 hour")
        while ((yield* kept).length > 0) yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(prompts(fake), [])
      }))
  )

  test("is refused where it cannot be meant", (relay) =>
    relay(Effect.gen(function*() {
      const { session } = yield* opening()
      const wrong: ReadonlyArray<readonly [object, RegExp]> = [
        [{}, /set either/],
        [{ at: 5, every: "@daily" }, /set either/],
        [{ at: 5 }, /in the future/],
        [{ every: "whenever" }, /five fields/],
        [{ every: "@daily", time_zone: "Moon" }, /time_zone/]
      ]
      for (const [index, [fields]] of wrong.entries()) {
        yield* give(session, { type: "schedule", content, ...fields, message_id: `w${index}` })
      }
      yield* until(session, "error", ({ message_id }) => message_id === `w${wrong.length - 1}`)
      const said = (yield* all(session)).flatMap((event) => event.type === "error" ? [event.text] : [])
      wrong.forEach(([, reason], index) => assert.match(said[index] ?? "", reason))
      assert.deepStrictEqual(yield* kept, [])
    })))

  test(
    "does not run twice when the clock is set back, and is missed when it jumps ahead",
    (relay, fake) =>
      Effect.gen(function*() {
        const clock = yield* Clock.Clock
        let offset = 0
        /** A clock that people set, over one that only goes on. */
        const wall: Clock.Clock = {
          ...clock,
          sleep: (duration) => clock.sleep(duration),
          currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + offset,
          currentTimeMillis: Effect.map(clock.currentTimeMillis, (ms) => ms + offset)
        }
        yield* relay(Effect.gen(function*() {
          const { session } = yield* opening()
          yield* give(session, hourly)
          yield* ack(session)
          yield* TestClock.adjust("1 hour")
          const begun = yield* finish(session, fake)
          offset = -50 * 60_000
          yield* TestClock.adjust("55 minutes")
          assert.lengthOf(prompts(fake), 1)
          assert.deepInclude((yield* kept)[0], { next_at: start / 1000 + 2 * 3600, missed: 0 })
          offset = 3 * 3600_000
          yield* TestClock.adjust("1 minute")
          const missed = yield* run(session, "missed", begun.seq)
          assert.deepInclude(missed.metadata?.["schedule"], { runs: 1, missed: 3 })
          assert.lengthOf(prompts(fake), 1)
        })).pipe(Effect.provideService(Clock.Clock, wall))
      })
  )
})

describe("a schedule whose file was damaged", () => {
  test(
    "runs no more and says so, while the others run",
    (relay, fake, state_dir) =>
      relay(Effect.gen(function*() {
        const { session } = yield* opening()
        const table = yield* Timetable.Timetable
        yield* give(session, hourly)
        yield* ack(session)
        const [good] = table.all()
        assert.isDefined(good)
        const bad = {
          ...good,
          schedule_id: "bad",
          created_at: 0,
          time_zone: "Mars/Base",
          next_at: start / 1000 + 60
        }
        writeFileSync(join(state_dir, "schedules", "bad.json"), JSON.stringify(bad))
        yield* TestClock.adjust("10 minutes")
        const { metadata } = yield* run(session, "failed")
        assert.deepInclude(metadata, { schedule_id: "bad" })
        assert.isUndefined(table.get("bad")?.next_at)
        yield* TestClock.adjust("50 minutes")
        yield* finish(session, fake)
      }))
  )
})

describe("the timetable", () => {
  const schedule = {
    schedule_id: "a",
    session_id: SessionId.make("s"),
    kind: "at",
    content: [{ type: "text", text: "x" }],
    next_at: 5,
    paused: false,
    created_at: 1,
    runs: 0,
    missed: 0
  } as const

  it.effect("writes what a full disk refused once there is space, and removes what it could not", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-schedule-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true, force: true })))
      const ids = yield* IdGenerator
      const table = Timetable.onDisk(folder, ids)
      symlinkSync("/dev/full", join(folder, "a.json.new"))
      table.put(schedule)
      assert.match(table.trouble() ?? "", /cannot be written \(ENOSPC/)
      assert.deepStrictEqual(table.all(), [schedule])
      rmSync(join(folder, "a.json.new"))
      assert.isUndefined(table.trouble())
      assert.deepStrictEqual(Timetable.onDisk(folder, ids).all(), [schedule])
      // Removed while its file cannot be: a folder stands for one that is read-only.
      rmSync(join(folder, "a.json"))
      mkdirSync(join(folder, "a.json"))
      assert.isTrue(table.remove("a"))
      assert.match(table.trouble() ?? "", /a\.json|cannot be written/)
      rmSync(join(folder, "a.json"), { recursive: true })
      writeFileSync(join(folder, "a.json"), JSON.stringify(schedule))
      assert.deepStrictEqual(table.all(), [])
      assert.isFalse(existsSync(join(folder, "a.json")))
      rmSync(folder, { recursive: true })
      table.put(schedule)
      assert.deepStrictEqual(Timetable.onDisk(folder, ids).all(), [schedule])
    }).pipe(Effect.provide(IdGenerator.layerTest)))

  it.effect("says which of its files cannot be used, once, and leaves them and the others alone", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-schedule-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true, force: true })))
      const ids = yield* IdGenerator
      const warnings: Array<string> = []
      Timetable.onDisk(folder, ids).put(schedule)
      writeFileSync(join(folder, "b.json"), "x")
      writeFileSync(join(folder, "c.json"), JSON.stringify({ ...schedule, schedule_id: "c", runs: "many" }))
      writeFileSync(join(folder, "d.json"), JSON.stringify({ ...schedule, schedule_id: "e" }))
      mkdirSync(join(folder, "f.json"))
      const table = Timetable.onDisk(folder, ids, (text) => void warnings.push(text))
      for (const _ of ["once", "again"]) assert.deepStrictEqual(table.all(), [schedule])
      assert.deepStrictEqual(
        warnings.map((text) =>
          /^The schedule in .*\/(.*?) cannot be used \((.*?)\): correct/.exec(text)?.slice(1)
        ),
        [
          ["b.json", "it is not valid JSON, which has no comments and no trailing commas"],
          ["c.json", "\"runs\" must be a number"],
          ["d.json", "its name is not that of its `schedule_id`"],
          ["f.json", `${folder}/f.json is not a regular file`]
        ]
      )
      writeFileSync(join(folder, "b.json"), JSON.stringify({ ...schedule, schedule_id: "b", created_at: 2 }))
      assert.deepStrictEqual(table.all().map(({ schedule_id }) => schedule_id), ["a", "b"])
      rmSync(folder, { recursive: true })
      writeFileSync(folder, "")
      assert.match(table.trouble() ?? "", /cannot be read \(ENOTDIR.*fix its permissions$/)
      assert.lengthOf(table.all(), 2)
    }).pipe(Effect.provide(IdGenerator.layerTest)))

  it.effect("gives a run to one of the relays that share a folder", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-schedule-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true, force: true })))
      const ids = yield* IdGenerator
      const one = Timetable.onDisk(folder, ids)
      const other = Timetable.onDisk(folder, ids)
      one.put(schedule)
      const stale = other.all()
      assert.deepStrictEqual(stale, [schedule])
      assert.isTrue(one.claim(schedule))
      assert.isFalse(other.claim(schedule))
      one.put({ ...schedule, next_at: 9 })
      // It had looked before the first one wrote down that it begins.
      assert.isFalse(other.claim(schedule))
      assert.strictEqual(other.get("a")?.next_at, 9)
      one.remove("a")
      assert.deepStrictEqual(other.all(), [])
      assert.isFalse(other.claim({ ...schedule, next_at: 9 }))
    }).pipe(Effect.provide(Layer.merge(IdGenerator.layerTest, Layer.empty))))
})
