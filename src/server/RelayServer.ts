/**
 * RelayServer: listens, and runs every WebSocket in a scoped fiber.
 *
 * On shutdown it accepts no new connections or turns, tells clients, and lets running turns finish (`drain`). Then all
 * sessions end, say so to their clients, and the sockets close.
 */
import { Cause, Context, Deferred, Effect, Fiber, FiberSet, Layer, Option, Schema } from "effect"
import { readFileSync } from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerOptions } from "node:http"
import { createServer as createTlsServer, Server as TlsServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import { type RawData, type WebSocket, WebSocketServer } from "ws"
import { messageOf } from "../schema/messageOf.js"
import { type SocketRouteId, socketRoutes } from "../schema/routes.js"
import { Auth, type Visitor } from "../services/access/Auth.js"
import { fileMark, followFile } from "../services/access/followFile.js"
import { demand, demandReach, Principal } from "../services/access/Principal.js"
import { AgentFindings } from "../services/agents/AgentFindings.js"
import { BudgetBook } from "../services/budget/BudgetBook.js"
import { completesWithin } from "../services/completesWithin.js"
import { whyFailed } from "../services/internalError.js"
import * as Metrics from "../services/observe/Metrics.js"
import { Sender } from "../services/session/Sender.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import { answerHttp } from "./answerHttp.js"
import type { Served } from "./Call.js"
import { closeReason } from "./closeReason.js"
import * as Connection from "./Connection.js"
import * as ConnectionLimiter from "./ConnectionLimiter.js"
import { ConsoleFiles } from "./ConsoleFiles.js"
import { expectBody } from "./expectBody.js"
import * as Heartbeat from "./Heartbeat.js"
import { PeerSocket } from "./PeerSocket.js"
import { answerPlainly, isWebSocket, onlyWebSocket } from "./plainUpgrade.js"
import * as RefusedOrigins from "./RefusedOrigins.js"
import { serveConnection } from "./serveConnection.js"
import { ServerConfig, type ServerSettings } from "./ServerConfig.js"
import * as TlsGuests from "./TlsGuests.js"
import { turnAway } from "./turnAway.js"
import * as TurnedAway from "./TurnedAway.js"
import * as UnfinishedFrames from "./UnfinishedFrames.js"
import { visitorOf } from "./visitor.js"

/** The relay cannot listen on this address. */
export class ListenFailed extends Schema.TaggedError<ListenFailed>()("ListenFailed", {
  host: Schema.String,
  port: Schema.Number,
  cause: Schema.Defect()
}) {
  override get message() {
    const code = this.cause instanceof Error && "code" in this.cause ? this.cause.code : undefined
    const place = `${this.host}:${this.port}`
    if (code === "EADDRINUSE") {
      return `port ${this.port} is in use: stop the program that uses it, or choose another port with --port`
    }
    if (code === "EACCES") return `not allowed to listen on ${place}: choose a --port above 1023`
    return `cannot listen on ${place} (${String(code ?? this.cause)}): check --host and --port`
  }
}

/** The certificate or its key cannot be used. */
export class TlsUnusable extends Schema.TaggedError<TlsUnusable>()("TlsUnusable", { reason: Schema.String }) {
  override get message() {
    return `TLS cannot be used: ${this.reason}`
  }
}

export class RelayServer extends Context.Service<RelayServer, {
  /** Where it listens, with the real port if 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number; readonly secure: boolean }
  /** Stop waiting for running turns during shutdown. */
  readonly hurry: Effect.Effect<void>
}>()("ai-relay/server/RelayServer") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make)).pipe(
    Layer.provide([ConsoleFiles.layer(), AgentFindings.layer])
  )
}

/** How long connections may take to close, and answers to end, at shutdown, in ms. */
const goodbyeMs = 1000

