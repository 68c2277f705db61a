import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger } from "effect"
import { TestClock } from "effect/testing"
import { pbkdf2 } from "node:crypto"
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { PrincipalFields } from "../../../src/services/access/Principal.js"
import * as Tokens from "../../../src/services/access/Tokens.js"

const pbkdf2Later = promisify(pbkdf2)

const newFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-tokens-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)
const fileIn = (folder: string) => join(folder, "tokens.json")

const nameOf = (found: PrincipalFields | "expired" | undefined) =>
  typeof found === "object" ? found.name : found

describe("a file of tokens", () => {
  it.effect("that cannot be read any more lets nobody in, and the log says once what to do", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const folder = yield* newFolder
      const { find, token } = yield* Effect.gen(function*() {
        const { find, make } = yield* Tokens.make(folder)
        return { find, token: (yield* make({ name: "ci", scopes: ["view"] })).token }
      }).pipe(Effect.provide(Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])))
      assert.strictEqual(nameOf(find(token, 0)), "ci")
      const tokens = readFileSync(fileIn(folder), "utf8")
      writeFileSync(fileIn(folder), tokens.replace("\"scopes\"", "\"scope\""))
      for (const _ of ["once", "again"]) assert.isUndefined(find(token, 0))
      assert.lengthOf(logged, 1)
      assert.match(
        logged.join(),
        /tokens\.json is not a list of tokens, because "scopes" of no\. 1 of "tokens" is missing; correct it, or delete it/
      )
      writeFileSync(fileIn(folder), tokens)
      assert.strictEqual(nameOf(find(token, 0)), "ci")
    }))
})

