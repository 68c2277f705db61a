/** What a session's folder shows of itself: what lies in it, nothing else, however names and links are laid. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { pbkdf2 } from "node:crypto"
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough, Readable } from "node:stream"
import { setImmediate } from "node:timers/promises"
import { promisify } from "node:util"
import { afterAll } from "vitest"
import { keep, putInFolder, safeName, type Uploads } from "../../../src/services/workspace/attachments.js"
import * as Finder from "../../../src/services/workspace/FileFinder.js"
import { list, read, wholeTo } from "../../../src/services/workspace/FileTree.js"
import { prepare, search } from "../../../src/services/workspace/fuzzy.js"
import { type Inside, openIn, partsOf, placeIn } from "../../../src/services/workspace/insideFolder.js"
import type { WorkspaceRefused } from "../../../src/services/workspace/WorkspaceRefused.js"

const base = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-files-")))
afterAll(() => rmSync(base, { recursive: true, force: true }))

let count = 0
const fresh = (files: Readonly<Record<string, string>> = {}): Inside => {
  const folder = join(base, `f-${count++}`)
  mkdirSync(folder)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return { folder, hides: () => false }
}
const why = <A>(effect: Effect.Effect<A, WorkspaceRefused>) =>
  Effect.match(effect, { onFailure: ({ why }): string => why, onSuccess: () => "shown" })

/** Another process that exchanges two names until it is ended, or who started it is gone. */
const swap = (left: string, right: string) => {
  const code =
    `const fs = require("fs"); const [a, b] = process.argv.slice(1); const c = a + ".tmp", parent = process.ppid
while (process.ppid === parent) { try { fs.renameSync(a, c); fs.renameSync(b, a); fs.renameSync(c, b) } catch {} }`
  return spawn(process.execPath, ["-e", code, left, right], { stdio: "ignore" })
}

const secret = join(base, "secret")
writeFileSync(secret, "SECRET")

describe("a path", () => {
  it("starts in the folder, and stays there", () => {
    for (
      const path of ["../secret", "a/../../secret", "/etc/passwd", "a\0b", "..", "x/..", "a".repeat(5000)]
    ) {
      assert.isUndefined(partsOf(path), path)
    }
    for (
      const path of [
        "",
        "a",
        "a//b/",
        "./a",
        "...",
        "a..b",
        "-rf",
        "a b",
        "é",
        "e\u0301",
        "a\nb",
        "..\\secret"
      ]
    ) {
      assert.isDefined(partsOf(path), path)
    }
  })

  it.effect("is compared after links are followed", () =>
    Effect.gen(function*() {
      const inside = fresh({ "src/a.txt": "A", "..secret": "mine" })
      const { folder } = inside
      symlinkSync(secret, join(folder, "out"))
      symlinkSync("..", join(folder, "up"))
      symlinkSync("src/a.txt", join(folder, "in"))
      symlinkSync("src", join(folder, "dir"))
      symlinkSync("loop", join(folder, "loop"))
      symlinkSync("nowhere", join(folder, "dead"))
      assert.strictEqual(yield* why(read(inside, "out")), "forbidden")
      assert.strictEqual(yield* why(read(inside, "up/secret")), "forbidden")
      assert.strictEqual(yield* why(list(inside, "up")), "forbidden")
      assert.strictEqual(yield* why(read(inside, "loop")), "missing")
      assert.strictEqual(yield* why(read(inside, "dead")), "missing")
      assert.strictEqual((yield* read(inside, "in")).text, "A")
      assert.strictEqual((yield* read(inside, "dir/a.txt")).text, "A")
      assert.strictEqual((yield* read(inside, "..secret")).text, "mine")
      // A neighbour whose name begins alike is no part of it.
      mkdirSync(`${folder}x`)
      writeFileSync(join(`${folder}x`, "s"), "S")
      symlinkSync(`${folder}x`, join(folder, "alike"))
      assert.strictEqual(yield* why(read(inside, "alike/s")), "forbidden")
    }))

  it.effect("never shows git's own files or the relay's, whatever leads to them", () =>
    Effect.gen(function*() {
      const { folder } = fresh({
        ".git/config": "password",
        "sub/.GIT/config": "p",
        ".gitignore": "x",
        "state/token": "t"
      })
      const state = join(folder, "state")
      const inside: Inside = { folder, hides: (real) => real === state || real.startsWith(`${state}/`) }
      symlinkSync(".git", join(folder, "g"))
      symlinkSync("state", join(folder, "s"))
      for (const path of [".git/config", "g/config", "sub/.GIT/config", "state/token", "s/token"]) {
        assert.strictEqual(yield* why(read(inside, path)), "forbidden", path)
      }
      const { entries } = yield* list(inside, "")
      assert.deepStrictEqual(entries.map(({ name }) => name), ["sub", ".gitignore", "g", "s"])
      assert.deepInclude(entries[2], { kind: "link" })
      assert.notProperty(entries[2], "leads_to")
    }))

  it.live("reads no file that a folder was exchanged for meanwhile", () =>
    Effect.gen(function*() {
      const inside = fresh({ "a/f": "inside" })
      const outside = join(base, `outside-${count++}`)
      mkdirSync(outside)
      writeFileSync(join(outside, "f"), "OUTSIDE")
      const { folder } = inside
      const other = join(folder, "link")
      symlinkSync(outside, other)
      // The folder and a link change places between any two of the relay's calls.
      const swapping = swap(join(folder, "a"), other)
      let shown = 0
      for (let round = 0; round < 1500; round++) {
        const found = yield* Effect.exit(read(inside, "a/f"))
        if (Exit.isSuccess(found)) {
          assert.strictEqual(found.value.text, "inside")
          shown += 1
        }
      }
      swapping.kill()
      assert.isAbove(shown, 0)
    }), 30_000)

  it.effect.skipIf(process.platform !== "linux")(
    "that was opened is looked at again where it lies, not where it was named",
    () =>
      Effect.gen(function*() {
        const inside = fresh({ "a/f": "inside" })
        const { folder } = inside
        const real = yield* placeIn(inside, "a")
        const scope = yield* Scope.make()
        const opened = yield* Scope.provide(openIn(inside, "a", "folder"), scope)
        renameSync(join(folder, "a"), join(base, `moved-${count}`))
        symlinkSync("/etc", real)
        // What was opened stays what it was.
        assert.strictEqual(readFileSync(`/proc/self/fd/${opened.fd}/f`, "utf8"), "inside")
        yield* Scope.close(scope, Exit.void)
      })
  )

  it.effect("of a pipe, a device or a folder is not read, and nobody waits for it", () =>
    Effect.gen(function*() {
      const inside = fresh({ "d/f": "" })
      execFileSync("mkfifo", [join(inside.folder, "pipe")])
      symlinkSync("pipe", join(inside.folder, "p"))
      assert.strictEqual(yield* why(read(inside, "pipe")), "wrong")
      assert.strictEqual(yield* why(read(inside, "p")), "wrong")
      assert.strictEqual(yield* why(read(inside, "d")), "wrong")
      assert.strictEqual(yield* why(list(inside, "d/f")), "wrong")
      assert.deepInclude((yield* list(inside, "")).entries.find(({ name }) => name === "pipe"), {
        kind: "other"
      })
      assert.strictEqual(yield* why(read(inside, "d/none")), "missing")
    }))
})

