import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Option, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { execFileSync } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type EventBody, Handshake, RequestId, SessionId } from "../../../src/schema/index.js"
import { Journal } from "../../../src/services/journal/Journal.js"
import * as SessionLock from "../../../src/services/journal/SessionLock.js"
import * as SessionRecord from "../../../src/services/journal/SessionRecord.js"
import * as EventLog from "../../../src/services/log/EventLog.js"
import { textsOf } from "../../../src/services/log/frames.js"
import { RelayConfig, type Settings } from "../../../src/services/RelayConfig.js"
import { readSlowly } from "../../support/others.js"
import { until } from "../../support/processes.js"

const s = SessionId.make("s")
const handshakeOf = (fields: object = {}) =>
  Schema.decodeUnknownSync(Handshake)({ tool: "fake", folder: "/work", session_id: "s", ...fields })

const newFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-journal-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

const journalLayer = (folder: string, settings: Partial<Settings> = {}) =>
  Journal.layerDisk(join(folder, "sessions")).pipe(Layer.provide(RelayConfig.layer(settings)))

/** The journal of a relay that starts now and lives as long as the test. */
const start = (folder: string, settings: Partial<Settings> = {}) =>
  Effect.map(Layer.build(journalLayer(folder, settings)), Context.get(Journal))

/** A session that is open until `close`. */
const openIn = Effect.fnUntraced(
  function*(journal: Journal["Service"], session_id = s, handshake = handshakeOf({ session_id })) {
    const scope = yield* Scope.make()
    const { store, summary } = yield* Scope.provide(journal.open(session_id, handshake), scope)
    const log = yield* EventLog.make(session_id, { store, summary })
    return {
      log,
      store,
      summary,
      say: (...events: ReadonlyArray<EventBody>) => events.forEach((event) => log.unsafeAppend(event)),
      close: Effect.andThen(log.close, Scope.close(scope, Exit.void))
    }
  }
)

const begin = (prompt: string): EventBody => ({ type: "turn_start", text: prompt, message_id: prompt })
const end: EventBody = { type: "turn_end", stop_reason: "end_turn", usage: { cost_usd: 0.25 } }
const started: EventBody = {
  type: "session_start",
  metadata: { tool: "fake", folder: "/work", native_session_id: "native-1" }
}

const metaOf = (folder: string, session_id = "s") => join(folder, "sessions", session_id, "meta.json")
const readMeta = (folder: string, session_id = "s") =>
  JSON.parse(readFileSync(metaOf(folder, session_id), "utf8"))
const writeMeta = (folder: string, change: object, session_id = "s") =>
  writeFileSync(metaOf(folder, session_id), JSON.stringify({ ...readMeta(folder, session_id), ...change }))

/** What a relay that is killed now leaves on the disk. */
const killed = Effect.fnUntraced(function*(folder: string) {
  const left = yield* newFolder
  cpSync(folder, left, { recursive: true })
  return left
})

const framesOf = (journal: Journal["Service"], after: number) =>
  Effect.gen(function*() {
    const batches = (yield* journal.read(s, after)) ?? Stream.die(new Error("no such session"))
    return (yield* Stream.runCollect(batches)).flatMap(textsOf)
  })

describe("a state folder that cannot be written", () => {
  it.effect("is told, and what to do, before any session is opened", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const journal = yield* start(folder)
      assert.isUndefined(journal.trouble())
      rmSync(join(folder, "sessions"), { recursive: true })
      writeFileSync(join(folder, "sessions"), "")
      assert.include(journal.trouble(), "--state-dir")
    }))
})

describe("a long journal", () => {
  it.effect("lets others go first while somebody reads all of it", () =>
    Effect.gen(function*() {
      const journal = yield* start(yield* newFolder)
      const { close, say } = yield* openIn(journal)
      for (let number = 0; number < 20; number++) say({ type: "stdout", text: "x".repeat(256 * 1024) })
      yield* close
      const { pieces, turns } = yield* readSlowly((yield* journal.read(s, 0)) ?? Stream.empty)
      assert.isAtLeast(pieces, 20)
      assert.isAtLeast(turns, 15)
    }))
})

