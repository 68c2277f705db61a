import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Option, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { EventSink } from "../../../src/adapters/Adapter.js"
import { exchange } from "../../../src/adapters/cortex/CortexRequest.js"
import { makeAnswer } from "../../../src/adapters/cortex/Dialect.js"
import type { SseEvent } from "../../../src/adapters/wire/Sse.js"
import * as FakeHttp from "../../support/fakeHttp.js"
import * as TestSink from "../../support/testSink.js"

const account = {
  origin: "https://myorg-acct.snowflakecomputing.com",
  token: Redacted.make("secret-token"),
  token_type: "PROGRAMMATIC_ACCESS_TOKEN"
}

/** One exchange in a fiber of its own, and what is seen of it. `[DONE]` closes the answer, `enough` completes it. */
const start = (http: FakeHttp.FakeHttp, silence: Duration.Input = "1 hour") =>
  Effect.gen(function*() {
    const sink = TestSink.make()
    const answer = makeAnswer("answer-1")
    const seen: Array<SseEvent> = []
    const onEvent = (event: SseEvent) => {
      seen.push(event)
      if (event.data === "[DONE]") answer.progress = "closed"
      if (event.data === "enough") answer.progress = "complete"
    }
    const request = {
      account,
      path: "/api/v2/x",
      body: { a: "ä" },
      silence: Duration.fromInputUnsafe(silence)
    }
    const fiber = yield* exchange(request, answer, onEvent).pipe(
      Effect.provideService(EventSink, sink.service),
      Effect.provide(http.layer),
      Effect.forkChild
    )
    return { fiber, seen, events: sink.events, data: () => seen.map(({ data }) => data) }
  })

const bytes = (...texts: ReadonlyArray<string>) => texts.map((text) => Buffer.from(text))
const whole = FakeHttp.streamOf(bytes("data: 1\n\ndata: [DONE]\n\n"))
const waits = (times: ReadonlyArray<number>) =>
  times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1000)

