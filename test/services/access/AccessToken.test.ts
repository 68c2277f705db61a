import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as AccessToken from "../../../src/services/access/AccessToken.js"

const newFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-token-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const modeOf = (path: string) => statSync(path).mode & 0o777
const wordOf = ({ token }: AccessToken.Found) => Redacted.value(token)
const refusal = (options: AccessToken.Options) => Effect.map(Effect.flip(AccessToken.find(options)), String)

describe("AccessToken", () => {
  it.effect("is made at the first start, kept where only its user can read it, and found again", () =>
    Effect.gen(function*() {
      const state_dir = join(yield* newFolder, "state")
      const first = yield* AccessToken.find({ state_dir })
      assert.isTrue(first.isNew)
      assert.match(wordOf(first), /^[\w-]{43}$/)
      assert.strictEqual(modeOf(state_dir), 0o700)
      assert.strictEqual(modeOf(join(state_dir, "token")), 0o600)
      const again = yield* AccessToken.find({ state_dir })
      assert.isFalse(again.isNew)
      assert.strictEqual(wordOf(again), wordOf(first))
      assert.strictEqual(again.file, join(state_dir, "token"))
    }))

  it.effect("is another one for another relay, and at each start where nothing is kept", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const options = [{ state_dir: join(folder, "a") }, { state_dir: join(folder, "b") }, {}, {}]
      const tokens = yield* Effect.forEach(options, AccessToken.find)
      assert.lengthOf(new Set(tokens.map(wordOf)), 4)
    }))

  it.effect("is the one that was given, or the one in a file", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const token_file = join(folder, "secret")
      writeFileSync(token_file, "  from-a-file\n")
      const given = yield* AccessToken.find({ token: Redacted.make("given"), state_dir: folder })
      assert.deepStrictEqual([wordOf(given), given.isNew], ["given", false])
      const read = yield* AccessToken.find({ token_file, state_dir: folder })
      assert.deepStrictEqual([wordOf(read), read.isNew], ["from-a-file", false])
      assert.include(yield* refusal({ token: Redacted.make("x"), token_file }), "not both")
    }))

  it.effect("is refused when it cannot be used, without being shown", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const file = join(folder, "secret")
      assert.include(yield* refusal({ token_file: file }), "--token-file")
      for (const text of ["", " \n", "two words", "two\nlines"]) {
        writeFileSync(file, text)
        const reason = yield* refusal({ token_file: file })
        assert.include(reason, "must be one word")
        assert.notInclude(reason, "two")
      }
      mkdirSync(join(folder, "token"))
      chmodSync(join(folder, "token"), 0o700)
      assert.include(yield* refusal({ state_dir: folder }), "cannot be used")
    }))

  it.effect("is not used any more once others can read it", () =>
    Effect.gen(function*() {
      const state_dir = yield* newFolder
      const file = join(state_dir, "token")
      yield* AccessToken.find({ state_dir })
      chmodSync(file, 0o644)
      const reason = yield* refusal({ state_dir })
      assert.include(reason, `delete it`)
      assert.notInclude(reason, readFileSync(file, "utf8").trim())
    }))
})
