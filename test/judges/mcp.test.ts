/** Both SDKs of the Model Context Protocol drive an agent through a relay: over `/mcp`, and by `ai-relay mcp`. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect } from "../support/client.js"
import { type Daemon, startDaemon } from "../support/daemon.js"
import { judgesOf } from "../support/judges.js"

const judges = judgesOf("mcp")
const program = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "ai-relay-mcp-"))
const env = { PATH: process.env["PATH"] ?? "", HOME: folder }

// What the SDKs give: a test reads what it knows is there.
type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any

describe.skipIf(judges.missing !== undefined)("MCP's SDKs", () => {
  let relay: Daemon
  beforeAll(async () => {
    relay = await startDaemon({ env, cwd: folder, args: ["--root", folder, "--fronts", "mcp"] })
  })
  afterAll(async () => {
    await relay?.kill()
    rmSync(folder, { recursive: true, force: true })
  })

  const info = { name: "judge", version: "1.0.0" }
  const url = () => new URL("/mcp", relay.url.replace(/^ws/, "http"))
  const stdio = () => ({
    command: process.execPath,
    args: [program, "mcp", "--url", relay.url],
    env,
    cwd: folder
  })

  /** Each gives a client that is connected, and the version it speaks. */
  const clients: Readonly<Record<string, () => Promise<Json>>> = {
    "sdk 1, /mcp": async () => {
      const { Client } = await judges.load("@modelcontextprotocol/sdk/client/index.js")
      const { StreamableHTTPClientTransport } = await judges.load(
        "@modelcontextprotocol/sdk/client/streamableHttp.js"
      )
      const client = new Client(info)
      await client.connect(new StreamableHTTPClientTransport(url()))
      return client
    },
    "sdk 1, ai-relay mcp": async () => {
      const { Client } = await judges.load("@modelcontextprotocol/sdk/client/index.js")
      const { StdioClientTransport } = await judges.load("@modelcontextprotocol/sdk/client/stdio.js")
      const client = new Client(info)
      await client.connect(new StdioClientTransport(stdio()))
      return client
    },
    "sdk 2 as it begins by default, /mcp": async () => {
      const { Client, StreamableHTTPClientTransport } = await judges.load("@modelcontextprotocol/client")
      const client = new Client(info)
      await client.connect(new StreamableHTTPClientTransport(url()))
      return client
    },
    "sdk 2 in the newest era, /mcp": async () => {
      const { Client, StreamableHTTPClientTransport } = await judges.load("@modelcontextprotocol/client")
      const client = new Client(info, { versionNegotiation: { mode: { pin: "2026-07-28" } } })
      await client.connect(new StreamableHTTPClientTransport(url()))
      return client
    }
  }

  const callOn = (client: Json) => async (name: string, args: object = {}): Promise<Json> => {
    const result = (await client["callTool"]({ name, arguments: args })) as Json
    return { ...result["structuredContent"], isError: result["isError"] === true }
  }

  it("open an agent, give it a task, wait for a person's answer, and read what it did", async () => {
    await Promise.all(
      Object.entries(clients).map(async ([name, open], index) => {
        const client = await open()
        const { tools } = (await client["listTools"]()) as Json
        assert.include(tools.map((tool: Json) => tool["name"]), "relay_prompt", name)
        const call = callOn(client)
        const session_id = `judge-${index}`
        const opened = await call("relay_open", { tool: "demo", folder, session_id })
        assert.strictEqual(opened["session_id"], session_id, name)
        let state = await call("relay_prompt", { session_id, text: "mend it", wait_seconds: 45 })
        const person = await connect(relay.url, { session_id, must_exist: true })
        while (state["state"] === "permission" || state["state"] === "running") {
          const asked = state["permission"]
          if (asked?.you_may_allow === true) {
            const [question] = asked.args.questions
            state = await call("relay_answer", {
              session_id,
              request_id: asked.request_id,
              answers: { [question.id ?? question.question]: question.options[0].label }
            })
            continue
          }
          if (asked !== undefined) {
            const refused = await call("relay_answer", {
              session_id,
              request_id: asked.request_id,
              behavior: "allow"
            })
            assert.isTrue(refused["isError"], name)
            person.send({ type: "permission_response", request_id: asked.request_id, behavior: "allow" })
          }
          state = await call("relay_wait", { session_id, after_seq: state["seq"], wait_seconds: 45 })
        }
        assert.deepInclude(state, { state: "done", stop_reason: "end_turn" }, name)
        const { events } = await call("relay_read", { session_id })
        assert.isAtLeast(events.length, 8, name)
        await client["close"]()
      })
    )
  })
})