describe("a folder", () => {
  it.effect("tells its first 2,000 entries, folders first, and that there are more", () =>
    Effect.gen(function*() {
      const inside = fresh({ "z/f": "" })
      for (let index = 0; index < 2100; index++) writeFileSync(join(inside.folder, `f${index}`), "")
      const { entries, truncated } = yield* list(inside, "")
      assert.lengthOf(entries, 2000)
      assert.isTrue(truncated)
      assert.deepInclude(entries[0], { name: "z", kind: "folder" })
    }))

  it.effect("tells names as they are, and says which cannot be asked for", () =>
    Effect.gen(function*() {
      const names = ["-rf", "a\nb", "\"q\" 'r'", "é", "$(x)", "\u202egnp.exe", ".dot"]
      const inside = fresh(Object.fromEntries(names.map((name) => [name, name])))
      writeFileSync(Buffer.concat([Buffer.from(`${inside.folder}/`), Buffer.from([0xff, 0x61])]), "")
      const { entries } = yield* list(inside, "")
      assert.sameMembers(entries.filter(({ unnameable }) => !unnameable).map(({ name }) => name), names)
      assert.lengthOf(entries.filter(({ unnameable }) => unnameable), 1)
      assert.isTrue(entries.find(({ name }) => name === ".dot")?.hidden)
      for (const name of names) assert.strictEqual((yield* read(inside, name)).text, name)
    }))
})