export const listen = (server: Server, host: string, port: number) =>
  Effect.callback<AddressInfo, ListenFailed>((resume) => {
    server.once("error", (cause) => resume(new ListenFailed({ host, port, cause })))
    try {
      // Listening on a TCP port, the address is never a string.
      server.listen(port, host, () => resume(Effect.succeed(server.address() as AddressInfo)))
    } catch (cause) {
      // A port that is no port.
      resume(new ListenFailed({ host, port, cause }))
    }
  })

/** Without a word to say, nobody stays longer than it takes to say it. */
const openServer = (settings: ServerSettings): Effect.Effect<Server, TlsUnusable> => {
  const { handshake_timeout, tls_cert, tls_key } = settings
  const patience = handshake_timeout * 1000
  const options: ServerOptions = {
    ...onlyWebSocket,
    headersTimeout: patience,
    // `expectBody` sees to that: a large file may take longer.
    requestTimeout: 0,
    // Node checks for slow clients this often, even without connections.
    connectionsCheckingInterval: Math.ceil(patience / 2)
  }
  if (tls_cert === undefined && tls_key === undefined) return Effect.sync(() => createServer(options))
  if (tls_cert === undefined || tls_key === undefined) {
    return new TlsUnusable({ reason: "set both --tls-cert and --tls-key" })
  }
  return Effect.try({
    try: () => {
      const [cert, key] = [readFileSync(tls_cert), readFileSync(tls_key)]
      return createTlsServer({ ...options, cert, key, handshakeTimeout: patience })
    },
    catch: (cause) =>
      new TlsUnusable({
        reason: `${messageOf(cause)}; check --tls-cert and --tls-key (PEM files)`
      })
  })
}

const queryOf = ({ url = "" }: IncomingMessage) => new URLSearchParams(url.split("?", 2)[1])

const bySocketPath = new Map(
  (Object.keys(socketRoutes) as ReadonlyArray<SocketRouteId>).map((
    id
  ) => [socketRoutes[id].path as string, id])
)
const socketRouteOf = ({ url = "" }: IncomingMessage): SocketRouteId =>
  bySocketPath.get(url.split("?", 1)[0] ?? "") ?? "session"

/** The ticket in the URL or beside the subprotocol, since pages cannot set headers on a WebSocket. It works once. */
const ticketOf = (request: IncomingMessage): string | undefined => {
  const offered = String(request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) =>
    name.trim()
  )
  const beside = offered.find((name) => name.startsWith("ticket."))?.slice("ticket.".length)
  return beside ?? queryOf(request).get("ticket") ?? undefined
}

/** Collects an editor's frames until something listens. */
const keepEarly = (ws: WebSocket) => {
  const said: Array<readonly [RawData, boolean]> = []
  const keep = (data: RawData, isBinary: boolean) => void said.push([data, isBinary])
  ws.on("message", keep)
  return () => {
    ws.off("message", keep)
    return said
  }
}

/** How often to look for a renewed certificate in the same files, in ms; it is used without a restart. */
export const CertificateInterval = Context.Reference<number>("ai-relay/server/CertificateInterval", {
  defaultValue: () => 1000
})

const followCertificate = Effect.fnUntraced(
  function*(server: TlsServer, { tls_cert = "", tls_key = "" }: ServerSettings) {
    const run = Effect.runSyncWith(yield* Effect.context<never>())
    const interval = yield* CertificateInterval
    const take = () => {
      try {
        server.setSecureContext({ cert: readFileSync(tls_cert), key: readFileSync(tls_key) })
        run(Effect.logInfo("using the new TLS certificate from now on"))
      } catch (cause) {
        // The two files may not have been written at the same time.
        run(Effect.logWarning(
          `the new TLS certificate cannot be used (${
            messageOf(cause)
          }), so the old one stays in use: check ${tls_cert} and ${tls_key}`
        ))
      }
    }
    for (const file of [tls_cert, tls_key]) {
      let seen = fileMark(file)
      const onChange = () => {
        seen = fileMark(file)
        take()
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => followFile(file, interval, () => seen, onChange)),
        (stop) => Effect.sync(stop)
      )
    }
  }
)

