/** `ai-relay token`: what it prints, what it keeps, what it refuses. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { secondsIn } from "../../src/cli/token.js"
import * as Tokens from "../../src/services/access/Tokens.js"
import { commandLine } from "../support/commandLine.js"

const newFolder = Effect.acquireRelease(
  Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-token-")))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** What the program prints on stdout, and what it complains of. */
const token = (state_dir: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const [name = "", ...rest] = args
    const { err, out } = yield* commandLine("token", name, "--state-dir", state_dir, ...rest)
    process.exitCode = 0
    return { out: out.join("\n"), err: err.join("\n") }
  })

describe("ai-relay token", () => {
  it.effect("makes one that a relay takes, lists it without showing it, and revokes it", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      mkdirSync(join(folder, "real"))
      symlinkSync(join(folder, "real"), join(folder, "link"))
      const made = yield* token(
        folder,
        "create",
        "ci",
        ...["--scope", "prompt", "--scope", "view", "--folder", join(folder, "link"), "--agent", "codex"],
        ...["--expires", "7d"]
      )
      assert.match(made.out, /^airelay_[\w-]{43}$/)
      const tokens = yield* Tokens.make(folder)
      const found = tokens.find(made.out, 0)
      if (typeof found !== "object") return assert.fail(String(found))
      assert.deepStrictEqual([...found.scopes], ["view", "prompt"])
      assert.deepStrictEqual(found.limits, { folders: [join(folder, "real")], agents: ["codex"] })
      assert.strictEqual(found.expires_at, 7 * 24 * 3600)

      const { out } = yield* token(folder, "list")
      assert.match(
        out,
        /^NAME\s+SCOPES\s+LIMITED TO\s+ENDS\nci\s+view,prompt\s+\S+real codex\s+1970-01-08T00:00:00.000Z$/
      )
      const json = yield* token(folder, "list", "--json")
      assert.notInclude(json.out, "hash")
      assert.notInclude(json.out, made.out)

      yield* token(folder, "revoke", "ci")
      const audit = readFileSync(join(folder, "audit.ndjson"), "utf8")
      const lines = audit.trimEnd().split("\n").map((line) =>
        JSON.parse(line) as Readonly<Record<string, unknown>>
      )
      assert.deepInclude(lines[0], {
        what: "token_created",
        by: { user: userInfo().username },
        name: "ci",
        scopes: ["view", "prompt"],
        agents: ["codex"]
      })
      assert.deepInclude(lines[1], { what: "token_revoked", by: { user: userInfo().username }, name: "ci" })
      assert.lengthOf(lines, 2)
      assert.notInclude(audit, made.out)
      assert.notInclude(audit, "hash")
      assert.isUndefined(tokens.find(made.out, 0))
      assert.include((yield* token(folder, "list")).out, "no named token")
    }))

  it.effect("says what is wrong and what to do, and makes nothing then", () =>
    Effect.gen(function*() {
      const folder = yield* newFolder
      const complaints: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
        [["create", "ci"], "needs a scope"],
        [["create", "ci", "--scope", "all"], "use view, prompt"],
        [["create", "ci", "--scope", "view", "--folder", join(folder, "none")], "there is no folder"],
        [["create", "ci", "--scope", "view", "--expires", "soon"], "such as 30m"],
        [["create", "default", "--scope", "view"], "another name"],
        [["revoke", "nobody"], "ai-relay token list"],
        [["revoke", "default"], "state folder"]
      ]
      for (const [args, words] of complaints) {
        const { err, out } = yield* token(folder, ...args)
        assert.include(err, words)
        assert.strictEqual(out, "")
      }
      assert.isEmpty(yield* Tokens.onShelf(folder).list)
    }))

  it("reads durations", () => {
    assert.deepStrictEqual(["90s", "30m", "12h", "7d", "4w"].map(secondsIn), [
      90,
      1800,
      43_200,
      604_800,
      2_419_200
    ])
    for (const wrong of ["", "7", "d", "-1d", "0d", "1y", "1.5h", "9999999d"]) {
      assert.isUndefined(secondsIn(wrong))
    }
  })
})
