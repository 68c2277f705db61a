import { assert, describe, it } from "@effect/vitest"
import { toAcpServers, toClaudeServers, toCodexConfig, unreachable } from "../../src/adapters/mcpServers.js"

const program = { name: "db", command: "db-mcp", args: ["--read-only"], env: { DB: "shop" } }
const remote = {
  name: "docs",
  type: "http" as const,
  url: "https://mcp.example.com",
  headers: { Authorization: "Bearer t" }
}

describe("mcp_servers", () => {
  it("are told each agent in its own words", () => {
    assert.deepStrictEqual(toAcpServers([program, remote]), [
      { name: "db", command: "db-mcp", args: ["--read-only"], env: [{ name: "DB", value: "shop" }] },
      {
        type: "http",
        name: "docs",
        url: "https://mcp.example.com",
        headers: [{ name: "Authorization", value: "Bearer t" }]
      }
    ])
    assert.deepStrictEqual(toClaudeServers([program, remote]), {
      db: { type: "stdio", command: "db-mcp", args: ["--read-only"], env: { DB: "shop" } },
      docs: { type: "http", url: "https://mcp.example.com", headers: { Authorization: "Bearer t" } }
    })
    assert.deepStrictEqual(toCodexConfig([program, remote]), {
      "mcp_servers.db": { command: "db-mcp", args: ["--read-only"], env: { DB: "shop" } },
      "mcp_servers.docs": { url: "https://mcp.example.com", http_headers: { Authorization: "Bearer t" } }
    })
  })

  it("are refused where an agent of the Agent Client Protocol cannot reach them; programs it always can", () => {
    assert.isUndefined(unreachable([program], {}))
    assert.strictEqual(unreachable([program, remote], { sse: true }), remote)
    assert.isUndefined(unreachable([remote], { http: true }))
  })
})
