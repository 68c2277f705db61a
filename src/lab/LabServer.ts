/**
 * LabServer: listens for all users and connects each with their relay.
 *
 * It stores nothing: another process of the lab, now or later, serves the same users the same way.
 */
import { Context, Effect, FiberSet, Layer } from "effect"
import { createServer, type IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { WebSocketServer } from "ws"
import * as ConnectionLimiter from "../server/ConnectionLimiter.js"
import { expectBody } from "../server/expectBody.js"
import { answerPlainly, isWebSocket, onlyWebSocket } from "../server/plainUpgrade.js"
import { listen } from "../server/RelayServer.js"
import { ServerConfig } from "../server/ServerConfig.js"
import { turnAway } from "../server/turnAway.js"
import { visitorOf } from "../server/visitor.js"
import { Auth } from "../services/access/Auth.js"
import { isLoopback } from "../services/access/peers.js"
import { completesWithin } from "../services/completesWithin.js"
import { allClosed } from "./allClosed.js"
import { answerHttp } from "./answerHttp.js"
import * as ClientSocket from "./ClientSocket.js"
import * as FrameBudget from "./FrameBudget.js"
import { LabConfig } from "./LabConfig.js"
import type { Presence } from "./Presence.js"
import * as Proxies from "./Proxies.js"
import { serveSocket } from "./serveSocket.js"
import type { UserRelays } from "./UserRelays.js"
import { type Users, visitorIn } from "./Users.js"

export class LabServer extends Context.Service<LabServer, {
  readonly address: { readonly host: string; readonly port: number }
}>()("ai-relay/lab/LabServer") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

/** Close code (RFC 6455): connect again. */
const serviceRestart = 1012
/** How long sockets may take to close at shutdown, in ms. */
const goodbyeMs = 1000

const make = Effect.gen(function*() {
  const settings = yield* ServerConfig
  const { handshake_timeout, host, max_connections, max_frame_bytes, max_handshake_bytes, port } = settings
  const { isTrusted } = yield* Proxies.make(yield* LabConfig)
  const limiter = ConnectionLimiter.make(settings, (address) => isLoopback(address) || isTrusted(address))
  const auth = yield* Auth
  const runSync = Effect.runSyncWith(yield* Effect.context<never>())
  const fibers = yield* FiberSet.make<void>()
  const fork = yield* FiberSet.runtime(fibers)<Auth | LabConfig | Presence | UserRelays | Users>()
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    // The relay validates the frames and answers pings.
    skipUTF8Validation: true,
    autoPong: false,
    maxPayload: max_frame_bytes
  })
  const frames = FrameBudget.make(settings.max_unfinished_bytes)
  let connections = 0

  const patience = handshake_timeout * 1000
  const server = createServer({
    ...onlyWebSocket,
    headersTimeout: patience,
    // `expectBody` sees to that: a large file may take longer.
    requestTimeout: 0,
    // How often Node checks for stalled requests, even without connections.
    connectionsCheckingInterval: Math.ceil(patience / 2)
  })
  // The other half is for connections that are only told why they are refused.
  server.maxConnections = 2 * max_connections
  server.on("connection", (socket: Socket) => {
    const refusal = limiter.enter(socket)
    if (refusal !== undefined) return turnAway(socket, "503 Service Unavailable", refusal)
    // Node itself sets no limit on the wait for a first byte.
    const silence = setTimeout(() => socket.bytesRead === 0 && socket.destroy(), patience)
    socket.once("close", () => clearTimeout(silence))
  })
  server.on("request", (request, response) => {
    if (response.socket?.writableEnded === true) return
    expectBody(request, response, patience)
    void fork(answerHttp(request, response, () => limiter.admit(request.socket)))
  })
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (socket.writableEnded) return
    socket.on("error", () => socket.destroy())
    // It becomes part of the relay's URL, which has no fragment.
    if (!/^\/[^#]*$/.test(request.url ?? "")) {
      return turnAway(socket, "400 Bad Request", "request a path, such as /: this is not a proxy")
    }
    if (!isWebSocket(request)) return answerPlainly(server, request, socket, head)
    const refusal = runSync(
      Effect.match(auth.checkOrigin(visitorOf(request)), {
        onFailure: (refusal) => refusal,
        onSuccess: () => undefined
      })
    )
    if (refusal !== undefined) return turnAway(socket, "403 Forbidden", refusal.message)
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const client = ClientSocket.make(ws, socket, max_handshake_bytes)
      fork(
        Effect.annotateLogs(
          serveSocket(client, visitorIn(request), request.url ?? "/", frames, () => limiter.admit(socket)),
          {
            connection: ++connections
          }
        )
      )
    })
  })

  const address = yield* Effect.acquireRelease(listen(server, host, port), () => shutDown)
  const shutDown: Effect.Effect<void> = Effect.gen(function*() {
    server.close()
    for (const ws of sockets.clients) ws.close(serviceRestart, "the lab is going: connect again")
    yield* completesWithin(allClosed([...sockets.clients]), goodbyeMs)
    yield* FiberSet.clear(fibers)
    server.closeAllConnections()
  })

  return LabServer.of({ address: { host, port: address.port } })
})
