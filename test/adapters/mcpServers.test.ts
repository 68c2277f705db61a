import { assert, describe, it } from "@effect/vitest"
import { toAcpServers, toClaudeServers, toCodexConfig, unreachable } from "../../src/adapters/mcpServers.js"

const program = { name: "db", command: "db-mcp", args: ["--read-only"], env: { KEY: "k" } } as const
const address = { name: "docs", type: "http", url: "https://x", headers: { A: "b" } } as const

describe("the tool servers of a handshake", () => {
  it("are told ACP agents as the protocol has them", () => {
    assert.deepStrictEqual(toAcpServers([program, address]), [
      { name: "db", command: "db-mcp", args: ["--read-only"], env: [{ name: "KEY", value: "k" }] },
      { type: "http", name: "docs", url: "https://x", headers: [{ name: "A", value: "b" }] }
    ])
    assert.deepStrictEqual(toAcpServers(undefined), [])
  })

  it("are refused where an ACP agent cannot reach them", () => {
    assert.strictEqual(unreachable([program, address], {}), address)
    assert.isUndefined(unreachable([program, address], { http: true }))
    assert.isUndefined(unreachable([program]))
  })

  it("are told Claude by name", () => {
    assert.deepStrictEqual(toClaudeServers([program, address]), {
      db: { type: "stdio", command: "db-mcp", args: ["--read-only"], env: { KEY: "k" } },
      docs: { type: "http", url: "https://x", headers: { A: "b" } }
    })
  })

  it("are settings of Codex, beside the user's own, under names Codex takes", () => {
    assert.deepStrictEqual(toCodexConfig([program, { ...address, name: "my docs.v2" }]), {
      "mcp_servers.db": { command: "db-mcp", args: ["--read-only"], env: { KEY: "k" } },
      "mcp_servers.my_docs_v2": { url: "https://x", http_headers: { A: "b" } }
    })
  })
})
