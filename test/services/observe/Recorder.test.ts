import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted } from "effect"
import { execFileSync } from "node:child_process"
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type EventBody, SessionId } from "../../../src/schema/index.js"
import * as EventLog from "../../../src/services/log/EventLog.js"
import { Recorder } from "../../../src/services/observe/Recorder.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import { eventually } from "../../support/realAgents.js"

const home = mkdtempSync(join(tmpdir(), "recorder-"))
afterAll(() => rmSync(home, { recursive: true }))

const secret = "a very secret value"
process.env["AI_RELAY_TEST_TOKEN"] = secret
afterAll(() => void delete process.env["AI_RELAY_TEST_TOKEN"])

/** The transcripts in a folder, by name, as events. */
const transcripts = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder).toSorted().map((name) => {
      const lines = readFileSync(join(folder, name), "utf8").split("\n")
      assert.strictEqual(lines.pop(), "")
      return [name, lines.map((line) => JSON.parse(line))]
    })
  )

const recorderIn = (record: string | undefined) =>
  Recorder.layer.pipe(
    Layer.provide(RelayConfig.layer(record === undefined ? {} : { record })),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
  )

const line = (text: string): EventBody => ({ type: "stdout", text })
const last: EventBody = { type: "session_end", exit_code: 0 }

const logOf = (name: string, retain_bytes = 1e6) => EventLog.make(SessionId.make(name), { retain_bytes })

const record = (log: Effect.Success<ReturnType<typeof logOf>>) =>
  Effect.flatMap(Recorder, (recorder) => recorder.record(log))

