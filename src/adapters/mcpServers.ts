/**
 * mcpServers: a handshake's MCP servers in each agent's format.
 */
import type { McpServer } from "../schema/Handshake.js"

type Servers = ReadonlyArray<McpServer>

const pairs = (map: Readonly<Record<string, string>> = {}) =>
  Object.entries(map).map(([name, value]) => ({ name, value }))

/** `mcpServers` of the Agent Client Protocol. */
export const toAcpServers = (servers: Servers = []): ReadonlyArray<object> =>
  servers.map((server) =>
    "command" in server
      ? { name: server.name, command: server.command, args: server.args ?? [], env: pairs(server.env) }
      : { type: server.type, name: server.name, url: server.url, headers: pairs(server.headers) }
  )

/** The first server this ACP agent cannot reach; every agent can start programs. */
export const unreachable = (
  servers: Servers = [],
  can: { readonly http?: boolean; readonly sse?: boolean } = {}
): McpServer | undefined => servers.find((server) => !("command" in server) && can[server.type] !== true)

/** `servers` of Claude Code's request `mcp_set_servers`. */
export const toClaudeServers = (servers: Servers): Readonly<Record<string, object>> =>
  Object.fromEntries(servers.map(({ name, ...server }) => [
    name,
    "command" in server ? { type: "stdio", ...server } : server
  ]))

/** Codex accepts no other characters and reads a dot as a path to a setting. */
const settingName = (name: string) => name.replaceAll(/[^A-Za-z0-9_-]/g, "_")

/** The first server Codex cannot reach: it supports programs and URLs that stream over HTTP. */
export const unknownToCodex = (servers: Servers = []): McpServer | undefined =>
  servers.find((server) => "type" in server && server.type === "sse")

/** Codex settings (`config`): one key per server, so that the user's own servers stay. */
export const toCodexConfig = (servers: Servers = []): Readonly<Record<string, object>> =>
  Object.fromEntries(servers.map(({ name, ...server }) => [
    `mcp_servers.${settingName(name)}`,
    "command" in server
      ? server
      : { url: server.url, ...(server.headers !== undefined && { http_headers: server.headers }) }
  ]))