describe("a named token", () => {
  it.effect("is kept as a digest alone, in a file only its user may read", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const { token } = yield* Tokens.onShelf(folder).make({ name: "ci", scopes: ["prompt", "view"] })
      assert.match(token, /^airelay_[\w-]{43}$/)
      const text = readFileSync(fileIn(folder), "utf8")
      assert.notInclude(text, token)
      assert.notInclude(text, token.slice("airelay_".length))
      assert.strictEqual(statSync(fileIn(folder)).mode & 0o777, 0o600)
      // Nothing is left of the making.
      assert.deepStrictEqual(readdirSync(folder), ["tokens.json"])
    }))

  it.effect("says who comes, and what for", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const tokens = yield* Tokens.make(folder)
      const { token } = yield* tokens.make({
        name: "ci",
        scopes: ["prompt"],
        sessions: ["s"],
        agents: ["codex"]
      })
      const found = tokens.find(token, 0)
      assert.isTrue(typeof found === "object")
      if (typeof found !== "object") return
      assert.deepStrictEqual([...found.scopes], ["prompt"])
      assert.deepStrictEqual(found.limits, { sessions: ["s"], agents: ["codex"] })
      for (const wrong of ["", `${token}x`, token.slice(1), "ci"]) assert.isUndefined(tokens.find(wrong, 0))
    }))

  it.effect("made by the command line counts at once in a relay that runs", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const tokens = yield* Tokens.make(folder)
      const { token } = yield* Tokens.onShelf(folder).make({ name: "ci", scopes: ["view"] })
      assert.strictEqual(nameOf(tokens.find(token, 0)), "ci")
    }))

  it.live("that is revoked by the command line ends what it has open, within a second", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const tokens = yield* Tokens.make(folder)
      const { token } = yield* tokens.make({ name: "ci", scopes: ["view"] })
      const other = yield* tokens.make({ name: "other", scopes: ["view"] })
      const found = tokens.find(token, Date.now())
      const kept = tokens.find(other.token, Date.now())
      if (typeof found !== "object" || typeof kept !== "object") return assert.fail("not found")
      const ended = yield* Effect.forkChild(found.ended)
      const stays = yield* Effect.forkChild(kept.ended)
      const since = Date.now()
      assert.isTrue(yield* Tokens.onShelf(folder).revoke("ci"))
      assert.include(yield* Fiber.join(ended), "\"ci\" was revoked")
      assert.isBelow(Date.now() - since, 1000)
      assert.isUndefined(tokens.find(token, Date.now()))
      assert.isUndefined(stays.pollUnsafe())
      yield* Fiber.interrupt(stays)
    }))

  it.live.each<[string, (folder: string) => void]>([
    ["is written over", (folder) => writeFileSync(fileIn(folder), "{\"tokens\":[]}")],
    ["is replaced", (folder) => {
      writeFileSync(join(folder, "draft"), "{\"tokens\":[]}", { mode: 0o600 })
      renameSync(join(folder, "draft"), fileIn(folder))
    }],
    ["is removed", (folder) => rmSync(fileIn(folder))],
    ["is removed with its folder", (folder) => rmSync(folder, { recursive: true })],
    ["is moved away with its folder", (folder) => renameSync(folder, `${folder}-moved`)]
  ])("ends what it has open when its file %s", ([, change]) =>
    Effect.gen(function*() {
      const folder = join(yield* newFolder, "state")
      const tokens = yield* Tokens.make(folder)
      const { token } = yield* tokens.make({ name: "ci", scopes: ["view"] })
      const found = tokens.find(token, Date.now())
      if (typeof found !== "object") return assert.fail("not found")
      change(folder)
      assert.include(yield* found.ended, "\"ci\" was revoked")
    }))

  it.live("ends what it has open though Node's file threads are busy when its file changes", () =>
    Effect.gen(function*() {
      const folder = join(yield* newFolder, "state")
      // As long as this takes, a file that is looked at by a thread is not looked at.
      const busy = Promise.all(Array.from({ length: 4 }, () => pbkdf2Later("", "", 200_000, 64, "sha512")))
      const tokens = yield* Tokens.make(folder)
      const { token } = yield* tokens.make({ name: "ci", scopes: ["view"] })
      const found = tokens.find(token, Date.now())
      if (typeof found !== "object") return assert.fail("not found")
      writeFileSync(fileIn(folder), "{\"tokens\":[]}")
      yield* Effect.promise(() => busy)
      assert.include(yield* found.ended, "\"ci\" was revoked")
    }))

  it.live("is nobody's while its folder cannot be read, and somebody's again afterwards", () =>
    Effect.gen(function*() {
      const folder = join(yield* newFolder, "state")
      const tokens = yield* Tokens.make(folder)
      const { token } = yield* tokens.make({ name: "ci", scopes: ["view"] })
      renameSync(folder, `${folder}-moved`)
      writeFileSync(folder, "a file where the folder was")
      assert.isUndefined(tokens.find(token, Date.now()))
      rmSync(folder)
      renameSync(`${folder}-moved`, folder)
      assert.strictEqual(nameOf(tokens.find(token, Date.now())), "ci")
    }))

  it.effect("takes those it made with it, and theirs", () =>
    Effect.gen(function*() {
      const tokens = yield* Tokens.make(undefined)
      yield* tokens.make({ name: "a", scopes: ["admin"] })
      yield* tokens.make({ name: "b", scopes: ["view"], made_by: "a" })
      yield* tokens.make({ name: "c", scopes: ["view"], made_by: "b" })
      yield* tokens.make({ name: "d", scopes: ["view"], made_by: "default" })
      assert.isTrue(yield* tokens.revoke("a"))
      assert.deepStrictEqual((yield* tokens.list).map(({ name }) => name), ["d"])
      assert.isFalse(yield* tokens.revoke("a"))
    }))

  it.effect("is over when its time is, also for what it has open", () =>
    Effect.gen(function*() {
      const tokens = yield* Tokens.make(undefined)
      const { token } = yield* tokens.make({ name: "month", scopes: ["view"], expires_in: 60 * 24 * 3600 })
      const found = tokens.find(token, 0)
      if (typeof found !== "object") return assert.fail("not found")
      const ended = yield* Effect.forkChild(found.ended)
      yield* TestClock.adjust("59 days")
      assert.isUndefined(ended.pollUnsafe())
      assert.strictEqual(nameOf(tokens.find(token, 59 * 24 * 3600 * 1000)), "month")
      yield* TestClock.adjust("1 day")
      assert.include(yield* Fiber.join(ended), "has expired")
      assert.strictEqual(tokens.find(token, 60 * 24 * 3600 * 1000), "expired")
      assert.isEmpty(yield* tokens.list)
    }))

  it.effect("is not made twice, without a scope, or by a name that says something else", () =>
    Effect.gen(function*() {
      const tokens = yield* Tokens.make(undefined)
      yield* tokens.make({ name: "ci", scopes: ["view"] })
      const refused = (wanted: Tokens.Wanted) =>
        Effect.map(Effect.flip(tokens.make(wanted)), ({ message }) => message)
      assert.include(yield* refused({ name: "ci", scopes: ["view"] }), "already")
      assert.include(yield* refused({ name: "x", scopes: [] }), "needs a scope")
      assert.include(yield* refused({ name: "default", scopes: ["view"] }), "choose another name")
      for (const name of ["", "-x", "a\nb", "x".repeat(65), "ü"]) {
        assert.include(yield* refused({ name, scopes: ["view"] }), "a token's name")
      }
    }))

  it.effect("is not taken from a file that others can read, or that is none; nobody comes in then", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const tokens = yield* Tokens.make(folder)
      const { token } = yield* tokens.make({ name: "ci", scopes: ["view"] })
      const found = tokens.find(token, 0)
      if (typeof found !== "object") return assert.fail("not found")
      chmodSync(fileIn(folder), 0o644)
      assert.isUndefined(tokens.find(token, 0))
      assert.include(yield* found.ended, "revoked")
      assert.include((yield* Effect.flip(tokens.list)).message, "other users can read")
      chmodSync(fileIn(folder), 0o600)
      assert.strictEqual(nameOf(tokens.find(token, 0)), "ci")
      writeFileSync(fileIn(folder), "{\"tokens\":[{\"name\":\"x\"}]}")
      assert.isUndefined(tokens.find(token, 0))
      assert.include(
        (yield* Effect.flip(tokens.make({ name: "y", scopes: ["view"] }))).message,
        "not a list of tokens"
      )
    }))

  it.live("is neither lost nor doubled when many are made at once", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const names = Array.from({ length: 20 }, (_, n) => `t${n}`)
      yield* Effect.forEach(names, (name) => Tokens.onShelf(folder).make({ name, scopes: ["view"] }), {
        concurrency: "unbounded"
      })
      const listed = (yield* Tokens.onShelf(folder).list).map(({ name }) => name)
      assert.sameMembers(listed, names)
      assert.lengthOf(listed, names.length)
    }))
})