describe("a file", () => {
  it.effect("is read in parts that end with whole characters, and put together is itself", () =>
    Effect.gen(function*() {
      const text = "aé漢🙂\n".repeat(40)
      const inside = fresh({ f: text })
      for (const length of [4, 5, 7, 64, 1000]) {
        let whole = ""
        let offset: number | undefined = 0
        while (offset !== undefined) {
          const part: { readonly text?: string; readonly next_offset?: number } = yield* read(
            inside,
            "f",
            offset,
            length
          )
          assert.notInclude(part.text, "\ufffd")
          whole += part.text
          offset = part.next_offset
        }
        assert.strictEqual(whole, text)
      }
    }))

  it.effect("that is no text is told as such", () =>
    Effect.gen(function*() {
      const inside = fresh({ bin: "\x7fELF\0\0", empty: "" })
      assert.deepInclude(yield* read(inside, "bin"), { binary: true, size: 6 })
      assert.notProperty(yield* read(inside, "bin"), "text")
      assert.deepInclude(yield* read(inside, "empty"), { text: "", size: 0 })
      assert.deepInclude(yield* read(inside, "empty", 99), { text: "" })
    }))

  it("is cut nowhere if its end is no text", () => {
    assert.strictEqual(wholeTo(Buffer.from([0x61, 0x80, 0x80, 0x80, 0x80])), 5)
    assert.strictEqual(wholeTo(Buffer.from([0x61, 0xe6, 0xbc])), 1)
    assert.strictEqual(wholeTo(Buffer.from("é")), 2)
    assert.strictEqual(wholeTo(Buffer.alloc(0)), 0)
  })

  it.effect("with a second name inside is shown: it lies in the folder, too", () =>
    Effect.gen(function*() {
      const inside = fresh({ a: "A" })
      linkSync(join(inside.folder, "a"), join(inside.folder, "b"))
      assert.strictEqual((yield* read(inside, "b")).text, "A")
    }))
})

describe("finding files", () => {
  const paths = [
    "src/server/Connection.ts",
    "src/server/ConnectionLimiter.ts",
    "test/server/connection.test.ts",
    "src/console/components/Composer.tsx",
    "README.md",
    "docs/readme-notes.md",
    "İstanbul/ok.ts"
  ]
  const find = (query: string) => search(prepare(paths), query, 3)

  it("puts the name before the path, and the whole before a part", () => {
    assert.strictEqual(find("connection.ts")[0], "src/server/Connection.ts")
    assert.strictEqual(find("readme")[0], "README.md")
    assert.strictEqual(find("cmpsr")[0], "src/console/components/Composer.tsx")
    assert.strictEqual(find("test connection")[0], "test/server/connection.test.ts")
    assert.strictEqual(find("server/lim")[0], "src/server/ConnectionLimiter.ts")
    assert.strictEqual(find("serv lim")[0], "src/server/ConnectionLimiter.ts")
    assert.deepStrictEqual(find("zzz"), [])
    assert.strictEqual(find("")[0], "README.md")
    assert.strictEqual(find("ok.ts")[0], "İstanbul/ok.ts")
  })

  it("gives the best few, as sorting all would", () => {
    const many = Array.from({ length: 500 }, (_, index) => `d${index % 7}/f${(index * 7919) % 500}.ts`)
    const all = search(prepare(many), "f1", 500)
    assert.deepStrictEqual(search(prepare(many), "f1", 20), all.slice(0, 20))
    assert.strictEqual(new Set(all).size, all.length)
  })

  it("answers over 50,000 files within 50 ms of work", () => {
    const many = prepare(
      Array.from(
        { length: 50_000 },
        (_, index) => `packages/p${index % 97}/src/feature${index % 1009}/Component${index}.test.tsx`
      )
    )
    for (const query of ["c", "component4999", "p12 cmp 77", "featcomp", "zq"]) {
      search(many, query, 20)
      const best = Math.min(...Array.from({ length: 5 }, () => {
        const before = process.cpuUsage()
        search(many, query, 20)
        const { system, user } = process.cpuUsage(before)
        return (system + user) / 1000
      }))
      assert.isBelow(best, 50, query)
    }
  })

  it.effect("without git passes over what tools put there", () =>
    Effect.gen(function*() {
      const inside = fresh({
        "a/b.ts": "",
        "node_modules/x/b.ts": "",
        "deep/node_modules/b.ts": "",
        ".git/b.ts": "",
        ".env": ""
      })
      const scope = yield* Effect.scope
      const found = yield* Finder.make(scope).find(inside, Effect.succeed(undefined), "b", 10).pipe(
        Effect.orDie
      )
      assert.deepStrictEqual(found, { files: ["a/b.ts"], complete: true })
    }).pipe(Effect.scoped))
})

