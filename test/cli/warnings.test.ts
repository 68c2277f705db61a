import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Started, warningsOf } from "../../src/cli/warnings.js"

const fine: Started = {
  token: Redacted.make("x".repeat(43)),
  isTokenArgument: false,
  token_file: undefined,
  state_dir: undefined,
  allow_origin: ["https://app.example.com"],
  roots: [],
  isContainer: false
}

describe("a relay that is started carelessly", () => {
  it("says so of a short token, one among the arguments, and pages of anybody's", () => {
    assert.deepStrictEqual(warningsOf(fine), [])
    const found = warningsOf({
      ...fine,
      token: Redacted.make("x"),
      isTokenArgument: true,
      allow_origin: ["*"]
    })
    assert.lengthOf(found, 3)
    assert.include(found[0], "openssl rand")
    assert.include(found[1], "--token-file")
    assert.include(found[2], "name the pages")
  })

  it("says so of folders that are not there, and of agents it does not know", () => {
    const file = import.meta.filename
    assert.deepStrictEqual(
      warningsOf({
        ...fine,
        roots: [file, `${file}/below`],
        sandbox_read: [file, "/no/such/place"],
        unknown_tools: ["cladue"]
      }),
      [
        `--root ${file} is not a folder, so no session can work in it: name a folder`,
        `--root ${file}/below does not exist, so no session can work in it: create it or correct the path`,
        "--sandbox-read /no/such/place does not exist, so it has no effect: create it or correct the path",
        "--tools cladue is not the name of an agent: see the column TOOL of ai-relay doctor"
      ]
    )
  })

  it("says so of a root that is not there", () => {
    assert.deepStrictEqual(warningsOf({ ...fine, roots: ["/", "/no/such/place"] }), [
      "--root /no/such/place does not exist, so no session can work in it: create it or correct the path"
    ])
  })

  it("says so of files that others can read or change, but not where a platform gives them so", () => {
    const folder = mkdtempSync(join(tmpdir(), "ai-relay-warnings-"))
    try {
      const [token_file, state_dir] = [join(folder, "token"), join(folder, "state")]
      writeFileSync(token_file, "t", { mode: 0o600 })
      mkdirSync(state_dir, { mode: 0o700 })
      const started = { ...fine, token_file, state_dir }
      assert.deepStrictEqual(warningsOf(started), [])
      chmodSync(token_file, 0o644)
      chmodSync(state_dir, 0o777)
      const found = warningsOf(started)
      assert.lengthOf(found, 2)
      assert.include(found[0], `chmod 600 ${token_file}`)
      assert.include(found[1], `chmod go-w ${state_dir}`)
      assert.deepStrictEqual(warningsOf({ ...started, isContainer: true }), [])
      assert.deepStrictEqual(warningsOf({ ...fine, state_dir: join(folder, "nothing") }), [])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
