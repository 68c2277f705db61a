/** The index of conversations follows the disk, outlives the relay, and holds nothing a client may not see. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { NativeFiles } from "../../../src/adapters/native/NativeFiles.js"
import { Folders } from "../../../src/services/access/Folders.js"
import * as NativeDisk from "../../../src/services/native/NativeDisk.js"
import { type NativeQuery, NativeSessions } from "../../../src/services/native/NativeSessions.js"
import { RelayConfig } from "../../../src/services/RelayConfig.js"
import { cleanUpAfterEach } from "../../support/cleanUp.js"

const cleanUp = cleanUpAfterEach()
const secret = "correct-horse-battery-staple"

/** A home with Claude's conversations in it. */
const makeHome = () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "native-index-")))
  cleanUp(() => rmSync(home, { recursive: true }))
  const projectOf = (folder: string) =>
    join(home, ".claude/projects", folder.replaceAll(/[^a-zA-Z0-9]/g, "-"))
  const lineOf = (folder: string, text: string, uuid: string) =>
    `${
      JSON.stringify({
        type: "user",
        uuid,
        parentUuid: null,
        isSidechain: false,
        cwd: folder,
        timestamp: "2026-11-28T14:00:00.000Z",
        message: { role: "user", content: text }
      })
    }\n`
  const idOf = (number: number) => `${String(number).padStart(8, "0")}-0000-4000-8000-000000000000`
  const pathOf = (folder: string, number: number) => join(projectOf(folder), `${idOf(number)}.jsonl`)
  return {
    home,
    state: join(home, "state"),
    folder: (name: string) => {
      const folder = join(home, name)
      mkdirSync(folder, { recursive: true })
      mkdirSync(projectOf(folder), { recursive: true })
      return folder
    },
    pathOf,
    say: (folder: string, number: number, text: string) =>
      appendFileSync(pathOf(folder, number), lineOf(folder, text, idOf(number + 500_000)))
  }
}

/** What a relay that is started now lists, and which files it read for that. */
const listed = (home: string, state_dir: string, roots: ReadonlyArray<string>, query: NativeQuery = {}) =>
  Effect.suspend(() => {
    const read = new Set<string>()
    const disk = NativeDisk.make({ home, variables: {} })
    const files: NativeFiles = {
      ...disk,
      read: (path, from, length) => {
        read.add(path)
        return disk.read(path, from, length)
      }
    }
    const layer = NativeSessions.layerOf(files).pipe(
      Layer.provide(Folders.layer),
      Layer.provide(RelayConfig.layer({ roots, state_dir })),
      Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
    )
    return Effect.flatMap(NativeSessions, (native) => native.list(query)).pipe(
      Effect.map(({ sessions }) => ({
        titles: sessions.map(({ title }) => title).toSorted(),
        read: [...read]
      })),
      Effect.provide(layer),
      Effect.scoped
    )
  })

describe("the index of conversations", () => {
  it.live("outlives the relay: what has not changed is not read again, what has is", () =>
    Effect.gen(function*() {
      const { folder, home, pathOf, say, state } = makeHome()
      const shop = folder("shop")
      for (const number of [1, 2, 3]) say(shop, number, `say ${number}`)
      const first = yield* listed(home, state, [home])
      assert.deepStrictEqual(first.titles, ["say 1", "say 2", "say 3"])
      assert.sameMembers(first.read, [1, 2, 3].map((number) => pathOf(shop, number)))
      const again = yield* listed(home, state, [home])
      assert.deepStrictEqual(again, { ...first, read: [] })

      rmSync(pathOf(shop, 1))
      writeFileSync(pathOf(shop, 2), "")
      say(shop, 2, "something else")
      say(shop, 4, "say 4")
      const later = yield* listed(home, state, [home])
      assert.deepStrictEqual(later.titles, ["say 3", "say 4", "something else"])
      assert.sameMembers(later.read, [2, 4].map((number) => pathOf(shop, number)))
    }))

  it.live("is made anew where it is spoiled, and is nobody else's to read", () =>
    Effect.gen(function*() {
      const { folder, home, say, state } = makeHome()
      say(folder("shop"), 1, "say 1")
      yield* listed(home, state, [home])
      const path = join(state, "native-index.ndjson")
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      for (const spoiled of ["", "{\"version\":1}\nnonsense", "{\"version\":0}\n[]", "\u0000\u0001"]) {
        writeFileSync(path, spoiled)
        assert.deepStrictEqual((yield* listed(home, state, [home])).titles, ["say 1"], spoiled)
      }
    }))

  it.live("a page reads only its own lines of it; the others stay as they are, a spoiled one costs itself alone", () =>
    Effect.gen(function*() {
      const { folder, home, pathOf, say, state } = makeHome()
      const shop = folder("shop")
      const numbers = Array.from({ length: 60 }, (_, index) => index + 1)
      for (const number of numbers) say(shop, number, `say ${number}`)
      yield* listed(home, state, [home], { q: "nothing is called so" })
      const path = join(state, "native-index.ndjson")
      const lines = readFileSync(path, "utf8").trim().split("\n")
      assert.lengthOf(lines, 61)

      // Something has changed, so that it is written again.
      say(shop, 61, "say 61")
      const page = yield* listed(home, state, [home], { limit: 5 })
      assert.lengthOf(page.titles, 5)
      const newest = pathOf(shop, 61)
      assert.deepStrictEqual(page.read, [newest])
      const kept = readFileSync(path, "utf8").trim().split("\n")
      assert.sameMembers(kept.filter((line) => !line.includes(newest)), lines)

      writeFileSync(
        path,
        kept.map((line) => line.includes(pathOf(shop, 7)) ? `${line.slice(0, -9)}` : line).join("\n")
      )
      const all = yield* listed(home, state, [home], { limit: 200 })
      assert.lengthOf(all.titles, 61)
      assert.deepStrictEqual(all.read, [pathOf(shop, 7)])
    }))

  it.live("holds nothing of folders the relay may not use, nor of what a link leads to", () =>
    Effect.gen(function*() {
      const { folder, home, pathOf, say, state } = makeHome()
      const shop = folder("shop")
      const foreign = folder("shop-of-others")
      say(shop, 1, "say 1")
      say(foreign, 2, secret)
      writeFileSync(join(home, "outside.jsonl"), "")
      say(foreign, 3, secret)
      symlinkSync(pathOf(foreign, 3), pathOf(shop, 3))
      // A whole folder that is a link.
      symlinkSync(
        join(home, ".claude/projects", foreign.replaceAll(/[^a-zA-Z0-9]/g, "-")),
        `${pathOf(shop, 9)}-folder`
      )
      const { titles } = yield* listed(home, state, [shop])
      assert.deepStrictEqual(titles, ["say 1"])
      assert.notInclude(readFileSync(join(state, "native-index.ndjson"), "utf8"), secret)
      // Another relay with the same state folder may see it, this one not: the index decides nothing.
      assert.include((yield* listed(home, state, [home])).titles, secret)
      assert.deepStrictEqual((yield* listed(home, state, [shop])).titles, ["say 1"])
    }))
})