describe("an attachment", () => {
  it("gets a name that leads nowhere and is no option, hidden or misleading", () => {
    const cases: Readonly<Record<string, string>> = {
      "../../etc/passwd": "passwd",
      "C:\\Users\\me\\a.pdf": "a.pdf",
      "-rf": "_rf",
      ".bashrc": "_bashrc",
      "a\nb\0c.txt": "abc.txt",
      "\u202egnp.exe": "gnp.exe",
      "": "file",
      "..": "_",
      "a b (1).pdf": "a b (1).pdf",
      "x;$(rm)`y`.sh": "x__(rm)_y_.sh",
      "übung 漢字.txt": "übung 漢字.txt"
    }
    for (const [given, wanted] of Object.entries(cases)) assert.strictEqual(safeName(given), wanted, given)
    const long = safeName("漢".repeat(300) + ".pdf")
    assert.isBelow(Buffer.byteLength(long), 200)
    assert.match(long, /漢\.pdf$/)
  })

  it.live("is kept as it came, and writes over nothing", () =>
    Effect.gen(function*() {
      const { folder } = fresh()
      const bytes = Buffer.from([0, 255, 1, 2])
      const keepHere = (from: Readable, name: string) => keep(from, name, folder, new Map())
      const first = yield* keepHere(Readable.from([bytes]), "a.bin")
      const second = yield* keepHere(Readable.from([Buffer.from("x")]), "a.bin")
      assert.deepStrictEqual(readFileSync(first.path), bytes)
      assert.deepInclude(second, { name: "a-2.bin", size: 1 })
      assert.strictEqual(
        yield* why(keepHere(Readable.from([Buffer.alloc(51 * 1024 * 1024)]), "b")),
        "too_large"
      )
      // What was too large is gone again.
      assert.strictEqual((yield* keepHere(Readable.from([Buffer.from("y")]), "b")).name, "b")
    }))

  it.live("shares its session's limit with those that are uploaded at the same time", () =>
    Effect.gen(function*() {
      const { folder } = fresh()
      const uploads: Uploads = new Map()
      mkdirSync(join(folder, "attachments"))
      // It takes no space on disk.
      writeFileSync(join(folder, "attachments/old"), "")
      truncateSync(join(folder, "attachments/old"), 500 * 1024 * 1024 - 1000)
      const send = (name: string) =>
        keep(Readable.from([Buffer.alloc(600), Buffer.alloc(400)]), name, folder, uploads)
      const sent = yield* Effect.all(
        ["a", "b", "c"].map((name) => Effect.result(send(name))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(sent.map(({ _tag }) => _tag).toSorted(), ["Failure", "Failure", "Success"])
      // What was refused counts no more, and is gone.
      assert.strictEqual(
        yield* why(keep(Readable.from([Buffer.alloc(1)]), "e", folder, uploads)),
        "too_large"
      )
      assert.lengthOf(readdirSync(join(folder, "attachments")), 2)
      assert.strictEqual(uploads.size, 0)
    }))

  it.live("is refused if its session is deleted meanwhile, and does not bring it back", () =>
    Effect.gen(function*() {
      const { folder } = fresh()
      const content = new PassThrough()
      const sending = yield* Effect.forkChild(Effect.result(keep(content, "a", folder, new Map())))
      yield* Effect.sync(() => content.write("x"))
      while (!existsSync(join(folder, "attachments/a"))) yield* Effect.yieldNow
      rmSync(folder, { recursive: true })
      content.end()
      const how = yield* Fiber.join(sending)
      assert.strictEqual(how._tag === "Failure" ? how.failure.why : how._tag, "missing")
      assert.strictEqual(yield* why(keep(Readable.from([]), "b", folder, new Map())), "missing")
      assert.isFalse(existsSync(folder))
    }))

  for (const how of ["cut off", "interrupted"] as const) {
    it.live(`an upload that is ${how} never writes into the file that is opened after it`, () =>
      Effect.gen(function*() {
        const { folder } = fresh()
        const content = new PassThrough()
        const sending = yield* Effect.forkChild(Effect.result(keep(content, "a", folder, new Map())))
        while (!existsSync(join(folder, "attachments/a"))) yield* Effect.yieldNow
        // Threads that are busy keep the write waiting.
        const busy = Array.from({ length: 8 }, () => promisify(pbkdf2)("", "", 100_000, 64, "sha512"))
        content.write(Buffer.alloc(1000, "x"))
        yield* Effect.promise(() => setImmediate())
        if (how === "cut off") content.destroy()
        else yield* Fiber.interrupt(sending)
        yield* Fiber.await(sending)
        const next = join(folder, "next")
        const fd = openSync(next, "w")
        yield* Effect.promise(() => Promise.all(busy))
        yield* Effect.promise(() => stat(next))
        closeSync(fd)
        assert.strictEqual(readFileSync(next, "utf8"), "")
      }))
  }

  it.live("is put into the session's folder through no link", () =>
    Effect.gen(function*() {
      const inside = fresh()
      const put = yield* putInFolder(Readable.from([Buffer.from("x")]), "a.txt", inside)
      assert.strictEqual(put.path, join(inside.folder, "attachments/a.txt"))
      assert.strictEqual(readFileSync(put.path, "utf8"), "x")
      const other = fresh()
      symlinkSync(tmpdir(), join(other.folder, "attachments"))
      assert.strictEqual(
        yield* why(putInFolder(Readable.from([Buffer.from("x")]), "a.txt", other)),
        "forbidden"
      )
    }))
})
