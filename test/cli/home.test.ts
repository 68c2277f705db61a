import { assert, describe, it } from "@effect/vitest"
import { lstatSync } from "node:fs"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"
import { ownFolder, settleHome, userName } from "../../src/cli/home.js"

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

  it.each(["", "state", "./state", undefined])(
    "has the relay's state where XDG_STATE_HOME is %j",
    (XDG_STATE_HOME) => {
      assert.strictEqual(ownFolder("XDG_STATE_HOME", { XDG_STATE_HOME }), join(homedir(), ".local/state"))
      assert.strictEqual(ownFolder("XDG_STATE_HOME", { XDG_STATE_HOME: "/state" }), "/state")
    }
  )

  it("is somebody's by number where there is no such user", () => {
    assert.strictEqual(
      userName(() => {
        throw new Error("uv_os_get_passwd returned ENOENT")
      }),
      String(process.getuid?.())
    )
  })

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
