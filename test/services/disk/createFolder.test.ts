import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { createFolder } from "../../../src/services/disk/createFolder.js"

describe("a folder", () => {
  const base = mkdtempSync(join(tmpdir(), "ai-relay-folder-"))
  afterAll(() => rmSync(base, { recursive: true, force: true }))

  it("is created with all above it, for its user alone, and may be there already", () => {
    const folder = join(base, "a/b/c")
    createFolder(folder)
    createFolder(folder)
    assert.strictEqual(statSync(join(base, "a")).mode & 0o777, 0o700)
    mkdirSync(join(base, "there"))
    symlinkSync("there", join(base, "link"))
    createFolder(join(base, "link"))
    createFolder(join(base, "link/in"))
    assert.isTrue(existsSync(join(base, "there/in")))
  })

  it("is refused with the system's reason where something else stands", () => {
    writeFileSync(join(base, "file"), "")
    symlinkSync("nowhere", join(base, "dangling"))
    assert.throws(() => createFolder(join(base, "file")), /EEXIST/)
    assert.throws(() => createFolder(join(base, "file/in")), /ENOTDIR/)
    assert.throws(() => createFolder(join(base, "dangling")), /EEXIST/)
  })

  it.runIf(existsSync("/proc/self"))("is refused at once where nobody can create any", () => {
    for (const name of ["x", "x/y", "self/x/y"]) assert.throws(() => createFolder(join("/proc", name)), /E/)
  })
})
