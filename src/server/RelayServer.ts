/**
 * RelayServer: listens, and gives every WebSocket a scoped fiber.
 *
 * Shutting down: no new connections, all sessions end at once and say so to their clients, then the sockets close.
 */
import { Context, Effect, FiberSet, Layer, Runtime, Schema } from "effect"
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import { Auth, type Visitor } from "../services/Auth.js"
import type { Journal } from "../services/Journal.js"
import { SessionRegistry } from "../services/SessionRegistry.js"
import { waitUntil } from "../services/waitUntil.js"
import * as Connection from "./Connection.js"
import { answerHttp, visitorOf } from "./httpRoutes.js"
import { serveConnection } from "./serveConnection.js"
import { ServerConfig } from "./ServerConfig.js"

/** The address cannot be listened on. */
export class ListenFailed extends Schema.TaggedError<ListenFailed>()("ListenFailed", {
  host: Schema.String,
  port: Schema.Number,
  cause: Schema.Defect
}) {
  override get message() {
    const code = this.cause instanceof Error && "code" in this.cause ? this.cause.code : undefined
    const place = `${this.host}:${this.port}`
    if (code === "EADDRINUSE") {
      return `port ${this.port} is in use: stop what runs there, or choose another with --port`
    }
    if (code === "EACCES") return `not allowed to listen on ${place}: choose a --port above 1023`
    return `cannot listen on ${place} (${String(code ?? this.cause)}): check --host and --port`
  }
}

export class RelayServer extends Context.Tag("ai-relay/server/RelayServer")<RelayServer, {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number }
}>() {
  static readonly layer = Layer.scoped(this, Effect.suspend(() => make))
}

/** How long sockets may take to close at shutdown, in ms. */
const goodbyeMs = 1000

/** Answer an upgrade that will not be one. */
export const turnAway = (socket: Duplex, status: string, text: string) => {
  const body = JSON.stringify({ text }) + "\n"
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
      + `connection: close\r\n\r\n${body}`
  )
}

export const listen = (server: Server, host: string, port: number) =>
  Effect.async<AddressInfo, ListenFailed>((resume) => {
    server.once("error", (cause) => resume(new ListenFailed({ host, port, cause })))
    // Listening on a TCP port, the address is never a string.
    server.listen(port, host, () => resume(Effect.succeed(server.address() as AddressInfo)))
  })

const make = Effect.gen(function*() {
  const { host, max_frame_bytes, max_handshake_bytes, port } = yield* ServerConfig
  const auth = yield* Auth
  const registry = yield* SessionRegistry
  const runSync = Runtime.runSync(yield* Effect.runtime<never>())
  const fibers = yield* FiberSet.make<void>()
  const fork = yield* FiberSet.runtime(fibers)<Auth | Journal | SessionRegistry>()
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: max_frame_bytes
  })
  let connections = 0

  const serve = Effect.fnUntraced(function*(ws: WebSocket, socket: Socket, visitor: Visitor) {
    yield* Effect.logInfo(`connected from ${visitor.address}`)
    const connection = yield* Connection.make(ws, socket, { max_handshake_bytes })
    yield* serveConnection(connection, visitor)
    yield* Effect.logInfo("disconnected")
  }, Effect.scoped)

  const server = createServer((request, response) => void fork(answerHttp(request, response)))
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on("error", () => socket.destroy())
    const visitor = visitorOf(request)
    const refusal = runSync(Effect.merge(Effect.flip(auth.checkOrigin(visitor))))
    if (refusal !== undefined) return turnAway(socket, "403 Forbidden", refusal.message)
    if (request.url?.split("?", 1)[0] === "/acp") {
      return turnAway(socket, "404 Not Found", "nothing is served at /acp yet")
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      fork(Effect.annotateLogs(serve(ws, socket, visitor), { connection: ++connections }))
    })
  })

  const address = yield* Effect.acquireRelease(listen(server, host, port), () => shutDown)
  const shutDown: Effect.Effect<void> = Effect.gen(function*() {
    server.close()
    yield* registry.closeAll
    // Each connection closes when it has sent its session's last event.
    yield* waitUntil(() => sockets.clients.size === 0, goodbyeMs)
    yield* FiberSet.clear(fibers)
    server.closeAllConnections()
  })

  return RelayServer.of({ address: { host, port: address.port } })
})