const make = Effect.gen(function*() {
  const settings = yield* ServerConfig
  const { drain, host, max_connections, max_frame_bytes, port } = settings
  const auth = yield* Auth
  const registry = yield* SessionRegistry
  Option.map(yield* Effect.serviceOption(BudgetBook), (book) => book.paying(auth.tokens.originOf))
  const runSync = Effect.runSyncWith(yield* Effect.context<never>())
  const fibers = yield* FiberSet.make<void>()
  const fork = yield* FiberSet.runtime(fibers)<Served>()
  const sockets = new WebSocketServer<typeof PeerSocket>({
    noServer: true,
    WebSocket: PeerSocket,
    perMessageDeflate: false,
    maxPayload: max_frame_bytes,
    // Of the subprotocols a page offers, the ticket is never chosen.
    handleProtocols: (offered) => offered.has("acp") ? "acp" : false
  })
  yield* Heartbeat.keep(sockets.clients)
  const limiter = ConnectionLimiter.make(settings)
  const refused = RefusedOrigins.make()
  const turnedAway = TurnedAway.make()
  const unfinished = UnfinishedFrames.make(settings.max_unfinished_bytes)
  const hurried = yield* Deferred.make<void>()
  let connections = 0
  let isDraining = false

  const serve = Effect.fnUntraced(function*(ws: PeerSocket, socket: Socket, visitor: Visitor) {
    yield* Metrics.countingConnection
    const connection = yield* Connection.make(ws, socket, { ...settings, unfinished })
    let isAdmitted = false
    yield* serveConnection(connection, visitor, settings, () => {
      isAdmitted = true
      limiter.admit(socket)
    })
    yield* isAdmitted ? Effect.logInfo("disconnected") : turnedAway.tell(visitor.address)
  }, Effect.scoped)

  /** Its code is loaded when the first editor connects. */
  const serveEditor = Effect.fnUntraced(function*(
    ws: WebSocket,
    socket: Socket,
    { address }: Visitor,
    query: URLSearchParams
  ) {
    yield* Effect.logInfo(`an editor has connected from ${address}`)
    yield* Metrics.countingConnection
    const early = keepEarly(ws)
    const tool = query.get("tool") ?? undefined
    const { serveAcp } = yield* Effect.promise(() => import("./serveAcp.js"))
    yield* serveAcp(ws, socket, { ...settings, early, tool })
    yield* Effect.logInfo("an editor has left")
  }, Effect.scoped)

  /** Serves each WebSocket path that needs the token before it opens, as long as the right to it lasts. */
  const serveRoute: {
    readonly [Id in Exclude<SocketRouteId, "session">]: (
      ws: WebSocket,
      socket: Socket,
      visitor: Visitor,
      query: URLSearchParams
    ) => Effect.Effect<void, never, Served>
  } = { acp: serveEditor }

  const server = yield* openServer(settings)
  const secure = server instanceof TlsServer
  if (secure) yield* followCertificate(server, settings)
  // Besides, those that are told why they were refused.
  server.maxConnections = 2 * max_connections
  const refuse = (socket: Socket, refusal: string) => turnAway(socket, "503 Service Unavailable", refusal)
  if (secure) {
    // Counted from the first byte, including those that never start TLS.
    const byPeer = TlsGuests.make(limiter)
    server.on("connection", byPeer.enter)
    server.on("secureConnection", (socket: TLSSocket) => {
      const refusal = byPeer.secured(socket)
      if (refusal !== undefined) refuse(socket, refusal)
    })
  } else {
    server.on("connection", (socket: Socket) => {
      const refusal = limiter.enter(socket)
      if (refusal !== undefined) refuse(socket, refusal)
    })
  }
  server.on("request", (request, response) => {
    if (response.socket?.writableEnded === true) return
    expectBody(request, response, settings.handshake_timeout * 1000)
    void fork(answerHttp(request, response, () => limiter.admit(request.socket)))
  })
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (socket.writableEnded) return
    socket.on("error", () => socket.destroy())
    if (!isWebSocket(request)) return answerPlainly(server, request, socket, head)
    if (isDraining) {
      return turnAway(socket, "503 Service Unavailable", "the relay is shutting down: try again later")
    }
    const visitor = visitorOf(request, auth.proxies)
    const refusal = runSync(
      Effect.match(auth.checkOrigin(visitor), { onFailure: (refusal) => refusal, onSuccess: () => undefined })
    )
    if (refusal !== undefined) {
      const news = refused.newsOf(refusal)
      if (news !== undefined) runSync(Effect.logWarning(news))
      return turnAway(socket, "403 Forbidden", refusal.message)
    }
    const route = socketRouteOf(request)
    if (route === "acp" && !settings.fronts.includes(route)) {
      return turnAway(
        socket,
        "404 Not Found",
        `this relay does not serve editors: start it with --fronts ${route}`
      )
    }
    const upgrade = (served: (ws: PeerSocket) => Effect.Effect<void, never, Served>, token?: string) =>
      sockets.handleUpgrade(request, socket, head, (ws) => {
        const connection = ++connections
        fork(
          served(ws).pipe(
            Effect.annotateLogs({ connection }),
            Effect.provideService(Sender, { address: visitor.address, connection, token })
          )
        )
      })
    // Its handshake says who it is.
    if (route === "session") return upgrade((ws) => serve(ws, socket, visitor))
    const { path, reach, scope } = socketRoutes[route]
    const admitted = Effect.tap(
      auth.admit(visitor, undefined, ticketOf(request)),
      (principal) =>
        Effect.andThen(
          demand(principal, scope, `a connection to ${path}`),
          demandReach(principal, reach, `a connection to ${path}`)
        )
    )
    void fork(Effect.match(admitted, {
      onFailure: ({ _tag, message }) =>
        turnAway(socket, _tag === "Forbidden" ? "403 Forbidden" : "401 Unauthorized", message),
      onSuccess: (principal) => {
        limiter.admit(socket)
        upgrade((ws) =>
          serveRoute[route](ws, socket, visitor, queryOf(request)).pipe(
            Effect.provideService(Principal, principal),
            Effect.catchDefect((defect) =>
              Effect.andThen(
                Effect.logError("Internal error while serving this connection.", Cause.die(defect)),
                Effect.sync(() => ws.close(1011, closeReason(`closed because ${whyFailed(defect)}`)))
              )
            )
          ), principal.name)
      }
    }))
  })

  const shutDown = Effect.gen(function*() {
    isDraining = true
    server.close()
    yield* registry.drain(drain)
    yield* completesWithin(Effect.raceFirst(registry.idle, Deferred.await(hurried)), drain * 1000)
    yield* registry.closeAll
    // Each connection closes, and each answer ends, when it has sent its session's last event.
    yield* completesWithin(FiberSet.awaitEmpty(fibers), goodbyeMs)
    // Not `FiberSet.clear`, which interrupts them one by one: each may have to say its last words.
    yield* Fiber.interruptAll([...fibers])
    server.closeAllConnections()
  })
  const address = yield* Effect.acquireRelease(listen(server, host, port), () => shutDown)
  if (settings.fronts.includes("mcp")) {
    const place = secure ? "https://localhost" : "http://127.0.0.1"
    yield* registry.offerTools({
      serverFor: (session_id) => ({
        name: "relay",
        type: "http",
        url: `${place}:${address.port}/mcp`,
        headers: { Authorization: `Bearer ${auth.agents.give(session_id)}` }
      }),
      end: auth.agents.end
    })
  }
  return RelayServer.of({
    address: { host, port: address.port, secure },
    hurry: Effect.asVoid(Deferred.succeed(hurried, undefined))
  })
})
