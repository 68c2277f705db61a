/** What agents leave on the disk, read by a relay that must not wait for any of it. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as gemini from "../../../src/adapters/gemini/nativeSessions.js"
import { runSteps } from "../../../src/adapters/native/NativeFiles.js"
import * as NativeDisk from "../../../src/services/native/NativeDisk.js"

const home = mkdtempSync(join(tmpdir(), "native-disk-"))
afterAll(() => rmSync(home, { recursive: true }))

describe("a pipe where an agent's file should be", () => {
  const files = NativeDisk.make({ home, variables: {} })
  const pipe = join(home, ".gemini/tmp/shop/.project_root")
  mkdirSync(join(home, ".gemini/tmp/shop/chats"), { recursive: true })
  execFileSync("mkfifo", [pipe])

  // Without this nothing would come back: the whole process would wait in open(2).
  it("is not waited for, and holds nothing", () => {
    assert.lengthOf(files.read(pipe, 0, 100), 0)
    assert.isUndefined(files.stamp(pipe))
    assert.deepStrictEqual(runSteps(gemini.makeStore(files).files(["/"])), [])
  })

  it("is not followed to by a link either, and a device is not read", () => {
    writeFileSync(join(home, "secret"), "a secret")
    symlinkSync(join(home, "secret"), join(home, "link"))
    for (const path of ["/dev/zero", join(home, "link"), home]) {
      assert.lengthOf(files.read(path, 0, 100), 0, path)
    }
  })
})
