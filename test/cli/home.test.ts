import { assert, describe, it } from "@effect/vitest"
import { lstatSync } from "node:fs"
import { homedir } from "node:os"
import { isAbsolute } from "node:path"
import { settleHome } from "../../src/cli/home.js"

describe("the home of who the relay runs as", () => {
  it("is what HOME says", () => {
    const env = { HOME: "/somewhere" }
    assert.isUndefined(settleHome(env))
    assert.strictEqual(env.HOME, "/somewhere")
  })

  it.each(["", "relative", undefined])(
    "is looked up where HOME is %j, so that no folder is relative",
    (HOME) => {
      const env: Record<string, string | undefined> = { HOME }
      settleHome(env)
      assert.isTrue(isAbsolute(env["HOME"] ?? ""))
      assert.strictEqual(env["HOME"], homedir())
    }
  )

  it("is a folder of its own where nobody knows one, and that is said", () => {
    const nobody = () => {
      throw new Error("uv_os_homedir returned ENOENT")
    }
    const env: Record<string, string | undefined> = {}
    const said = settleHome(env, [nobody, nobody])
    assert.include(said, env["HOME"])
    assert.include(said, "--state-dir")
    assert.strictEqual(lstatSync(env["HOME"] ?? "").mode & 0o777, 0o700)
  })
})
