import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, PlatformError, Result } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join, relative } from "node:path"
import { Folders } from "../../../src/services/access/Folders.js"
import { RelayConfig, type Settings } from "../../../src/services/RelayConfig.js"

const home = realpathSync(mkdtempSync(join(tmpdir(), "folders-")))
afterAll(() => rmSync(home, { recursive: true }))

const at = (...names: ReadonlyArray<string>) => join(home, ...names)
for (const folder of ["root/project/deep", "root/..hidden", "root-of-another", "outside", "work"]) {
  mkdirSync(at(folder), { recursive: true })
}
writeFileSync(at("root/file"), "")
symlinkSync(at("outside"), at("root/escape"))
symlinkSync(at("root/project"), at("root/within"))
symlinkSync(at("root/escape/../.."), at("root/roundabout"))
symlinkSync(at("root/loop"), at("root/loop"))
symlinkSync(at("root"), at("door"))
symlinkSync(at("nowhere"), at("root/dangling"))

const resolveWith = (
  settings: Partial<Settings>,
  folder: string,
  disk: Partial<Pick<FileSystem.FileSystem, "realPath">> = {}
) =>
  Effect.flatMap(Folders, (folders) => folders.resolve(folder)).pipe(
    Effect.provide(Folders.layer),
    Effect.provide(RelayConfig.layer(settings)),
    Effect.provide(Layer.effect(
      FileSystem.FileSystem,
      Effect.map(FileSystem.FileSystem, (files) => ({ ...files, ...disk }))
    )),
    Effect.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
  )

const resolve = (folder: string, ...roots: ReadonlyArray<string>) =>
  resolveWith({ roots: roots.length > 0 ? roots : [at("root")] }, folder)

const refusal = (folder: string, ...roots: ReadonlyArray<string>) =>
  Effect.map(Effect.flip(resolve(folder, ...roots)), ({ _tag }) => _tag)

describe("Folders", () => {
  it.live("resolves a folder in a root, or the root itself, to its real path", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* resolve(at("root/project/deep")), at("root/project/deep"))
      assert.strictEqual(yield* resolve(at("root")), at("root"))
      assert.strictEqual(yield* resolve(at("root/project/../project/.")), at("root/project"))
      assert.strictEqual(yield* resolve(at("root/within/deep")), at("root/project/deep"))
      assert.strictEqual(yield* resolve(at("root/..hidden")), at("root/..hidden"))
    }))

  it.live("looks at what it gives: a link that is exchanged meanwhile leads nowhere", () =>
    Effect.gen(function*() {
      let asked = 0
      const path = at("root/project/deep")
      const exchanged = yield* Effect.flip(resolveWith({ roots: [at("root")] }, path, {
        realPath: (name) => Effect.succeed(name === path && ++asked > 1 ? at("outside") : realpathSync(name))
      }))
      assert.strictEqual(exchanged._tag, "ForbiddenFolder")
    }))

  it.live("begins where the relay was started if the folder is relative", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* resolve(".", process.cwd()), realpathSync(process.cwd()))
      assert.strictEqual(yield* resolve(relative(process.cwd(), at("root/project"))), at("root/project"))
    }))

  it.live("takes roots that are links for where they lead", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* resolve(at("root/project"), at("door")), at("root/project"))
      assert.strictEqual(yield* resolve(at("door/project"), at("door")), at("root/project"))
    }))

  it.live("allows what lies in any of several roots, and everything in /", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* resolve(at("work"), at("nowhere"), at("root"), at("work")), at("work"))
      assert.strictEqual(yield* resolve(at("outside"), "/"), at("outside"))
    }))

  const outside: Record<string, string> = {
    "a folder elsewhere": at("outside"),
    "the folder above": at("root/.."),
    "way above": at("root/../../../../../../.."),
    "a folder whose name begins like the root's": at("root-of-another"),
    "a link that leads outside": at("root/escape"),
    "a link to the folder above": at("root/roundabout"),
    "the folder above, by a link": at("root/within/../../outside"),
    // Whether something is there is nobody's to know.
    "what is not there, elsewhere": at("outside/nowhere/at/all"),
    "what is not there, behind a link that leads outside": at("root/escape/nowhere")
  }
  it.live.each(Object.entries(outside))("forbids %s", ([, folder]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* refusal(folder), "ForbiddenFolder")
    }))

  const missing: Record<string, string> = {
    "a folder that does not exist": at("root/nowhere"),
    "a file": at("root/file"),
    "something in a file": at("root/file/x"),
    "a link to nothing": at("root/dangling"),
    "a link to itself": at("root/loop"),
    "a name that cannot be": at("root/\0")
  }
  it.live.each(Object.entries(missing))("does not find %s", ([, folder]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* refusal(folder), "FolderNotFound")
    }))

  it.live("says of something else than a folder that it is none, where it may be looked at", () =>
    Effect.gen(function*() {
      assert.include((yield* Effect.flip(resolve(at("root/file")))).message, "is not a folder")
      assert.include(
        (yield* Effect.flip(resolve(at("root/file"), at("work")))).message,
        "is outside the allowed folders"
      )
    }))

  it.live("says what it is that is no folder, a pipe too, and that nobody may look", () =>
    Effect.gen(function*() {
      execFileSync("mkfifo", [at("root/pipe")])
      for (const path of [at("root/pipe"), at("root/within/../../root/pipe")]) {
        const { message } = yield* Effect.flip(resolve(path))
        assert.include(message, `"${path}" is not a folder: set \`folder\` to`)
      }
      const { message } = yield* Effect.flip(resolveWith({ roots: [at("root")] }, at("root/locked"), {
        realPath: (path) =>
          path.endsWith("locked")
            ? Effect.fail(PlatformError.systemError({
              _tag: "PermissionDenied",
              module: "FileSystem",
              method: "realPath"
            }))
            : Effect.succeed(path)
      }))
      assert.include(message, "may not look into")
      assert.include(message, "change its permissions")
    }))

  it.live("knows `~`, as shells do", () =>
    Effect.gen(function*() {
      const home = realpathSync(homedir())
      assert.strictEqual(yield* resolve("~", "/"), home)
      assert.strictEqual(yield* resolve("~/.", "/"), home)
      assert.strictEqual(yield* refusal("~somebody", "/"), "FolderNotFound")
    }))

  it.live("keeps what the relay keeps for itself out of reach, unless a root lies in there", () =>
    Effect.gen(function*() {
      const state_dir = at("root/project")
      const look = (folder: string, ...roots: ReadonlyArray<string>) =>
        Effect.map(Effect.result(resolveWith({ roots, state_dir }, folder)), Result.isSuccess)
      assert.isFalse(yield* look(at("root/project/deep"), at("root")))
      assert.isFalse(yield* look(at("root/within"), at("root")))
      assert.isFalse(yield* look(at("root/project"), "/"))
      assert.isTrue(yield* look(at("root/..hidden"), at("root")))
      assert.isTrue(yield* look(at("root/project/deep"), at("root"), at("root/project/deep")))
    }))

  it.live("allows nothing where no root is left, and says what to write down", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(resolveWith({ roots: [] }, "/"))
      assert.include(message, "it has no --root")
      assert.include(message, "start the relay with --root /")
    }))

  it.live("says what to do about it", () =>
    Effect.gen(function*() {
      const forbidden = yield* Effect.flip(resolve(at("outside")))
      assert.include(forbidden.message, `start the relay with --root ${at("outside")}`)
      const unknown = yield* Effect.flip(resolve(at("root/nowhere")))
      assert.include(unknown.message, "set `folder` to one that does")
    }))
})
