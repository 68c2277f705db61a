/** mcpRoutes: `/mcp`, the relay's sessions as tools for agents, over MCP's streamable HTTP. Each answer is JSON. */
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import * as inProcess from "../fronts/inProcess.js"
import * as McpServer from "../fronts/mcp/McpServer.js"
import { open, text } from "../fronts/read.js"
import { SessionPort } from "../fronts/SessionPort.js"
import { Principal } from "../services/access/Principal.js"
import { type Answer, jsonTextOf, sendJson } from "./Call.js"

const version = "1.0.0"

const parse = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** The client's name from its `initialize` message. */
const clientOf = (message: unknown): string => {
  const params = open(open(message)["params"])
  const info = open(params["clientInfo"] ?? open(params["_meta"])["io.modelcontextprotocol/clientInfo"])
  return text(info["name"]) ?? ""
}

const gone = (response: Parameters<Answer>[0]["response"]) =>
  Effect.callback<void>((resume) => {
    const onClose = () => resume(Effect.void)
    if (response.closed) return onClose()
    response.once("close", onClose)
    return Effect.sync(() => response.off("close", onClose))
  })

export const mcp: Answer<"/mcp"> = ({ request, response }) =>
  Effect.gen(function*() {
    const message = parse(yield* jsonTextOf(request))
    const principal = yield* Principal
    const client = clientOf(message)
    const server = McpServer.make({
      port: yield* SessionPort,
      version,
      front: () => (client === "" ? "mcp" : `mcp (${client})`).slice(0, 100),
      newId: randomUUID,
      ...(principal.session_id !== undefined && { caller: { session_id: principal.session_id } })
    })
    const header = (name: string) => text(request.headers[name])
    const answered = message === undefined
      ? Effect.succeed(server.unreadable)
      : server.handle(message, {
        "mcp-protocol-version": header("mcp-protocol-version"),
        "mcp-method": header("mcp-method"),
        "mcp-name": header("mcp-name")
      })
    const answer = Effect.gen(function*() {
      const reply = yield* answered
      if (reply === undefined) return void response.writeHead(202, { "cache-control": "no-store" }).end()
      yield* sendJson(response, reply.status, reply.body)
    })
    // A client that leaves stops waiting; the turn goes on.
    yield* Effect.raceFirst(answer, gone(response))
  }).pipe(Effect.provide(inProcess.layer))