describe("a journal that something else has damaged", () => {
  const text = (n: number): EventBody => ({ type: "stdout", text: `${n} ${"x".repeat(2000)}` })
  const many = 300
  const fileIn = (folder: string) => join(folder, "sessions", "s", "000000000001.ndjson")
  /** A killed relay's session with many events, whose file is changed. */
  const damaged = Effect.fnUntraced(function*(damage: (file: string) => void) {
    const folder = yield* newFolder
    const { close, say } = yield* openIn(yield* start(folder))
    for (let n = 2; n <= many; n++) say(n === 2 ? started : text(n))
    const left = yield* killed(folder)
    yield* close
    damage(fileIn(left))
    return left
  })
  const zeros = (from: number, to: number) => (file: string) => {
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill(0, bytes.length * from, bytes.length * to))
  }
  const lines = (change: (lines: ReadonlyArray<string>) => ReadonlyArray<string>) => (file: string) =>
    writeFileSync(
      file,
      change(readFileSync(file, "utf8").trimEnd().split("\n")).map((l) => `${l}\n`).join("")
    )

  for (
    const [how, damage, least] of [
      ["zeros in it", zeros(0.4, 0.5), 260],
      ["zeros at its beginning", zeros(0, 0.3), 200],
      ["lines missing", lines((all) => [...all.slice(0, 50), ...all.slice(90)]), 259],
      ["lines that come twice", lines((all) => [...all, ...all]), 299],
      [
        "lines of something else",
        lines((all) => [...all.slice(0, 9), "#", "{}", "{\"seq\":4}", ...all.slice(9)]),
        299
      ]
    ] as const
  ) {
    it.effect(`gives the rest of its events, and goes on: ${how}`, () =>
      Effect.gen(function*() {
        const folder = yield* damaged(damage)
        const journal = yield* start(folder)
        assert.lengthOf(yield* journal.list, 1)
        const check = (frames: ReadonlyArray<string>) => {
          const seqs = frames.map((frame) => (JSON.parse(frame) as { readonly seq: number }).seq)
          assert.isAtLeast(seqs.length, least)
          assert.deepStrictEqual(seqs, [...new Set(seqs)].toSorted((left, right) => left - right))
          return seqs
        }
        const before = check(yield* framesOf(journal, 0))
        // Someone who comes back in the middle gets what is after it.
        const after = before.filter((seq) => seq > 150)
        assert.deepStrictEqual(
          (yield* framesOf(journal, 150)).map((frame) => (JSON.parse(frame) as { readonly seq: number }).seq),
          after
        )
        const { close, log, say } = yield* openIn(journal)
        say(text(0), begin("one"), end)
        yield* close
        assert.strictEqual(log.lastSeq(), many - 1 + 3)
        assert.deepStrictEqual(check(yield* framesOf(journal, 0)), [...before, many, many + 1, many + 2])
      }))
  }

  it.effect("stays, and is listed, if none of its events can be read", () =>
    Effect.gen(function*() {
      for (
        const damage of [
          (file: string) => truncateSync(file),
          (file: string) => writeFileSync(file, "nonsense"),
          (file: string) => rmSync(file),
          (file: string) => {
            rmSync(file)
            mkdirSync(file)
          },
          (file: string) => {
            rmSync(file)
            execFileSync("mkfifo", [file])
          }
        ]
      ) {
        const folder = yield* damaged(damage)
        // It was killed soon after the opening.
        const summary = { ...readMeta(folder).summary, last_seq: 0, last_active_at: 0 }
        writeMeta(folder, { summary, pid: 2 ** 30, pid_started: "1" })
        rmSync(join(folder, "sessions", "s", "lock.1"))
        const old = yield* openIn(yield* start(folder), SessionId.make("old"))
        old.say(started)
        yield* old.close
        yield* TestClock.adjust("60 days")
        const journal = yield* start(folder)
        yield* Effect.promise(() => until(() => !existsSync(join(folder, "sessions", "old"))))
        assert.isTrue(Option.isSome(yield* journal.find(s)))
        assert.lengthOf(yield* journal.list, 1)
        // What cannot be read says so.
        const read = yield* Effect.result(journal.read(s, 0))
        if (read._tag === "Failure") assert.include(read.failure.message, "is not a regular file")
      }
    }))

  it.effect("has a record that is no file, and waits for nobody to write into it", () =>
    Effect.gen(function*() {
      const folder = yield* damaged(() => {})
      rmSync(metaOf(folder))
      execFileSync("mkfifo", [metaOf(folder)])
      const journal = yield* start(folder)
      assert.strictEqual(Option.getOrThrow(yield* journal.find(s)).summary.last_seq, many - 1)
    }))
})

