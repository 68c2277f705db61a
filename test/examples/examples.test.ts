/** The examples run as they stand in the repository, against this checkout's sources. */
import { assert, describe, it } from "@effect/vitest"
import { buildSync } from "esbuild"
import { execFile, execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll } from "vitest"
import * as FakeRelay from "../support/fakeRelay.js"

const root = join(import.meta.dirname, "../..")
// Inside the checkout, so that the bundle finds the packages it leaves outside.
const folder = mkdtempSync(join(root, "node_modules", ".examples-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const build = (example: string): string => {
  const outfile = join(folder, example.replace(".ts", ".mjs"))
  buildSync({
    entryPoints: [join(root, "examples", example)],
    alias: {
      "ai-relay/client/effect": join(root, "src/client/RelayClient.ts"),
      "ai-relay/client": join(root, "src/client/node.ts"),
      "ai-relay": join(root, "src/index.ts")
    },
    bundle: true,
    external: ["effect", "@effect/*", "ws", "node-pty"],
    format: "esm",
    outfile,
    platform: "node"
  })
  return outfile
}

const options = { cwd: root, encoding: "utf8", timeout: 60_000 } as const
const run = (example: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(process.execPath, [build(example), ...args], options)

describe("examples", () => {
  it("embed.ts opens a session in an Effect app and shows a turn", () => {
    const printed = run("embed.ts", "replay", "test/fixtures/replay", "two-permissions.ndjson")
    assert.include(printed, "Let me make it.")
    assert.include(printed, "[Bash]")
    assert.include(printed, "\"stop_reason\":\"end_turn\"")
  }, 60_000)

  it("agent.ts is an agent of an app's own", () => {
    assert.strictEqual(run("agent.ts", "hello there"), "HELLO THERE\n")
  }, 60_000)

  it("node.ts asks an agent through a relay", async () => {
    const relay = await FakeRelay.start()
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [build("node.ts"), "hello"], {
        ...options,
        env: { ...process.env, AI_RELAY_URL: relay.url, AI_RELAY_TOOL: "fake" }
      })
      assert.include(stdout, "The answer has 5 characters (end_turn).")
    } finally {
      await relay.end()
    }
  }, 60_000)
})
