/** MCP's inspector, its command line, as anybody tries a server with it: over `/mcp`, and with `ai-relay mcp` as its program. */
import { execFile } from "node:child_process"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { judgesOf } from "../support/judges.js"

type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

const inspector = judgesOf("mcp-inspector")
const program = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))
const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-inspector-")))
const path = [dirname(inspector.node), process.env["PATH"]].join(delimiter)
const env = { PATH: path, HOME: home, LANG: "C.UTF-8" }

describe.skipIf(inspector.missing !== undefined)("MCP's inspector", () => {
  let relay: Daemon
  beforeAll(async () => {
    relay = await startDaemon({ env, cwd: home, args: ["--root", home, "--fronts", "mcp"] })
  })
  afterAll(async () => {
    await relay.kill()
    rmSync(home, { recursive: true, force: true })
  })

  const inspect = async (server: ReadonlyArray<string>, ...args: ReadonlyArray<string>): Promise<Json> => {
    const { stdout } = await promisify(execFile)(
      inspector.node,
      [join(inspector.folder, "node_modules/.bin/mcp-inspector"), "--cli", ...server, ...args],
      { env, cwd: home }
    )
    return JSON.parse(stdout) as Json
  }
  const servers = {
    "/mcp": () => [new URL("/mcp", relay.url.replace(/^ws/, "http")).href, "--transport", "http"],
    "ai-relay mcp": () => [process.execPath, program, "mcp", "--url", relay.url]
  }

  for (const [name, server] of Object.entries(servers)) {
    it.concurrent(`lists the tools and calls them: ${name}`, async () => {
      const { tools } = await inspect(server(), "--method", "tools/list")
      const names = tools.map((tool: Json) => tool["name"])
      assert.includeMembers(names, [
        "relay_agents",
        "relay_open",
        "relay_prompt",
        "relay_wait",
        "relay_answer"
      ])
      const call = (tool: string, ...words: ReadonlyArray<string>) =>
        inspect(
          server(),
          "--method",
          "tools/call",
          "--tool-name",
          tool,
          ...words.flatMap((word) => ["--tool-arg", word])
        )
      const session_id = `inspected-${name.length}`
      const opened = await call("relay_open", "tool=demo", `folder=${home}`, `session_id=${session_id}`)
      assert.strictEqual(opened["structuredContent"].session_id, session_id)
      const asked = await call("relay_prompt", `session_id=${session_id}`, "text=hello", "wait_seconds=40")
      assert.strictEqual(asked["structuredContent"].state, "permission")
      assert.strictEqual(asked["structuredContent"].permission.kind, "question")
    })
  }
})
