/** The handshake's `mcp_servers`: each agent starts the program, and calls the tool it offers. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { type AgentName, whyNotInstalled } from "../support/agents.js"
import { reply, type Tool } from "../support/modelApi/script.js"
import { allowAll, only, setStage } from "./scenarios.js"

/** A server with one tool, which writes down that it was called, and the variable it was given. */
const server = `
const { appendFileSync } = require("node:fs")
const [file] = process.argv.slice(2)
const tool = {
  name: "add",
  description: "Adds two numbers",
  inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a", "b"] }
}
const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "tiny", version: "1.0.0" }
  }),
  ping: () => ({}),
  "tools/list": () => ({ tools: [tool] }),
  "tools/call": ({ arguments: { a, b } }) => {
    appendFileSync(file, \`\${process.env.TINY_KEY}: \${a} + \${b}\\n\`)
    return { content: [{ type: "text", text: \`the sum is \${a + b}\` }] }
  }
}
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  const answer = answers[method]
  const error = { code: -32601, message: "Method not found" }
  console.log(JSON.stringify({ jsonrpc: "2.0", id, ...answer ? { result: answer(params) } : { error } }))
})`

const input = { a: 19, b: 23 }
/** What each agent calls the tool towards its model. */
const toolOf: Partial<Record<AgentName, Tool>> = {
  claude: { name: "mcp__tiny__add", input },
  codex: { namespace: "mcp__tiny", name: "add", input },
  gemini: { name: "mcp_tiny_add", input }
}

describe.each(["claude", "codex", "gemini"] as const)("%s", (agent) => {
  const why = whyNotInstalled(agent)
  describe.skipIf(why !== undefined)(
    `with a tool server of the client's${why === undefined ? "" : ` (${why})`}`,
    () => {
      const stage = setStage(agent, { tool: agent })

      it("starts it, calls its tool and tells what that said", async () => {
        const { home } = stage
        const [program, file] = [join(home, "tiny.cjs"), join(home, "calls.txt")]
        writeFileSync(program, server)
        // Gemini CLI starts no tool servers in a folder its user has not trusted.
        if (agent === "gemini") {
          writeFileSync(
            join(home, ".gemini", "trustedFolders.json"),
            JSON.stringify({ [home]: "TRUST_FOLDER" })
          )
        }
        stage.api().on(/ADD/, [reply({ tool: toolOf[agent] as Tool }), reply({ text: "It is 42." })])
        const client = await stage.open({
          session_id: `with-tools-${agent}`,
          mcp_servers: [{
            name: "tiny",
            command: process.execPath,
            args: [program, file],
            env: { TINY_KEY: "k-1" }
          }]
        })
        allowAll(client)
        client.send({ text: "ADD them" })
        await client.waitFor("turn_end")
        expect(only(client.events, "tool_result").map(({ text }) => text).join()).toContain("the sum is 42")
        expect(readFileSync(file, "utf8")).toBe("k-1: 19 + 23\n")
        // The key is in no event, and in no command line anybody could read.
        const start = JSON.stringify(client.events[0])
        expect(start).not.toContain("k-1")
      })
    }
  )
})