describe("Recorder", () => {
  it.live("writes every event of a session, and is done before the relay goes down", () =>
    Effect.gen(function*() {
      const folder = join(home, "all", "of", "it")
      yield* Effect.gen(function*() {
        const log = yield* logOf("s-1")
        yield* log.append(line("before"))
        yield* record(log)
        for (let n = 0; n < 500; n++) yield* log.append(line(`line ${n}`))
        log.unsafeAppend({ type: "status", status: "native" }, Buffer.from("{ \"é\": \"\\u2028\" }"))
        yield* log.append(last)
        yield* log.close
      }).pipe(Effect.provide(recorderIn(folder)))
      const { "s-1.ndjson": events = [] } = transcripts(folder)
      assert.deepStrictEqual(
        events.map(({ seq }) => seq),
        Array.from({ length: 503 }, (_, index) => index + 1)
      )
      assert.deepInclude(events.at(-2), { raw: { "é": "\u2028" } })
      assert.deepInclude(events.at(-1), { type: "session_end", exit_code: 0, session_id: "s-1" })
    }))

  it.live("writes for nobody else's eyes", () =>
    Effect.gen(function*() {
      const folder = join(home, "private")
      yield* Effect.gen(function*() {
        const log = yield* logOf("s-1")
        yield* record(log)
        yield* log.close
      }).pipe(Effect.provide(recorderIn(folder)))
      assert.strictEqual(statSync(folder).mode & 0o777, 0o700)
      assert.strictEqual(statSync(join(folder, "s-1.ndjson")).mode & 0o777, 0o600)
    }))

  it.live("takes secrets out", () =>
    Effect.gen(function*() {
      const folder = join(home, "secrets")
      yield* Effect.gen(function*() {
        const log = yield* logOf("s-1")
        yield* record(log)
        log.unsafeAppend(
          line(`it is "${secret}"\nAKIAIOSFODNN7EXAMPLE`),
          Buffer.from(JSON.stringify({ secret }))
        )
        yield* log.close
      }).pipe(Effect.provide(recorderIn(folder)))
      const [event] = transcripts(folder)["s-1.ndjson"] ?? []
      assert.deepInclude(event, { text: "it is \"[REDACTED]\"\n[REDACTED]", raw: { secret: "[REDACTED]" } })
    }))

  it.live("keeps sessions apart, and adds to what is there", () =>
    Effect.gen(function*() {
      const folder = join(home, "several")
      for (const _ of ["first relay", "second relay"]) {
        yield* Effect.forEach(["a", "b"], (name) =>
          Effect.gen(function*() {
            const log = yield* logOf(name)
            yield* record(log)
            yield* log.append(line(name))
            yield* log.close
          })).pipe(Effect.provide(recorderIn(folder)))
      }
      const texts = Object.entries(transcripts(folder)).map(([name, events]) => [
        name,
        events.map(({ text }) => text)
      ])
      assert.deepStrictEqual(texts, [["a.ndjson", ["a", "a"]], ["b.ndjson", ["b", "b"]]])
    }))

  it.live("misses nothing of a session that says more at once than is kept", () =>
    Effect.gen(function*() {
      const folder = join(home, "large")
      const file = join(folder, "s-1.ndjson")
      yield* Effect.gen(function*() {
        const log = yield* logOf("s-1", 1000)
        yield* record(log)
        yield* log.append(line("a"))
        yield* eventually(() => existsSync(file) && readFileSync(file, "utf8") !== "")
        const client = log.unsafeFollow(0, () => {
          while (client.next() !== undefined);
        })
        assert.isFalse(log.unsafeBatch(() => log.unsafeAppend(line("x".repeat(5000)))))
        yield* Effect.callback<void>((resume) => log.unsafeOnceDrained(() => resume(Effect.void)))
        yield* log.append(last)
        yield* log.close
      }).pipe(Effect.provide(recorderIn(folder)))
      assert.deepStrictEqual(transcripts(folder)["s-1.ndjson"]?.map(({ seq }) => seq), [1, 2, 3])
    }))

  it.live("takes out a secret that is cut into pieces, the handshake's variables, and the relay's own token", () =>
    Effect.gen(function*() {
      const folder = join(home, "pieces")
      const layer = Recorder.layer.pipe(
        Layer.provide(
          RelayConfig.layer({ record: folder, secrets: [Redacted.make("the relay's own token")] })
        ),
        Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
      )
      yield* Effect.gen(function*() {
        const log = yield* logOf("s-1")
        const recorder = yield* Recorder
        yield* recorder.record(log, { env: { HANDSHAKE_SECRET: "from the handshake" } })
        for (const text of ["it is sk-ant-", "api03-AbCdEf", "GhIjKlMnOp", " or from the hand", "shake"]) {
          yield* log.append({ type: "stream_event", delta: "text", text })
        }
        yield* log.append(line("and the relay's own token"))
        yield* log.close
      }).pipe(Effect.provide(layer))
      const events = transcripts(folder)["s-1.ndjson"] ?? []
      assert.strictEqual(
        events.map(({ text }) => text).join(""),
        "it is [REDACTED] or [REDACTED]and [REDACTED]"
      )
    }))

  it.live("never writes through a link that lies where a transcript belongs, nor waits for a pipe", () =>
    Effect.gen(function*() {
      const folder = join(home, "links")
      const target = join(home, "target")
      writeFileSync(target, "mine")
      mkdirSync(folder, { recursive: true })
      symlinkSync(target, join(folder, "linked.ndjson"))
      execFileSync("mkfifo", [join(folder, "pipe.ndjson")])
      linkSync(target, join(folder, "hard.ndjson"))
      const logged: Array<string> = []
      const logger = Logger.make<unknown, void>(({ message }) => void logged.push(String(message)))
      yield* Effect.forEach(["linked", "pipe", "hard"], (name) =>
        Effect.gen(function*() {
          const log = yield* logOf(name)
          yield* record(log)
          yield* log.append(line("a"))
          yield* log.close
        })).pipe(
          Effect.provide(recorderIn(folder)),
          Effect.provide(Logger.layer([logger]))
        )
      assert.strictEqual(readFileSync(target, "utf8"), "mine")
      assert.lengthOf(logged, 3)
    }))

  it.live("goes on behind what is there when a session was opened again", () =>
    Effect.gen(function*() {
      const folder = join(home, "again")
      const life = (since: number, ...texts: ReadonlyArray<string>) =>
        Effect.gen(function*() {
          const log = yield* logOf("s-1")
          const recorder = yield* Recorder
          for (let seq = 1; seq <= since; seq++) yield* log.append(line(`old ${seq}`))
          yield* recorder.record(log, { since })
          for (const text of texts) yield* log.append(line(text))
          yield* log.close
        }).pipe(Effect.provide(recorderIn(folder)))
      yield* life(0, "old 1", "old 2")
      yield* life(2, "new 3", "new 4")
      assert.deepStrictEqual(
        transcripts(folder)["s-1.ndjson"]?.map(({ seq, text }) => [seq, text]),
        [[1, "old 1"], [2, "old 2"], [3, "new 3"], [4, "new 4"]]
      )
    }))

  it.live("does nothing unless it was asked for", () =>
    Effect.gen(function*() {
      const log = yield* logOf("s-1")
      yield* record(log)
      yield* log.append(line("a"))
    }).pipe(Effect.provide(recorderIn(undefined))))

  it.live("that cannot write says so, and the session goes on", () =>
    Effect.gen(function*() {
      const folder = join(home, "broken")
      const logged: Array<string> = []
      const logger = Logger.make<unknown, void>(({ message }) => void logged.push(String(message)))
      yield* Effect.gen(function*() {
        const log = yield* logOf("s-1")
        rmSync(folder, { recursive: true })
        writeFileSync(folder, "")
        yield* record(log)
        yield* log.append(line("a"))
        yield* log.close
      }).pipe(
        Effect.provide(recorderIn(folder)),
        Effect.provide(Logger.layer([logger]))
      )
      assert.lengthOf(logged, 1)
      assert.include(logged[0], "s-1.ndjson could not be written")
      assert.isFalse(existsSync(join(folder, "s-1.ndjson")))
    }))
})
