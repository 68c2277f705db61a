import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { type EventBody, SessionId } from "../../../src/schema/index.js"
import * as EventLog from "../../../src/services/log/EventLog.js"
import { type EventStore, makeMemory } from "../../../src/services/log/EventStore.js"
import { type Batch, lastSeqOf, textsOf } from "../../../src/services/log/frames.js"
import type { LogCursor } from "../../../src/services/log/LogCursors.js"
import * as SessionSummary from "../../../src/services/log/SessionSummary.js"

const session_id = SessionId.make("session-1")
const TestLayer = EventLog.EventLog.layer(session_id)

const line = (text: string): EventBody => ({ type: "stdout", text })
const nobody = () => {}

const eventsOf = (batch: Batch) => textsOf(batch).map((frame) => JSON.parse(frame))
const seqsOf = (batch: Batch | undefined): ReadonlyArray<number> =>
  batch === undefined ? [] : eventsOf(batch).map(({ seq }) => seq)

/** All there is to take, batch by batch. */
const takeAll = (follower: LogCursor): ReadonlyArray<Batch> => {
  const taken: Array<Batch> = []
  for (let batch = follower.next(); batch !== undefined; batch = follower.next()) taken.push(batch)
  return taken
}

const inMemory = (retain_bytes: number) => Effect.runSync(EventLog.make(session_id, { retain_bytes }))

describe("EventLog", () => {
  it.effect("numbers events without gaps, and dates and names them", () =>
    Effect.gen(function*() {
      const log = yield* EventLog.EventLog
      yield* log.append(line("a"))
      yield* TestClock.adjust("1500 millis")
      yield* log.append(line("b"))
      yield* log.close
      assert.deepStrictEqual(yield* Stream.runCollect(log.tail(0)), [
        { type: "stdout", text: "a", seq: 1, ts: 0, session_id },
        { type: "stdout", text: "b", seq: 2, ts: 1.5, session_id }
      ])
    }).pipe(Effect.provide(TestLayer)))

  it.effect("numbers turns; a turn's first and last event are inside of it", () =>
    Effect.gen(function*() {
      const log = yield* EventLog.EventLog
      for (const prompt of ["a", "b"]) {
        yield* log.append({ type: "turn_start", text: prompt })
        assert.strictEqual(log.turn(), prompt === "a" ? 1 : 2)
        yield* log.append(line(prompt))
        yield* log.append({ type: "turn_end", stop_reason: "end_turn" })
        yield* log.append(line("between"))
        assert.isUndefined(log.turn())
      }
      const turns = yield* log.tail(0).pipe(Stream.take(8), Stream.runCollect)
      const expected = [1, 1, 1, undefined, 2, 2, 2, undefined]
      assert.deepStrictEqual(turns.map(({ turn }) => turn), expected)
    }).pipe(Effect.provide(TestLayer)))

  it.effect("makes one batch, of one moment, of all that is appended together, however nested", () =>
    Effect.gen(function*() {
      const log = yield* EventLog.EventLog
      let woken = 0
      const follower = log.unsafeFollow(0, () => void (woken += 1))
      const isRoomy = log.unsafeBatch(() => {
        log.unsafeAppend(line("a"))
        log.unsafeBatch(() => log.unsafeAppend(line("b")))
        assert.strictEqual(woken, 0)
        log.unsafeAppend(line("c"))
      })
      assert.isTrue(isRoomy)
      assert.strictEqual(woken, 1)
      assert.deepStrictEqual(takeAll(follower).map(seqsOf), [[1, 2, 3]])
      log.unsafeBatch(nobody)
      assert.strictEqual(woken, 1)
    }).pipe(Effect.provide(TestLayer)))

  it.effect("keeps what was appended before a batch broke, without a gap", () =>
    Effect.gen(function*() {
      const log = yield* EventLog.EventLog
      const follower = log.unsafeFollow(0, nobody)
      const circular: Record<string, unknown> = {}
      circular["itself"] = circular
      const broken = () =>
        log.unsafeBatch(() => {
          log.unsafeAppend(line("before"))
          log.unsafeAppend({ type: "status", status: "broken", metadata: circular })
        })
      assert.throws(broken)
      log.unsafeAppend(line("after"))
      assert.deepStrictEqual(takeAll(follower).map(seqsOf), [[1], [2]])
    }).pipe(Effect.provide(TestLayer)))

  it.effect("tells a follower what comes, until it is closed; then takes no more", () =>
    Effect.gen(function*() {
      const log = yield* EventLog.EventLog
      yield* log.append(line("a"))
      const texts = log.tail(0).pipe(
        Stream.map((event) => "text" in event ? event.text : undefined),
        Stream.runCollect
      )
      const follower = yield* Effect.forkChild(texts)
      yield* Effect.yieldNow
      yield* log.append(line("b"))
      yield* Effect.yieldNow
      yield* log.append(line("c"))
      yield* log.close
      yield* log.append(line("late"))
      assert.deepStrictEqual(yield* Fiber.join(follower), ["a", "b", "c"])
      assert.deepStrictEqual(yield* texts, ["a", "b", "c"])
      assert.strictEqual(log.lastSeq(), 3)
    }).pipe(Effect.provide(TestLayer)))

  it.effect("is done for a follower when it is closed and everything was taken", () =>
    Effect.gen(function*() {
      const log = yield* EventLog.EventLog
      yield* log.append(line("a"))
      let woken = 0
      const follower = log.unsafeFollow(0, () => void (woken += 1))
      yield* log.close
      assert.strictEqual(woken, 1)
      assert.isFalse(follower.done())
      takeAll(follower)
      assert.isTrue(follower.done())
    }).pipe(Effect.provide(TestLayer)))
})

