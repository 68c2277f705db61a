/** The examples run as they stand in the repository, against this checkout's sources. */
import { assert, describe, it } from "@effect/vitest"
import { buildSync } from "esbuild"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"

const root = join(import.meta.dirname, "../..")
// Inside the checkout, so that the bundle finds the packages it leaves outside.
const folder = mkdtempSync(join(root, "node_modules", ".examples-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (example: string, ...args: ReadonlyArray<string>): string => {
  const outfile = join(folder, example.replace(".ts", ".mjs"))
  buildSync({
    entryPoints: [join(root, "examples", example)],
    alias: { "ai-relay": join(root, "src/index.ts") },
    bundle: true,
    external: ["effect", "@effect/*", "ws", "node-pty"],
    format: "esm",
    outfile,
    platform: "node"
  })
  return execFileSync(process.execPath, [outfile, ...args], { cwd: root, encoding: "utf8", timeout: 60_000 })
}

describe("examples", () => {
  it("embed.ts opens a session in an Effect app and shows a turn", () => {
    const printed = run("embed.ts", "replay", "test/fixtures/replay", "two-permissions.ndjson")
    assert.include(printed, "Let me make it.")
    assert.include(printed, "[Bash]")
    assert.include(printed, "\"stop_reason\":\"end_turn\"")
  })
})
