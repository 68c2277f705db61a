/** The unit `ai-relay service install` writes, as systemd itself reads it, and the command's own way. Nothing is started. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { commandLine } from "../support/commandLine.js"

const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0

const withConfig = <A, E, R>(body: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = process.env["XDG_CONFIG_HOME"]
      const folder = mkdtempSync(join(tmpdir(), "ai-relay-service-"))
      process.env["XDG_CONFIG_HOME"] = folder
      return { before, folder }
    }),
    ({ folder }) => body(folder),
    ({ before, folder }) =>
      Effect.sync(() => {
        if (before === undefined) delete process.env["XDG_CONFIG_HOME"]
        else process.env["XDG_CONFIG_HOME"] = before
        process.exitCode = undefined
        rmSync(folder, { recursive: true })
      })
  )

describe.skipIf(process.platform !== "linux")(
  `ai-relay service${hasSystemd ? "" : " (systemd does not read it: systemd-analyze is not there)"}`,
  () => {
    it.live("writes a unit that is printed, private and as systemd wants it, and takes it away again", () =>
      withConfig((folder) =>
        Effect.gen(function*() {
          const file = join(folder, "systemd/user/ai-relay.service")
          const flags = ["--port", "9001", "--allow-origin", "https://100%.example/$x"]
          const { out } = yield* commandLine("service", "install", "--no-start", "--", ...flags)
          const unit = readFileSync(file, "utf8")
          assert.include(out.join("\n"), unit)
          assert.include(out.join("\n"), "systemctl --user enable --now ai-relay.service")
          assert.include(unit, "\"--port\" \"9001\" \"--allow-origin\" \"https://100%%.example/$$x\"")
          assert.strictEqual(statSync(file).mode & 0o777, 0o600)
          if (hasSystemd) {
            const { status, stderr } = spawnSync("systemd-analyze", ["--user", "verify", file], {
              encoding: "utf8",
              // It wants a user's session, of which a container has none.
              env: { ...process.env, XDG_RUNTIME_DIR: folder }
            })
            assert.deepStrictEqual([status, stderr.split("\n").filter((line) => line.includes("ai-relay"))], [
              0,
              []
            ])
          }
          yield* commandLine("service", "remove", "--no-stop")
          assert.isFalse(existsSync(file))
          const { err } = yield* commandLine("service", "remove", "--no-stop")
          assert.match(
            err.join("\n"),
            /there is no .*ai-relay\.service: `ai-relay service install` creates it/
          )
          assert.strictEqual(process.exitCode, 1)
        })
      ))

    it.live("refuses a token among the flags, and writes nothing", () =>
      withConfig((folder) =>
        Effect.gen(function*() {
          const { err } = yield* commandLine("service", "install", "--no-start", "--", "--token", "secret")
          assert.match(err.join("\n"), /--token-file/)
          assert.isFalse(existsSync(join(folder, "systemd")))
        })
      ))
  }
)