describe("the followers of a log", () => {
  type Step =
    | { readonly do: "append"; readonly sizes: ReadonlyArray<number> }
    | { readonly do: "attach"; readonly after: number; readonly eager: boolean }
    | { readonly do: "read"; readonly who: number; readonly batches: number }
    | { readonly do: "detach"; readonly who: number }

  const append = fc.record({
    do: fc.constant("append" as const),
    sizes: fc.array(fc.nat(60), { minLength: 1, maxLength: 4 })
  })
  const attach = fc.record({ do: fc.constant("attach" as const), after: fc.nat(30), eager: fc.boolean() })
  const read = fc.record({
    do: fc.constant("read" as const),
    who: fc.nat(5),
    batches: fc.integer({ min: 1, max: 4 })
  })
  const detach = fc.record({ do: fc.constant("detach" as const), who: fc.nat(5) })
  const script: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
    fc.oneof({ weight: 4, arbitrary: append }, { weight: 2, arbitrary: attach }, {
      weight: 4,
      arbitrary: read
    }, detach),
    { maxLength: 40 }
  )

  interface Reader {
    readonly follower: LogCursor
    /** The last `seq` it has. */
    at: number
  }

  /** Play a script; what each reader takes must begin where it asked and go on without a gap or a repetition. */
  const play = (steps: ReadonlyArray<Step>, retain: number, check: (log: Played) => void) => {
    const log = inMemory(retain)
    const readers: Array<Reader> = []
    const played: Played = { log, readers, isPaused: false, newest: 0, gaps: 0 }

    const take = (reader: Reader): boolean => {
      const batch = reader.follower.next()
      if (batch === undefined) return false
      assert.deepStrictEqual(seqsOf(batch), range(reader.at + 1, lastSeqOf(batch)))
      reader.at = lastSeqOf(batch)
      return true
    }
    const step = (step: Step): void => {
      if (step.do === "append") {
        // A pump that was told "full" says nothing more.
        if (played.isPaused) return
        played.newest = log.lastSeq() + 1
        const isRoomy = log.unsafeBatch(() => {
          for (const size of step.sizes) log.unsafeBatch(() => log.unsafeAppend(line("x".repeat(size))))
        })
        if (isRoomy) return
        played.isPaused = true
        log.unsafeOnceDrained(() => void (played.isPaused = false))
        return
      }
      if (step.do === "attach") {
        const reader: Reader = {
          follower: log.unsafeFollow(step.after, () => {
            while (step.eager && take(reader));
          }),
          at: Math.min(step.after, log.lastSeq())
        }
        const { gap } = reader.follower
        if (gap !== undefined) {
          assert.isAbove(gap, step.after + 1)
          reader.at = gap - 1
          played.gaps += 1
        }
        readers.push(reader)
        return
      }
      const reader = readers[step.who % readers.length]
      if (reader === undefined) return
      if (step.do === "read") { for (let n = 0; n < step.batches && take(reader); n++); }
      else {
        reader.follower.detach()
        readers.splice(readers.indexOf(reader), 1)
      }
    }

    for (const each of steps) {
      step(each)
      check(played)
    }
    for (const reader of readers) while (take(reader));
    for (const { at, follower } of readers) if (!follower.overrun()) assert.strictEqual(at, log.lastSeq())
    check(played)
  }

  interface Played {
    readonly log: ReturnType<typeof inMemory>
    readonly readers: ReadonlyArray<Reader>
    /** The log said "full". */
    isPaused: boolean
    /** The first `seq` of the newest batch. */
    newest: number
    gaps: number
  }

  const range = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index)

  it("each get exactly what they asked for, in order, wherever they attach and however they read", () => {
    fc.assert(
      fc.property(script, (steps) =>
        play(steps, 1e9, ({ gaps, isPaused, readers }) => {
          assert.isFalse(isPaused)
          assert.strictEqual(gaps, 0)
          assert.isFalse(readers.some(({ follower }) => follower.overrun()))
        })),
      { numRuns: 300 }
    )
  })

  it("hold the agent up only if all of them are behind, however little is kept", () => {
    fc.assert(
      fc.property(script, (steps) =>
        play(steps, 500, ({ isPaused, log, newest, readers }) => {
          if (!isPaused) return
          const live = readers.filter(({ follower }) => !follower.overrun())
          const behind = live.filter(({ at }) => at < log.lastSeq())
          assert.isNotEmpty(behind)
          // None of them has missed more than the newest batch, if another is up to date.
          if (behind.length < live.length) assert.isTrue(behind.every(({ at }) => at >= newest - 1))
        })),
      { numRuns: 1000 }
    )
  })
})