describe("the journal", () => {
  it.effect("knows no session at first", () =>
    Effect.gen(function*() {
      const journal = yield* start(yield* newFolder)
      assert.isTrue(Option.isNone(yield* journal.find(s)))
      assert.isUndefined(yield* journal.read(s, 0))
      assert.isEmpty(yield* journal.list)
      assert.isUndefined(journal.trouble())
    }))

  it.effect("finds a session again, with what it was opened with and what became of it", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const { close, say } = yield* openIn(yield* start(folder), s, handshakeOf({ model: "m" }))
      yield* TestClock.adjust("10 seconds")
      say(started, begin("a"), end)
      yield* TestClock.adjust("10 seconds")
      say(begin("b"), end)
      yield* close

      const journal = yield* start(folder)
      const { handshake, summary } = Option.getOrThrow(yield* journal.find(s))
      assert.deepStrictEqual(handshake, handshakeOf({ model: "m" }))
      const { known_prompts = [], ...told } = summary
      assert.deepStrictEqual(told, {
        session_id: s,
        tool: "fake",
        folder: "/work",
        title: "a",
        native_session_id: "native-1",
        created_at: 10,
        last_active_at: 20,
        last_seq: 5,
        turns: 2,
        cost_usd: 0.5,
        pending: [],
        queued: [],
        acknowledged: ["a", "b"]
      })
      assert.lengthOf(known_prompts, 2)
      const again = yield* openIn(journal)
      assert.deepStrictEqual(again.summary, summary)
      assert.strictEqual(again.log.lastSeq(), 5)
    }))

  it.effect("after a kill knows every event, and what was left open", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const { say } = yield* openIn(yield* start(folder))
      say(started, begin("a"), end, begin("b"))
      say({ type: "input_ack", status: "sent", message_id: "b" })
      say({ type: "input_ack", status: "queued", message_id: "c" })
      say({ type: "input_ack", status: "queued", message_id: "d" })
      say({ type: "input_ack", status: "cancelled", message_id: "d" })
      say({ type: "permission_request", request_id: RequestId.make("p"), metadata: { kind: "tool" } })
      say({ type: "permission_request", request_id: RequestId.make("q"), metadata: { kind: "tool" } })
      say({ type: "control_response", request_id: RequestId.make("p"), status: "allow" })
      say({ type: "status", status: "init", metadata: { native_session_id: "native-2" } })

      const journal = yield* start(yield* killed(folder))
      const found = Option.getOrThrow(yield* journal.find(s))
      const { log, summary } = yield* openIn(journal)
      assert.deepStrictEqual(found.summary, summary)
      assert.deepInclude(summary, {
        native_session_id: "native-2",
        last_seq: 12,
        turns: 2,
        open_turn: 2,
        pending: ["q"],
        queued: ["c"],
        acknowledged: ["a", "b"]
      })
      assert.strictEqual(log.lastSeq(), 12)
    }))

  it.effect("lists sessions, the most recently active first", () =>
    Effect.gen(function*() {
      const journal = yield* start(yield* newFolder)
      for (const name of ["one", "two", "three"]) {
        const { close, say } = yield* openIn(journal, SessionId.make(name))
        yield* TestClock.adjust("1 minute")
        say(started)
        if (name !== "two") yield* close
      }
      assert.deepStrictEqual((yield* journal.list).map(({ listing }) => listing.session_id), [
        "three",
        "two",
        "one"
      ])
    }))

  it.effect("shows a session to who only reads it, and changes nothing", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const { say } = yield* openIn(yield* start(folder))
      say(started, begin("a"))
      const file = join(folder, "sessions", "s", "000000000001.ndjson")
      // Another relay may be in the middle of a line.
      writeFileSync(file, "{\"type\":\"stdout", { flag: "a" })
      const before = readFileSync(file)
      const reader = yield* start(folder)
      assert.deepStrictEqual((yield* framesOf(reader, 0)).map((frame) => JSON.parse(frame).seq), [1, 2])
      assert.lengthOf(yield* framesOf(reader, 2), 0)
      assert.isTrue(readFileSync(file).equals(before))
    }))

  it.effect("keeps nothing of a session in which nothing happened", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const journal = yield* start(folder)
      const { close } = yield* openIn(journal)
      assert.lengthOf(yield* journal.list, 1)
      yield* close
      assert.isEmpty(readdirSync(join(folder, "sessions")))
    }))

  it.effect("says what to do when its folder cannot be used", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      writeFileSync(join(folder, "file"), "")
      const failure = yield* Effect.flip(start(join(folder, "file")))
      assert.strictEqual(failure._tag, "JournalFailed")
      assert.include(failure.message, "--no-state")
      const journal = yield* start(folder)
      writeFileSync(join(folder, "sessions", "s"), "")
      const refusal = yield* Effect.flip(openIn(journal))
      assert.strictEqual(refusal._tag, "JournalFailed")
    }).pipe(Effect.scoped))

  it.effect("is for its owner's eyes only", () =>
    Effect.gen(function*() {
      const folder = join(yield* newFolder, "state")
      const { say } = yield* openIn(yield* start(folder))
      say(started, begin("a"), end)
      for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        const stat = statSync(join(folder, path))
        assert.strictEqual((stat.mode & 0o777).toString(8), stat.isDirectory() ? "700" : "600", path)
      }
      assert.strictEqual((statSync(folder).mode & 0o777).toString(8), "700")
    }))

  it.effect("holds no secret of the handshake in any file", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const handshake = handshakeOf({
        token: "secret-token",
        env: { ANTHROPIC_API_KEY: "secret-key" },
        snowflake: {
          account_url: "https://x.snowflakecomputing.com",
          token: "secret-pat",
          token_env: "SNOWFLAKE_PAT"
        }
      })
      const { close, say } = yield* openIn(yield* start(folder), s, handshake)
      say(started, begin("a"), end)
      const searchAll = () => {
        const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
          .map((path) => join(folder, path))
          .filter((path) => statSync(path).isFile())
        assert.lengthOf(files, 3)
        for (const file of files) assert.notInclude(readFileSync(file, "utf8"), "secret")
      }
      searchAll()
      yield* close
      searchAll()
      assert.deepStrictEqual(readMeta(folder).handshake.snowflake, {
        account_url: "https://x.snowflakecomputing.com",
        token_env: "SNOWFLAKE_PAT"
      })
    }))
})

