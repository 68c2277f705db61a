import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as TokenFile from "../../src/lab/TokenFile.js"

/** What is logged when a lab starts with a file of this content; undefined: there is none. */
const logged = (content: string | undefined) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "ai-relay-lab-tokens-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const file = join(folder, "tokens")
    if (content !== undefined) writeFileSync(file, content)
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    yield* Effect.provide(TokenFile.make(file), Logger.layer([logger]))
    return lines
  }).pipe(Effect.scoped)

describe("a lab that starts", () => {
  it.effect("says so when its token file lets nobody in", () =>
    Effect.gen(function*() {
      assert.match(
        (yield* logged(undefined)).join(),
        /cannot be read, so nobody can log in until it can: ENOENT/
      )
      assert.match((yield* logged("# nobody yet\n")).join(), /lists no users, so nobody can log in/)
      assert.match((yield* logged("ada\nbob token\n")).join(), /has no user and token in line 1$/)
      assert.deepStrictEqual(yield* logged("ada token\n"), [])
    }))
})