describe("a log that is full", () => {
  const kilobyte = (log: ReturnType<typeof inMemory>) => log.unsafeAppend(line("x".repeat(1000)))
  const isRoomy = (log: ReturnType<typeof inMemory>) => log.unsafeBatch(nobody)

  /** A log whose only follower has read nothing of more than may be kept. */
  const fill = () => {
    const log = inMemory(3000)
    const follower = log.unsafeFollow(0, nobody)
    for (let n = 0; n < 4; n++) kilobyte(log)
    return { log, follower }
  }

  it("lets the oldest go when nobody needs them, and tells of the gap", () => {
    const log = inMemory(3000)
    for (let n = 0; n < 10; n++) kilobyte(log)
    assert.isTrue(isRoomy(log))
    const follower = log.unsafeFollow(3, nobody)
    assert.strictEqual(follower.gap, 9)
    assert.deepStrictEqual(takeAll(follower).map(seqsOf), [[9], [10]])
    assert.isUndefined(log.unsafeFollow(8, nobody).gap)
  })

  it("says so, and goes on once its follower has read", () => {
    const { follower, log } = fill()
    assert.isFalse(isRoomy(log))
    let resumed = 0
    log.unsafeOnceDrained(() => void (resumed += 1))
    assert.strictEqual(resumed, 0)
    follower.next()
    follower.next()
    assert.isTrue(isRoomy(log))
    assert.strictEqual(resumed, 1)
    assert.deepStrictEqual(takeAll(follower).map(seqsOf), [[3], [4]])
  })

  it("goes on at once when it is not full", () => {
    let resumed = 0
    inMemory(3000).unsafeOnceDrained(() => void (resumed += 1))
    assert.strictEqual(resumed, 1)
  })

  it("goes on when its follower leaves", () => {
    const { follower, log } = fill()
    let resumed = 0
    log.unsafeOnceDrained(() => void (resumed += 1))
    follower.detach()
    assert.strictEqual(resumed, 1)
  })

  it("cuts off who is behind as soon as another is up to date, and tells them so", () => {
    const { follower: stalled, log } = fill()
    assert.isFalse(stalled.overrun())
    const reader = log.unsafeFollow(0, nobody)
    let resumed = 0
    log.unsafeOnceDrained(() => void (resumed += 1))
    assert.lengthOf(takeAll(reader), 4)
    assert.isTrue(stalled.overrun())
    assert.isUndefined(stalled.next())
    assert.isFalse(reader.overrun())
    assert.strictEqual(resumed, 1)
  })

  it("cuts off the slowest only, not who is a little behind", () => {
    const log = inMemory(6000)
    const [stalled, behind, live] = [0, 0, 0].map(() => log.unsafeFollow(0, nobody))
    for (let n = 1; n <= 8; n++) {
      log.unsafeAppend(line("x".repeat(1000)))
      live?.next()
      // Two batches behind all the time.
      if (n > 2) behind?.next()
    }
    assert.isTrue(stalled?.overrun())
    assert.isFalse(behind?.overrun())
    assert.lengthOf(takeAll(behind ?? assert.fail()), 2)
  })

  it("wakes who is cut off", () => {
    const log = inMemory(3000)
    let woken = 0
    log.unsafeFollow(0, () => void (woken += 1))
    const reader = log.unsafeFollow(0, () => takeAll(reader))
    for (let n = 0; n < 3; n++) kilobyte(log)
    assert.strictEqual(woken, 4)
    assert.isTrue(isRoomy(log))
  })

  it("waits for who attached up to date no longer than for others", () => {
    const { log } = fill()
    let resumed = 0
    log.unsafeOnceDrained(() => void (resumed += 1))
    log.unsafeFollow(log.lastSeq(), nobody)
    assert.strictEqual(resumed, 1)
  })

  it("cuts off nobody who could not have read yet: one event may be larger than all that is kept", () => {
    const log = inMemory(3000)
    const slow = log.unsafeFollow(0, nobody)
    const quick = log.unsafeFollow(0, () => takeAll(quick))
    log.unsafeAppend(line("x".repeat(5000)))
    assert.isFalse(isRoomy(log))
    assert.isFalse(slow.overrun())
    assert.deepStrictEqual(takeAll(slow).map(seqsOf), [[1]])
    assert.isTrue(isRoomy(log))
  })

  it.effect("ends the stream of who was cut off as a defect", () =>
    Effect.gen(function*() {
      const log = yield* EventLog.make(session_id, { retain_bytes: 3000 })
      const stalled = yield* log.batches(0).pipe(Stream.runForEach(() => Effect.never), Effect.forkChild)
      yield* Effect.yieldNow
      const reader = log.unsafeFollow(0, () => takeAll(reader))
      for (let n = 0; n < 5; n++) kilobyte(log)
      assert.isTrue(isRoomy(log))
      yield* Fiber.interrupt(stalled)
      const late = yield* log.tail(0).pipe(Stream.take(1), Stream.runCollect)
      assert.isAbove(late[0]?.seq ?? 0, 1)
    }))
})