describe("a request", () => {
  it.effect("says who asks, with which kind of token, and what it takes for an answer", () =>
    Effect.gen(function*() {
      const http = FakeHttp.make(whole)
      const { data, fiber } = yield* start(http)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(data(), ["1", "[DONE]"])
      const [request] = http.requests
      assert.strictEqual(request?.method, "POST")
      assert.strictEqual(request?.url, "https://myorg-acct.snowflakecomputing.com/api/v2/x")
      assert.deepInclude(request?.headers, {
        authorization: "Bearer secret-token",
        "x-snowflake-authorization-token-type": "PROGRAMMATIC_ACCESS_TOKEN",
        accept: "application/json, text/event-stream",
        "content-type": "application/json"
      })
      assert.match(request?.headers["user-agent"] ?? "", /^ai-relay\/\S+$/)
      assert.notProperty(request?.headers, "traceparent")
    }))

  it.effect("is tried again after 429, later each time, four times; each is told", () =>
    Effect.gen(function*() {
      const http = FakeHttp.make(FakeHttp.statusOf(429, { message: "Too many requests" }))
      const { events, fiber } = yield* start(http)
      yield* TestClock.adjust("10 minutes")
      const failure = yield* Effect.flip(Fiber.join(fiber))
      const seconds = waits(http.times)
      assert.lengthOf(seconds, 4)
      for (const [index, wait] of seconds.entries()) {
        assert.isAtLeast(wait, 2 ** index / 2)
        assert.isAtMost(wait, 2 ** index)
      }
      assert.deepStrictEqual(events.map(({ type }) => type), Array.from(seconds, () => "quota_warning"))
      assert.include(JSON.stringify(events[0]), "(1 of 4)")
      assert.isTrue(failure.quota)
      assert.include(failure.text, "HTTP 429: Too many requests")
    }))

  it.effect("is tried again after 503, which is no matter of quota", () =>
    Effect.gen(function*() {
      const http = FakeHttp.make(FakeHttp.statusOf(503, { message: "inference timed out" }), whole)
      const { data, events, fiber } = yield* start(http)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(data(), ["1", "[DONE]"])
      assert.deepInclude(events[0], { type: "status", status: "retry" })
    }))

  it.effect.each(
    [["7", 7], ["Thu, 01 Jan 1970 00:00:30 GMT", 30], ["Thu, 01 Jan 1970 00:00:00 GMT", 0], [
      "soon",
      0
    ]] as const
  )(
    "waits as long as `Retry-After: %s` says, and its own time at least",
    ([header, seconds]) =>
      Effect.gen(function*() {
        const http = FakeHttp.make(FakeHttp.statusOf(429, {}, { "retry-after": header }), whole)
        const { fiber } = yield* start(http)
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
        const [wait = 0] = waits(http.times)
        if (seconds > 0) assert.strictEqual(wait, seconds)
        else assert.isTrue(wait >= 0.5 && wait <= 1, String(wait))
      })
  )

  it.effect("is given up when the server wants it to wait for long", () =>
    Effect.gen(function*() {
      const http = FakeHttp.make(FakeHttp.statusOf(429, {}, { "retry-after": "3600" }))
      const { events, fiber } = yield* start(http)
      yield* Effect.flip(Fiber.join(fiber))
      assert.lengthOf(http.times, 1)
      assert.deepStrictEqual(events, [])
    }))

  it.effect.each(
    [
      [401, { message: "token expired" }, "auth_required", [
        "token",
        "network policy",
        "HTTP 401: token expired"
      ]],
      [403, {}, "auth_required", ["role", "network policy", "SNOWFLAKE.CORTEX_USER"]],
      [402, { message: "budget" }, "turn_failed", ["budget"]],
      [400, { message: "all requests were throttled by remote service" }, "turn_failed", [
        "overloaded",
        "another model"
      ]],
      [400, { message: "max tokens of 100 exceeded" }, "turn_failed", ["no longer fits", "new session"]],
      [400, { message: "unknown model foo" }, "turn_failed", ["unknown model foo"]],
      [404, {}, "turn_failed", ["snowflake.agent"]],
      [302, "", "turn_failed", ["redirect", "account_url"]],
      [500, "<html>oops</html>", "turn_failed", ["HTTP 500)."]]
    ] as const
  )(
    "is not tried again after %d %j, and says what to do",
    ([status, body, code, words]) =>
      Effect.gen(function*() {
        const http = FakeHttp.make(FakeHttp.statusOf(status, body, { location: "https://evil.example/" }))
        const { fiber } = yield* start(http)
        const failure = yield* Effect.flip(Fiber.join(fiber))
        assert.lengthOf(http.times, 1)
        assert.strictEqual(failure.code, code)
        for (const word of words) assert.include(failure.text, word)
        assert.notInclude(JSON.stringify(failure), "secret-token")
        assert.strictEqual(failure.quota, status === 402 || failure.text.includes("overloaded"))
      })
  )

  it.effect("does not take a page for a stream", () =>
    Effect.gen(function*() {
      const http = FakeHttp.make(FakeHttp.statusOf(200, "<html>", { "content-type": "text/html" }))
      const { fiber } = yield* start(http)
      assert.include((yield* Effect.flip(Fiber.join(fiber))).text, "not an event stream")
    }))

  it.effect("is given up when nobody answers, and when the stream falls silent", () =>
    Effect.gen(function*() {
      for (const answer of [FakeHttp.never, FakeHttp.streamOf(bytes("data: 1\n\n"), "silence")]) {
        const http = FakeHttp.make(answer)
        const { fiber } = yield* start(http, "30 seconds")
        yield* TestClock.adjust("29 seconds")
        assert.isTrue((yield* Effect.sync(() => Option.fromUndefinedOr(fiber.pollUnsafe())))._tag === "None")
        yield* TestClock.adjust("1 second")
        const failure = yield* Effect.flip(Fiber.join(fiber))
        assert.include(failure.text, "nothing for 30 s")
        assert.isTrue(http.signal()?.aborted)
      }
    }))

  it.effect("has failed when its stream ends or breaks before all was said", () =>
    Effect.gen(function*() {
      for (const then of ["end", "break"] as const) {
        const { data, fiber } = yield* start(FakeHttp.make(FakeHttp.streamOf(bytes("data: 1\n\n"), then)))
        assert.include((yield* Effect.flip(Fiber.join(fiber))).text, "The answer is incomplete")
        assert.deepStrictEqual(data(), ["1"])
      }
    }))

  it.effect("ends well when all was said that matters, however the stream ends then", () =>
    Effect.gen(function*() {
      for (const then of ["end", "break", "silence"] as const) {
        const chunks = bytes("data: enough\n\n", "data: afterwards\n\n")
        const { data, fiber } = yield* start(FakeHttp.make(FakeHttp.streamOf(chunks, then)), "1 hour")
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(data(), ["enough", "afterwards"])
      }
    }))

  it.effect("ends when the service says so, though the connection stays open", () =>
    Effect.gen(function*() {
      const http = FakeHttp.make(FakeHttp.streamOf(bytes("data: [DONE]\n\n"), "silence"))
      const { fiber } = yield* start(http)
      yield* Fiber.join(fiber)
      assert.isTrue(http.signal()?.aborted)
    }))

  it.effect("is aborted when it is interrupted: before an answer, in a stream, between two tries", () =>
    Effect.gen(function*() {
      const streaming = FakeHttp.streamOf(bytes("data: 1\n\n"), "silence")
      for (const answer of [FakeHttp.never, streaming, FakeHttp.statusOf(429)]) {
        const http = FakeHttp.make(answer)
        const { fiber } = yield* start(http)
        yield* TestClock.adjust("100 millis")
        yield* Fiber.interrupt(fiber)
        const exit = yield* Fiber.await(fiber)
        assert.isTrue(Exit.hasInterrupts(exit))
        assert.isTrue(http.signal()?.aborted)
        yield* TestClock.adjust("10 minutes")
        assert.lengthOf(http.times, 1)
      }
    }))

  it.effect("waits for a log that is full", () =>
    Effect.gen(function*() {
      const sink = TestSink.make()
      sink.block()
      const answer = makeAnswer("answer-1")
      const seen: Array<string> = []
      const http = FakeHttp.make(FakeHttp.streamOf(bytes("data: 1\n\n", "data: [DONE]\n\n")))
      const request = { account, path: "/", body: {}, silence: Duration.seconds(10) }
      const fiber = yield* exchange(request, answer, ({ data }) => {
        seen.push(data)
        if (data === "[DONE]") answer.progress = "closed"
      }).pipe(Effect.provideService(EventSink, sink.service), Effect.provide(http.layer), Effect.forkChild)
      yield* TestClock.adjust("1 hour")
      assert.isAtMost(seen.length, 2)
      assert.isTrue((yield* Effect.sync(() => Option.fromUndefinedOr(fiber.pollUnsafe())))._tag === "None")
      sink.drain()
      yield* TestClock.adjust("1 second")
      sink.drain()
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen, ["1", "[DONE]"])
    }))
})
