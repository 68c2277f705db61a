/** The file of a script is used again when it fits, and replaced when it does not. */
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { isWanted, keepCompiled } from "../../src/cli/codeCache.js"

describe("codeCache", () => {
  let home: string
  let program: string
  let folder: string
  const script = () => join(program, "answer.cjs")

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "ai-relay-code-"))
    program = join(home, "program")
    folder = join(home, "kept")
    mkdirSync(program)
    writeFileSync(script(), "exports.answer = () => 42\nexports.place = [__filename, __dirname, module.id]")
  })
  afterEach(() => rmSync(home, { recursive: true, force: true }))

  /** What Node was left to load. */
  const others: Array<string> = []
  /** A process of its own: what it loads, and, when it ends, writes. */
  const process = (isInspected = false) => {
    const exit = new Set(globalThis.process.listeners("exit"))
    const extensions: NodeJS.RequireExtensions = {
      ".js": (_, filename) => void others.push(filename),
      ".json": () => {},
      ".node": () => {}
    }
    keepCompiled({
      folder,
      program,
      extensions,
      underFirstFlags: (run) => run(),
      isInspected: () => isInspected
    })
    const load = (
      filename = script()
    ): { readonly answer?: () => number; readonly place?: ReadonlyArray<string> } => {
      const module = { exports: {}, id: "an id" }
      extensions[".cjs"]?.(module as NodeJS.Module, filename)
      return module.exports
    }
    const isUsed = () => extensions[".cjs"] !== undefined
    const end = () => {
      for (const listener of globalThis.process.listeners("exit")) {
        if (!exit.has(listener)) listener(0)
      }
    }
    return { load, end, isUsed }
  }
  const files = () =>
    existsSync(folder)
      ? readdirSync(folder).flatMap((version) =>
        readdirSync(join(folder, version)).map((name) => join(folder, version, name))
      )
      : []
  const once = () => {
    const { end, load } = process()
    assert.strictEqual(load().answer?.(), 42)
    end()
    const [file = "", ...more] = files()
    assert.deepStrictEqual(more, [])
    return file
  }
  /** Whether another run writes the file again. */
  const isWrittenAgain = (file: string) => {
    utimesSync(file, 1, 1)
    assert.strictEqual(once(), file)
    return statSync(file).mtimeMs > 1000
  }

  it("loads a script as Node would, and keeps what was compiled for this user alone", () => {
    const { end, load } = process()
    assert.deepStrictEqual(load().place, [script(), program, "an id"])
    assert.deepStrictEqual(files(), [])
    end()
    const [file = ""] = files()
    assert.match(file, /answer\.cjs\.bin$/)
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    assert.strictEqual(statSync(join(file, "..")).mode & 0o777, 0o700)
  })

  it("uses what is kept, and writes it again when it is damaged, cut short, empty or of another text", () => {
    const file = once()
    assert.isFalse(isWrittenAgain(file))
    const whole = readFileSync(file)
    const damaged = Buffer.from(whole)
    damaged.writeUInt8(damaged.readUInt8(whole.length >> 1) ^ 1, whole.length >> 1)
    for (const bytes of [damaged, whole.subarray(0, -9), Buffer.alloc(0), Buffer.alloc(whole.length)]) {
      writeFileSync(file, bytes)
      assert.isTrue(isWrittenAgain(file))
      assert.isFalse(isWrittenAgain(file))
    }
    // As long as before, which is all that V8 looks at.
    writeFileSync(script(), readFileSync(script(), "utf8").replace("42", "43"))
    assert.strictEqual(process().load().answer?.(), 43)
  })

  it("keeps nothing, and believes nothing, in a folder that others can write to", () => {
    const file = once()
    const version = join(file, "..")
    chmodSync(version, 0o777)
    writeFileSync(file, "")
    const { end, isUsed } = process()
    assert.isFalse(isUsed())
    end()
    assert.strictEqual(readFileSync(file, "utf8"), "")
  })

  it("reads and follows nothing but a file of this user, and puts one in the place of all else", () => {
    const file = once()
    const copy = join(home, "copy")
    copyFileSync(file, copy)
    const others: Array<() => void> = [
      // Reading it would never end.
      () => execFileSync("mkfifo", [file]),
      () => symlinkSync("/dev/zero", file),
      () => symlinkSync(copy, file),
      () => symlinkSync(file, file),
      () => {
        mkdirSync(file)
        writeFileSync(join(file, "x"), "")
      },
      () => {
        writeFileSync(file, "")
        truncateSync(file, 2 ** 31 - 1)
      },
      () => {
        copyFileSync(copy, file)
        chmodSync(file, 0o666)
      },
      ...globalThis.process.getuid?.() === 0
        ? [() => {
          copyFileSync(copy, file)
          chownSync(file, 1234, 1234)
        }]
        : []
    ]
    const unfinished = `${file}.${globalThis.process.pid}`
    for (const put of others) {
      rmSync(file)
      put()
      symlinkSync(script(), unfinished)
      assert.strictEqual(once(), file)
      const { gid, mode, size, uid } = lstatSync(file)
      assert.isTrue(lstatSync(file).isFile())
      assert.deepStrictEqual([mode & 0o777, size, uid, gid], [
        0o600,
        statSync(copy).size,
        statSync(copy).uid,
        statSync(copy).gid
      ])
    }
    assert.isTrue(readFileSync(script(), "utf8").startsWith("exports.answer"))
  })

  it("keeps the other scripts where one cannot be written", () => {
    // Its file would have a name too long for a folder.
    const long = join(program, `${"x".repeat(246)}.cjs`)
    copyFileSync(script(), long)
    const { end, load } = process()
    load(long)
    load()
    end()
    assert.deepStrictEqual(files().map((file) => basename(file)), ["answer.cjs.bin"])
  })

  it("keeps nothing where V8 counts what runs: the counters would be kept with it", () => {
    assert.isTrue(isWanted({}))
    assert.isFalse(isWanted({ NODE_V8_COVERAGE: "/tmp/coverage" }))
    assert.isFalse(isWanted({ NODE_DISABLE_COMPILE_CACHE: "1" }))
    const { end, load } = process(true)
    assert.strictEqual(load().answer?.(), 42)
    end()
    assert.deepStrictEqual(files(), [])
  })

  it("leaves scripts of others to Node", () => {
    others.length = 0
    const foreign = join(home, "foreign.cjs")
    writeFileSync(foreign, "throw new Error('not here')")
    const { end, load } = process()
    load(foreign)
    end()
    assert.deepStrictEqual(others, [foreign])
    assert.deepStrictEqual(files(), [])
  })

  it("leaves scripts of others to what was loaded before it", () => {
    const extensions: NodeJS.RequireExtensions = {
      ".js": () => assert.fail("not for this one"),
      ".cjs": (_, filename) => void others.push(filename),
      ".json": () => {},
      ".node": () => {}
    }
    others.length = 0
    keepCompiled({ folder, program, extensions, underFirstFlags: (run) => run() })
    extensions[".cjs"]?.({} as NodeJS.Module, "/elsewhere/foreign.cjs")
    assert.deepStrictEqual(others, ["/elsewhere/foreign.cjs"])
  })

  it("goes on where nothing can be kept", () => {
    writeFileSync(folder, "not a folder")
    assert.isFalse(process().isUsed())
    assert.strictEqual(readFileSync(folder, "utf8"), "not a folder")
    folder = "/proc/nowhere/kept"
    assert.isFalse(process().isUsed())
  })

  it.skipIf(globalThis.process.getuid?.() !== 0)("makes nothing as root in the home of a user", () => {
    chownSync(home, 1234, 1234)
    const { end, isUsed } = process()
    assert.isFalse(isUsed())
    end()
    assert.deepStrictEqual(readdirSync(home), ["program"])
  })

  it("removes what nothing has written for a month", () => {
    const file = once()
    const old = join(folder, "v1.2.3-0")
    mkdirSync(old)
    const unused = join(file, "../unused.cjs.bin")
    writeFileSync(unused, "")
    const unfinished = join(file, "../unused.cjs.bin.123")
    writeFileSync(unfinished, "")
    // The folder may be a link to one that is used for more.
    const thesis = join(folder, "thesis")
    mkdirSync(thesis)
    const twoMonthsAgo = Date.now() / 1000 - 60 * 24 * 60 * 60
    for (const path of [old, unused, unfinished, thesis]) utimesSync(path, twoMonthsAgo, twoMonthsAgo)
    // Not before something is written.
    const { end, load } = process()
    load()
    end()
    assert.isTrue(existsSync(old) && existsSync(unused))
    writeFileSync(file, "")
    const again = process()
    again.load()
    again.end()
    assert.deepStrictEqual([old, unused, unfinished, thesis].filter(existsSync), [thesis])
  })
})