/** A store in memory that shows frames when the test says so, and remembers what it was told. */
const watchedStore = () => {
  const memory = makeMemory(1024 * 1024)
  const told: Array<string> = []
  let shown = 0
  let onKept = () => {}
  const store: EventStore = {
    ...memory,
    append: (batch, isPreviewOnly) => {
      told.push(isPreviewOnly === true ? "preview" : "whole")
      memory.append(batch, isPreviewOnly)
    },
    keptSeq: () => shown,
    onKept: (listener) => void (onKept = listener),
    flush: ({ last_active_at, last_seq }) => void told.push(`flush ${last_seq} at ${last_active_at}`)
  }
  const show = (seq: number) => {
    shown = seq
    onKept()
  }
  return { show, store, told }
}
const piece: EventBody = { type: "stream_event", delta: "text", text: "a" }

describe("a log and its store", () => {
  it.effect("says which batches are only previews, and what must last at once: the end of a turn, an answer, its own end", () =>
    Effect.gen(function*() {
      const { store, told } = watchedStore()
      const log = yield* EventLog.make(session_id, { store })
      yield* TestClock.adjust("2 seconds")
      log.unsafeAppend({ type: "turn_start", text: "go" })
      log.unsafeAppend(piece)
      log.unsafeBatch(() => {
        log.unsafeAppend(piece)
        log.unsafeAppend(piece)
      })
      log.unsafeBatch(() => {
        log.unsafeAppend(line("whole"))
        log.unsafeAppend(piece)
      })
      log.unsafeAppend(piece)
      assert.deepStrictEqual(told.splice(0), ["whole", "preview", "preview", "whole", "preview"])
      log.unsafeAppend({ type: "turn_end", stop_reason: "end_turn" })
      assert.deepStrictEqual(told.splice(0), ["whole", "flush 8 at 2"])
      log.unsafeAppend(line("after"))
      assert.deepStrictEqual(told.splice(0), ["whole"])
      yield* log.close
      assert.deepStrictEqual(told, ["flush 9 at 2"])
    }))

  it.effect("shows readers what is kept, when it is kept, and nothing before", () =>
    Effect.gen(function*() {
      const { show, store } = watchedStore()
      const log = yield* EventLog.make(session_id, { store })
      let woken = 0
      const follower = log.unsafeFollow(0, () => void (woken += 1))
      log.unsafeAppend(line("a"))
      log.unsafeAppend(line("b"))
      assert.strictEqual(woken, 0)
      assert.isEmpty(takeAll(follower))
      show(1)
      assert.strictEqual(woken, 1)
      assert.deepStrictEqual(takeAll(follower).flatMap(seqsOf), [1])
      show(2)
      assert.deepStrictEqual(takeAll(follower).flatMap(seqsOf), [2])
    }))

  it.effect("tells once for each change of the summary, and of nothing else", () =>
    Effect.gen(function*() {
      const log = yield* EventLog.make(session_id)
      let changes = 0
      log.unsafeOnSummary(() => void (changes += 1))
      log.unsafeAppend(line("nothing of a summary"))
      assert.strictEqual(changes, 0)
      log.unsafeAppend({ type: "turn_start", text: "go" })
      assert.strictEqual(changes, 1)
      log.unsafeAppend(line("nothing of a summary"))
      assert.strictEqual(changes, 1)
      log.unsafeAppend({ type: "turn_end", stop_reason: "end_turn" })
      assert.strictEqual(changes, 2)
    }))

  it.effect("says of a session that was before when it was active last, until something is said", () =>
    Effect.gen(function*() {
      const before = { ...SessionSummary.empty(session_id), last_active_at: 7 }
      const log = yield* EventLog.make(session_id, { summary: before })
      assert.strictEqual(log.summary().last_active_at, 7)
      yield* TestClock.adjust("9 seconds")
      log.unsafeAppend(line("a"))
      assert.strictEqual(log.summary().last_active_at, 9)
    }))
})
