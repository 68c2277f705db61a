import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { execFileSync } from "node:child_process"
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Audit from "../../../src/services/access/Audit.js"

const newFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-audit-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const open = (options: Audit.AuditOptions) =>
  Effect.map(Layer.build(Audit.layer(options)), (built) => Context.get(built, Audit.Audit))

const linesOf = (file: string) =>
  readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>)

describe("the audit", () => {
  it.effect("has a line per deed: who, what, when; in a file of its user's alone", () =>
    Effect.gen(function*() {
      const state_dir = yield* newFolder
      const audit = yield* open({ state_dir })
      yield* TestClock.adjust("5 seconds")
      audit.write("command", { token: "anna", address: "10.0.0.1", front: "app" }, {
        command: "end",
        session_id: "s"
      })
      const file = join(state_dir, "audit.ndjson")
      assert.deepStrictEqual(linesOf(file), [{
        ts: 5,
        what: "command",
        by: { token: "anna", address: "10.0.0.1", front: "app" },
        command: "end",
        session_id: "s"
      }])
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    }))

  it.effect("holds no secrets, no whole novels, and goes on where the relay before left off", () =>
    Effect.gen(function*() {
      const state_dir = yield* newFolder
      const file = join(state_dir, "audit.ndjson")
      writeFileSync(file, "{\"earlier\":true}\n", { mode: 0o600 })
      const audit = yield* open({ state_dir })
      audit.write("run", {}, { args: { api_key: "abc", text: "x".repeat(5000), env: { A: "hidden" } } })
      audit.write("run", {}, {
        args: Object.fromEntries(Array.from({ length: 50 }, (_, n) => [n, "y".repeat(900)]))
      })
      const [earlier, first, second] = linesOf(file)
      assert.deepStrictEqual(earlier, { earlier: true })
      assert.notInclude(JSON.stringify(first), "abc")
      assert.notInclude(JSON.stringify(first), "hidden")
      assert.isBelow(JSON.stringify(first).length, 2000)
      assert.isAbove(Number(second?.["left_out"]), 40_000)
    }))

  it.effect("begins a new line where one was cut off, and a new file where its own was moved away", () =>
    Effect.gen(function*() {
      const state_dir = yield* newFolder
      const file = join(state_dir, "audit.ndjson")
      writeFileSync(file, "{\"earlier\":true}\n{\"cut o", { mode: 0o600 })
      const audit = yield* open({ state_dir })
      audit.write("one", {})
      const [, cut, one] = readFileSync(file, "utf8").split("\n")
      assert.strictEqual(cut, "{\"cut o")
      assert.deepInclude(JSON.parse(one ?? ""), { what: "one" })
      renameSync(file, `${file}.old`)
      audit.write("two", {})
      rmSync(file)
      audit.write("three", {})
      assert.deepStrictEqual(linesOf(file).map(({ what }) => what), ["three"])
      rmSync(file)
      execFileSync("mkfifo", [file])
      audit.write("nobody reads it", {})
    }))

  it.effect("holds no part of a secret that goes on behind the end of a long text", () =>
    Effect.gen(function*() {
      const state_dir = yield* newFolder
      const audit = yield* open({ state_dir })
      const words = "word ".repeat(190)
      const parts = ["eyJhbGciOiJIUzI1NiJ9", "c".repeat(9000), "signature"]
      const key = `-----BEGIN PRIVATE KEY-----\n${
        `${"MIIE".repeat(16)}\n`.repeat(200)
      }-----END PRIVATE KEY-----`
      for (
        const secret of [
          parts.join("."),
          key,
          `PASSWORD=${"P4".repeat(900)}`
        ]
      ) {
        audit.write("run", {}, { args: { text: `${words}${secret} ${words.repeat(20)}` } })
      }
      const lines = linesOf(join(state_dir, "audit.ndjson")).map((line) => JSON.stringify(line))
      assert.lengthOf(lines, 3)
      for (const line of lines) {
        assert.include(line, "[REDACTED]")
        assert.notMatch(line, /c{10}|MIIE|P4P4/)
      }
    }))

  it.effect("is rotated by size and bounded in all, and loses the oldest alone", () =>
    Effect.gen(function*() {
      const state_dir = yield* newFolder
      const audit = yield* open({ state_dir, audit_bytes: 1000, audit_files: 3 })
      for (let n = 0; n < 100; n++) audit.write("command", {}, { n })
      const names = readdirSync(state_dir).toSorted()
      assert.deepStrictEqual(names, ["audit.ndjson", "audit.ndjson.1", "audit.ndjson.2"])
      const lines = ["audit.ndjson.2", "audit.ndjson.1", "audit.ndjson"].flatMap((name) =>
        linesOf(join(state_dir, name))
      )
      for (const name of names) assert.isAtMost(statSync(join(state_dir, name)).size, 1000)
      const first = Number(lines[0]?.["n"])
      assert.deepStrictEqual(
        lines.map(({ n }) => n),
        Array.from({ length: 100 - first }, (_, n) => first + n)
      )
    }))

  it.effect("is not filled by strangers: so many lines a minute, then a count", () =>
    Effect.gen(function*() {
      const state_dir = yield* newFolder
      const audit = yield* open({ state_dir })
      for (let n = 0; n < 1000; n++) audit.writeOfStranger("refused", { address: "192.0.2.1" })
      assert.lengthOf(linesOf(join(state_dir, "audit.ndjson")), 60)
      yield* TestClock.adjust("1 minute")
      audit.writeOfStranger("refused", { address: "192.0.2.1" })
      const lines = linesOf(join(state_dir, "audit.ndjson"))
      assert.lengthOf(lines, 62)
      assert.strictEqual(lines[60]?.["left_out"], 940)
    }))

  it.effect("is never written through a link, and a relay that cannot write it goes on", () =>
    Effect.gen(function*() {
      const state_dir = yield* newFolder
      writeFileSync(join(state_dir, "elsewhere"), "")
      symlinkSync(join(state_dir, "elsewhere"), join(state_dir, "audit.ndjson"))
      const audit = yield* open({ state_dir })
      audit.write("command", {})
      assert.strictEqual(readFileSync(join(state_dir, "elsewhere"), "utf8"), "")
    }))

  it.effect("is not kept where nothing is kept", () =>
    Effect.gen(function*() {
      const audit = yield* open({})
      assert.doesNotThrow(() => audit.write("command", {}))
    }))
})