describe("a session whose meta.json is of no use", () => {
  /** A session with two turns, one of them cut; a relay that finds its `meta.json` spoiled. */
  const spoiled = Effect.fnUntraced(function*(spoil: (meta: string) => void) {
    const folder = yield* newFolder
    const { say } = yield* openIn(yield* start(folder), s, handshakeOf({ model: "m" }))
    say(started, begin("a"), end, begin("b"))
    const left = yield* killed(folder)
    spoil(metaOf(left))
    return { folder: left, journal: yield* start(left) }
  })

  const spoils: ReadonlyArray<readonly [string, (meta: string) => void]> = [
    ["missing", (meta) => rmSync(meta)],
    ["empty", (meta) => truncateSync(meta)],
    ["torn", (meta) => truncateSync(meta, 100)],
    ["zeros", (meta) => writeFileSync(meta, Buffer.alloc(500))],
    ["of another program", (meta) => writeFileSync(meta, "{\"hello\":1}")]
  ]
  for (const [what, spoil] of spoils) {
    it.effect(`(${what}) is told by its events`, () =>
      Effect.gen(function*() {
        const { journal } = yield* spoiled(spoil)
        const { handshake, summary } = Option.getOrThrow(yield* journal.find(s))
        assert.deepStrictEqual(handshake, handshakeOf())
        assert.deepInclude(summary, {
          native_session_id: "native-1",
          last_seq: 4,
          turns: 2,
          open_turn: 2,
          cost_usd: 0.25
        })
        assert.lengthOf(yield* journal.list, 1)
        const again = yield* openIn(journal)
        assert.deepStrictEqual(again.summary, summary)
        assert.lengthOf(yield* framesOf(journal, 0), 4)
      }))
  }

  it.effect("(ahead of the events, which went with the machine) is told by its events", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const { close, say } = yield* openIn(yield* start(folder))
      say(started, begin("a"), end, begin("b"))
      const file = join(folder, "sessions", "s", "000000000001.ndjson")
      const { size } = statSync(file)
      say(end, begin("c"), end)
      yield* close
      truncateSync(file, size)
      const { log, summary } = yield* openIn(yield* start(folder))
      assert.deepInclude(summary, {
        last_seq: 4,
        turns: 2,
        open_turn: 2,
        cost_usd: 0.25,
        acknowledged: ["a", "b"]
      })
      assert.strictEqual(log.lastSeq(), 4)
    }))
})

