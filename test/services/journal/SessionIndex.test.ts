import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SessionId } from "../../../src/schema/index.js"
import { readFolders } from "../../../src/services/journal/readFolders.js"
import * as SessionIndex from "../../../src/services/journal/SessionIndex.js"
import * as SessionRecord from "../../../src/services/journal/SessionRecord.js"
import { empty } from "../../../src/services/log/SessionSummary.js"
import { cleanUpAfterEach } from "../../support/cleanUp.js"

const cleanUp = cleanUpAfterEach()

const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "ai-relay-index-"))
  cleanUp(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const idOf = (n: number) => SessionId.make(`session-${String(n).padStart(4, "0")}`)

/** Saves a session that was last active at this second. */
const save = (folder: string, n: number, last_active_at: number, title = `No. ${n}`) => {
  const session_id = idOf(n)
  const files = join(folder, session_id)
  mkdirSync(files, { recursive: true })
  const summary = { ...empty(session_id), tool: "demo", title, last_active_at }
  const meta = join(files, "meta.json")
  writeFileSync(`${meta}.new`, SessionRecord.encode({ handshake: { session_id, tool: "demo" }, summary }))
  renameSync(`${meta}.new`, meta)
}

const titles = (index: SessionIndex.SessionIndex) =>
  Effect.map(index.list, (sessions) => sessions.map(({ listing }) => listing.title))

/** As many as a thread is started for. */
const many = 700
/** Some order that is not that of the names. */
const activeAt = (n: number) => (n * 389) % many

describe("the index of saved sessions", () => {
  for (const count of [20, many]) {
    it.effect(`lists ${count}, the most recently active first, with their marks and sizes; damaged ones and pipes are left out`, () =>
      Effect.gen(function*() {
        const folder = newFolder()
        for (let n = 0; n < count; n++) save(folder, n, activeAt(n))
        mkdirSync(join(folder, "no-session-at-all"))
        mkdirSync(join(folder, "~going"))
        writeFileSync(join(folder, idOf(3), "meta.json"), "{\"damaged\"")
        rmSync(join(folder, idOf(6), "meta.json"))
        execFileSync("mkfifo", [join(folder, idOf(6), "meta.json"), join(folder, idOf(7), "marks.json")])
        writeFileSync(join(folder, idOf(4), "marks.json"), JSON.stringify({ archived: true }))
        writeFileSync(join(folder, idOf(4), "000000000001.ndjson"), "x".repeat(1000))
        const listed = yield* SessionIndex.make(folder).list
        const expected = Array.from({ length: count }, (_, n) => n)
          .filter((n) => n !== 3 && n !== 6)
          .toSorted((left, right) => activeAt(right) - activeAt(left))
        assert.deepStrictEqual(listed.map(({ listing }) => listing.session_id), expected.map(idOf))
        const marked = listed.find(({ listing }) => listing.session_id === idOf(4))
        assert.strictEqual(marked?.marks?.archived, true)
        assert.isAbove(marked?.bytes ?? 0, 1000)
      }))
  }

  it.effect("has what changed since: new, removed and touched ones at once, and what other relays wrote", () =>
    Effect.gen(function*() {
      const folder = newFolder()
      for (let n = 0; n < many; n++) save(folder, n, activeAt(n))
      const index = SessionIndex.make(folder)
      yield* index.list
      save(folder, many, many + 1, "new")
      rmSync(join(folder, idOf(5)), { recursive: true })
      save(folder, 7, many + 2, "touched")
      index.touch(idOf(7))
      const now = yield* titles(index)
      assert.deepStrictEqual(now.slice(0, 2), ["touched", "new"])
      assert.lengthOf(now, many)
      assert.notInclude(now, "No. 5")
      assert.strictEqual(now.filter((title) => title === "No. 7" || title === "touched").length, 1)
      // Nobody says so: it is seen when everything is looked at again.
      save(folder, 9, many + 3, "by another relay")
      utimesSync(join(folder, idOf(9), "meta.json"), 1, 1)
      let found: ReadonlyArray<string | undefined> = []
      for (const since = performance.now(); found[0] !== "by another relay";) {
        assert.isBelow(performance.now() - since, 25_000)
        found = yield* titles(index)
      }
      assert.lengthOf(found, many)
    }))

  it.effect("reads here what a thread that breaks off has not read", () =>
    Effect.gen(function*() {
      const folder = newFolder()
      for (let n = 0; n < many; n++) save(folder, n, n)
      for (
        const source of [
          "throw new Error(\"no thread\")",
          "process.exit(3)",
          // Answers once.
          "require('node:worker_threads').parentPort.once('message', function () { this.postMessage([]); process.exit(0) })"
        ]
      ) {
        const found = new Set<string>()
        yield* readFolders({
          folder,
          source,
          asked: Array.from({ length: many }, (_, n) => [idOf(n), undefined]),
          use: (some) => Effect.sync(() => some.forEach(({ session_id }) => found.add(session_id))),
          pause: Effect.void
        })
        assert.strictEqual(found.size, many)
      }
    }))
})
