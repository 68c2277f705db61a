import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { type PermissionRequest, RequestId } from "../../../src/schema/index.js"
import { withOverwriteDiff } from "../../../src/services/access/overwriteDiff.js"

describe("a file that would be written over", () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-overwrite-")))
  const folder = join(home, "shop")
  mkdirSync(folder)
  writeFileSync(join(folder, "a.txt"), "one\ntwo\n")
  writeFileSync(join(home, "secret.txt"), "secret\n")
  symlinkSync(join(home, "secret.txt"), join(folder, "link.txt"))
  writeFileSync(join(folder, "large.txt"), "x".repeat(2_000_000))
  writeFileSync(join(folder, "binary"), "a\0b")
  execFileSync("mkfifo", [join(folder, "pipe")])
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  const diffOf = (tool: string, args: unknown): unknown => {
    const ask: PermissionRequest = {
      type: "permission_request",
      request_id: RequestId.make("r-1"),
      tool,
      args,
      metadata: { kind: "tool" }
    }
    return withOverwriteDiff(folder, ask).metadata["diff"]
  }

  it("is asked for as the difference", () => {
    const path = join(folder, "a.txt")
    const diff = `--- ${path}\n+++ ${path}\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n`
    assert.strictEqual(diffOf("Write", { file_path: path, content: "one\n2\n" }), diff)
    assert.include(String(diffOf("write_file", { file_path: "a.txt", content: "" })), "-one")
  })

  it("is left alone where it is none, or not of the session's folder", () => {
    const content = "new"
    for (const name of ["new.txt", "link.txt", "../secret.txt", "large.txt", "binary", "pipe", "."]) {
      assert.isUndefined(diffOf("Write", { file_path: join(folder, name), content }), name)
    }
    assert.isUndefined(diffOf("Edit", { file_path: join(folder, "a.txt"), content }))
    assert.isUndefined(diffOf("Write", { file_path: join(folder, "a.txt"), content: 5 }))
    assert.isUndefined(diffOf("Write", "text"))
  })
})