describe("a session that is open in another relay", () => {
  // A process that is certainly another, and alive.
  const other = process.ppid

  it.effect("is not opened a second time", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const { say } = yield* openIn(yield* start(folder))
      say(started)
      assert.strictEqual(readMeta(folder).pid, process.pid)
      writeMeta(folder, { pid: other, pid_started: undefined })
      const failure = yield* Effect.flip(openIn(yield* start(folder)))
      assert.strictEqual(failure._tag, "SessionInUse")
      assert.include(failure.message, `process ${other}`)
    }))

  it.effect("can be opened as soon as that one has closed it", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const { close, say } = yield* openIn(yield* start(folder))
      say(started, begin("a"), end)
      yield* close
      assert.notProperty(readMeta(folder), "pid")
      assert.strictEqual(readMeta(folder).summary.last_seq, 3)
    }))

  it.effect("can be opened when that one is dead, or its number belongs to somebody else by now", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const { say } = yield* openIn(yield* start(folder))
      say(started)
      writeMeta(folder, { pid: 2 ** 22 + 1, pid_started: undefined })
      assert.strictEqual((yield* openIn(yield* start(folder))).summary.last_seq, 1)
      if (process.platform !== "linux") return
      writeMeta(folder, { pid: other, pid_started: "1" })
      assert.strictEqual((yield* openIn(yield* start(folder))).summary.last_seq, 1)
    }))
})

