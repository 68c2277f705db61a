import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type EventBody, Handshake, SessionId } from "../../src/schema/index.js"
import { Journal } from "../../src/services/journal/Journal.js"
import * as EventLog from "../../src/services/log/EventLog.js"
import { RelayConfig } from "../../src/services/RelayConfig.js"
import { commandLine } from "../support/commandLine.js"

const newFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-sessions-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** What the program prints. */
const printed = (...args: ReadonlyArray<string>) =>
  Effect.map(commandLine("sessions", ...args), ({ lines }) => lines.join("\n"))

/** Sessions of a relay: each with its events; closed unless it is named `live…`. */
const keep = (state_dir: string, sessions: Readonly<Record<string, ReadonlyArray<EventBody>>>) =>
  Effect.gen(function*() {
    const journal = yield* Journal
    for (const [name, events] of Object.entries(sessions)) {
      const session_id = SessionId.make(name)
      const scope = yield* Scope.make()
      const handshake = Schema.decodeUnknownSync(Handshake)({ tool: "codex", folder: "/new", session_id })
      const log = yield* EventLog.make(
        session_id,
        yield* Scope.provide(journal.open(session_id, handshake), scope)
      )
      for (const event of events) yield* log.append(event)
      if (!name.startsWith("live")) yield* Effect.andThen(log.close, Scope.close(scope, Exit.void))
      yield* TestClock.adjust("90 minutes")
    }
  }).pipe(Effect.provide(Journal.layer.pipe(Layer.provide(RelayConfig.layer({ state_dir })))))

const started: EventBody = { type: "session_start", metadata: { tool: "claude", folder: "/work/shop" } }
const turn = (cost_usd: number): ReadonlyArray<EventBody> => [
  { type: "turn_start", text: "hi" },
  { type: "turn_end", stop_reason: "end_turn", usage: { cost_usd } }
]

describe("ai-relay sessions", () => {
  it.effect("lists the sessions that are kept, the most recently active first", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      yield* TestClock.adjust("1 minute")
      yield* keep(folder, {
        "shop-42": [started, ...turn(0.25), ...turn(1)],
        live: [started, ...turn(0)],
        "live-new": []
      })
      yield* TestClock.adjust("3 days")
      yield* keep(folder, { last: [started] })
      assert.deepStrictEqual((yield* printed("--state-dir", folder)).split("\n"), [
        "ID        TOOL    FOLDER      STATE   LAST ACTIVE  TURNS  COST",
        "last      claude  /work/shop  closed  1 h ago      0",
        "live      claude  /work/shop  live    3 days ago   1",
        "shop-42   claude  /work/shop  closed  3 days ago   2      $1.25",
        "live-new  codex   /new        live                 0"
      ])
    }))

  it.effect("gives them as JSON too, as GET /sessions does", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      yield* keep(folder, { one: [started, ...turn(0.5)] })
      const { sessions } = JSON.parse(yield* printed("--json", "--state-dir", folder))
      assert.lengthOf(sessions, 1)
      assert.deepInclude(sessions[0], {
        session_id: "one",
        state: "closed",
        turns: 1,
        cost_usd: 0.5,
        last_seq: 3
      })
    }))

  it.effect("changes nothing, finds what was killed, and passes over what is no session", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      yield* keep(folder, {
        "live-but-killed": [started, { type: "turn_start", text: "hi" }],
        spoiled: [started]
      })
      const meta = (name: string) => join(folder, "sessions", name, "meta.json")
      const killed = JSON.parse(readFileSync(meta("live-but-killed"), "utf8"))
      writeFileSync(meta("live-but-killed"), JSON.stringify({ ...killed, pid: 2 ** 22 + 1 }))
      writeFileSync(meta("spoiled"), "{")
      writeFileSync(join(folder, "sessions", "a-file"), "")
      const before = readdirSync(folder, { recursive: true })
      const { sessions } = JSON.parse(yield* printed("--json", "--state-dir", folder))
      assert.deepStrictEqual(readdirSync(folder, { recursive: true }), before)
      const told = sessions.map(({ session_id, state, tool, turns }: Record<string, unknown>) =>
        [session_id, state, tool, turns].join(" ")
      )
      assert.deepStrictEqual(told.toSorted(), ["live-but-killed closed claude 1", "spoiled closed claude 0"])
    }))

  it.effect("says so when there are none", () =>
    Effect.gen(function*() {
      const folder = join(yield* newFolder, "nothing")
      assert.strictEqual(yield* printed("--state-dir", folder), `No sessions are saved in ${folder}.`)
      assert.deepStrictEqual(JSON.parse(yield* printed("--json", "--state-dir", folder)), { sessions: [] })
    }))

  it.effect("never takes a folder that cannot be read for an empty one, nor does a test of rules", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const rules = join(folder, "rules.json")
      writeFileSync(rules, "{\"rules\":[]}", { mode: 0o600 })
      writeFileSync(join(folder, "sessions"), "")
      for (const words of [["sessions"], ["sessions", "--json"], ["policy", "test", rules]]) {
        for (const state_dir of [folder, rules]) {
          const { err, out } = yield* commandLine(...words, "--state-dir", state_dir)
          assert.deepStrictEqual(out, [])
          assert.match(
            err.join(),
            /^ai-relay: the sessions saved in .* cannot be read \(.*\): fix the permissions/
          )
          assert.strictEqual(process.exitCode, 1)
          process.exitCode = 0
        }
      }
    }))

  it.effect("names the sessions that it leaves out because they cannot be read", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      yield* keep(folder, { one: [started] })
      mkdirSync(join(folder, "sessions/odd/meta.json"), { recursive: true })
      const { err, out } = yield* commandLine("sessions", "--state-dir", folder)
      assert.lengthOf(out.join("\n").split("\n"), 2)
      assert.include(err.join(), "Left out, because they cannot be read: odd. Check their files in")
    }))
})