describe("sessions nobody has used for long", () => {
  const day = 24 * 60 * 60

  it.effect("are forgotten when a relay starts, and once a day", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const journal = yield* start(folder)
      const names = () => readdirSync(join(folder, "sessions")).toSorted()
      for (const name of ["old", "kept", "live", "spoiled"]) {
        const { close, say } = yield* openIn(journal, SessionId.make(name))
        say(started)
        if (name !== "live") yield* close
      }
      writeFileSync(metaOf(folder, "spoiled"), "")
      writeMeta(
        folder,
        { summary: { ...readMeta(folder, "kept").summary, last_active_at: 20 * day } },
        "kept"
      )
      yield* TestClock.adjust("29 days")
      yield* start(folder)
      assert.deepStrictEqual(names(), ["kept", "live", "old", "spoiled"])
      // The relay that has run all the time. It may still have been at an earlier day's look when the next one came.
      const isDone = () => names().join() === "kept,live"
      for (let day = 30; day < 40 && !isDone(); day++) {
        yield* TestClock.adjust("1 day")
        yield* Effect.promise(() => until(isDone, 300).catch(() => {}))
      }
      assert.isTrue(isDone())
      yield* start(folder, { journal_days: 1 })
      yield* Effect.promise(() => until(() => names().join() === "live"))
    }))

  it.effect("go before others when there are too many, or too much, but never one that is live", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const journal = yield* start(folder)
      const names = () => readdirSync(join(folder, "sessions")).toSorted().join()
      for (const name of ["live", "a", "b", "c", "d"]) {
        const { close, say } = yield* openIn(journal, SessionId.make(name))
        say(started, { type: "stdout", text: "x".repeat(10_000) })
        if (name !== "live") yield* close
        yield* TestClock.adjust("1 minute")
      }
      yield* start(folder, { max_kept_sessions: 3 })
      yield* Effect.promise(() => until(() => names() === "c,d,live"))
      yield* start(folder, { journal_total_bytes: 25_000 })
      yield* Effect.promise(() => until(() => names() === "d,live"))
      assert.deepStrictEqual(
        (yield* journal.list).map(({ listing }) => listing.session_id),
        [SessionId.make("d"), SessionId.make("live")]
      )
    }))

  it.effect("count with what was attached to them", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const journal = yield* start(folder)
      const names = () => readdirSync(join(folder, "sessions")).toSorted().join()
      for (const name of ["a", "b"]) {
        const { close, say } = yield* openIn(journal, SessionId.make(name))
        say(started)
        yield* close
        mkdirSync(join(folder, "sessions", name, "attachments"))
        writeFileSync(join(folder, "sessions", name, "attachments", "report.pdf"), "x".repeat(50_000))
        yield* TestClock.adjust("1 minute")
      }
      yield* start(folder, { journal_total_bytes: 80_000 })
      yield* Effect.promise(() => until(() => names() === "b"))
    }))

  it.effect("stay if another relay opens them while it looks for old ones", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const journal = yield* start(folder)
      for (const name of ["a", "b"]) {
        const { close, say } = yield* openIn(journal, SessionId.make(name))
        say(started)
        yield* close
      }
      // Its `meta.json` does not say yet that it is open.
      const mine = join(folder, "sessions", "b")
      const lock = SessionLock.acquire(mine, SessionRecord.relayName(), SessionRecord.isRelayAlive)
      assert.notTypeOf(lock, "string")
      yield* TestClock.adjust("40 days")
      yield* start(folder)
      yield* Effect.promise(() => until(() => !existsSync(join(folder, "sessions", "a"))))
      assert.isTrue(existsSync(mine))
    }))

  it.effect("are limited together while they are live: each has its part of what all may keep", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const journal = yield* start(folder, {
        journal_bytes: 400_000,
        journal_total_bytes: 200_000
      })
      const sessions = yield* Effect.forEach(["a", "b"], (name) => openIn(journal, SessionId.make(name)))
      for (let n = 0; n < 50; n++) {
        for (const { say } of sessions) say({ type: "stdout", text: "x".repeat(10_000) })
        yield* Effect.yieldNow
      }
      for (const { close } of sessions) yield* close
      const sizeOf = (name: string) =>
        readdirSync(join(folder, "sessions", name))
          .reduce((sum, file) => sum + statSync(join(folder, "sessions", name, file)).size, 0)
      // A file is an eighth of what one session may keep, and the newest stays.
      for (const name of ["a", "b"]) assert.isBelow(sizeOf(name), 100_000 + 2 * 60_000)
    }))

  it.effect("stay when they cannot be removed, and hinder nobody", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      writeFileSync(join(folder, "no-session"), "")
      yield* start(folder)
      writeFileSync(join(folder, "sessions", "not-a-folder"), "")
      yield* TestClock.adjust("40 days")
      const journal = yield* start(folder)
      assert.isEmpty(yield* journal.list)
      assert.isTrue(existsSync(join(folder, "sessions", "not-a-folder")))
    }))

  it.effect("forgets a session, and keeps no MCP server's secrets of any", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const journal = yield* start(folder)
      const mcp_servers = [{ name: "db", command: "db-mcp", env: { KEY: "secret" } }]
      const session = yield* openIn(journal, s, handshakeOf({ mcp_servers, must_exist: true, front: "x" }))
      session.say(started, begin("one"), end)
      yield* session.close
      assert.notInclude(JSON.stringify(readMeta(folder)), "secret")
      assert.hasAllKeys(readMeta(folder).handshake, ["tool", "folder", "session_id"])
      assert.isTrue(yield* journal.forget(s))
      assert.isFalse(yield* journal.forget(s))
      assert.isTrue(Option.isNone(yield* journal.find(s)))
      assert.isFalse(existsSync(join(folder, "sessions", "s")))
    }))
})
