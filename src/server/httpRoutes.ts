/**
 * httpRoutes: the relay's answers to plain HTTP. All but the health checks and the console's files ask who is there, as
 * the socket does.
 *
 * - `GET /`: the console, where it was built.
 * - `GET /healthz`: the process answers. `GET /readyz`: sessions can be written; 503 and why, if not.
 * - `GET /agents`: `{"agents":[…]}`, which of them can be used here, as `ai-relay doctor` finds them.
 * - `GET /metrics`: what is counted, as Prometheus reads it.
 * - `GET /usage?by=session`: `{"by":…,"usage":[…]}`, what was spent, summed by session, folder, token, agent, model or day.
 * - `GET /sessions`: `{"sessions":[…]}`, live ones first.
 * - `DELETE /sessions/ID`: end it and remove all that is kept of it; 204.
 * - `GET /sessions/ID/events?after_seq=N`: the session's events as Server-Sent Events, for tools that hold no socket.
 * - `GET /native-sessions…`: conversations people had in a terminal (`nativeRoutes.ts`).
 * - `GET /schema.json`, `/asyncapi.json`, `/openapi.json`: the contracts.
 * - `POST /ticket`: `{"ticket":"…","expires_in":30}`, which lets one connection in, once, instead of the token.
 */
import { Effect, Option, Schema } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { SessionId } from "../schema/index.js"
import { Auth, type Visitor } from "../services/access/Auth.js"
import { isForwarded } from "../services/access/peers.js"
import * as TrustedProxies from "../services/access/TrustedProxies.js"
import { AgentFindings } from "../services/agents/AgentFindings.js"
import { Journal, SessionNotFound } from "../services/journal/Journal.js"
import { longestTitle, SessionChange } from "../services/journal/SessionMarks.js"
import { SessionRegistry } from "../services/session/SessionRegistry.js"
import { toErrorEvent } from "../services/session/toErrorEvent.js"
import { ConsoleFiles } from "./ConsoleFiles.js"
import { metricsText } from "./metricsText.js"
import { answerNative } from "./nativeRoutes.js"
import { sendEvents } from "./sendEvents.js"
import { usageAnswer } from "./usageAnswer.js"

/** `proxies` are believed about the address. */
export const visitorOf = (
  { headers, socket }: IncomingMessage,
  proxies: TrustedProxies.TrustedProxies = TrustedProxies.make([])
): Visitor => ({
  address: proxies.addressOf(socket.remoteAddress, headers),
  host: headers.host,
  origin: headers.origin,
  authorization: headers.authorization,
  forwarded: isForwarded(headers) || proxies.isTrusted(socket.remoteAddress),
  socket
})

/**
 * A page of another site asks, in a way that names no origin (`<img>`, an iframe, a link): browsers say at least that.
 * What it is sent to see may be the console's files, which tell nothing, but no answer of the relay's.
 */
const isOfOtherSite = ({ headers }: IncomingMessage): boolean =>
  headers.origin === undefined
  && ["cross-site", "same-site"].includes(String(headers["sec-fetch-site"] ?? ""))

/** No page may embed an answer, or take it for something else than it is. */
const shield = (response: ServerResponse) =>
  response
    .setHeader("x-content-type-options", "nosniff")
    .setHeader("cross-origin-resource-policy", "same-origin")
    .setHeader("content-security-policy", "default-src 'none'; frame-ancestors 'none'")

const sendJson = (response: ServerResponse, status: number, body: unknown) =>
  Effect.sync(() => {
    response.writeHead(status, {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff"
    })
    response.end(JSON.stringify(body) + "\n")
  })

/** A page of an allowed origin asks whether it may send its token. */
const sendPreflight = (response: ServerResponse, methods: ReadonlyArray<string>) =>
  Effect.sync(() => {
    response.writeHead(204, {
      "access-control-allow-headers": "authorization, content-type",
      "access-control-allow-methods": methods.join(", "),
      "access-control-max-age": "600"
    })
    response.end()
  })

const sendMetrics = (response: ServerResponse) =>
  Effect.map(metricsText, (text) => {
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" })
    response.end(text)
  })

const hint =
  "This is ai-relay. Connect a WebSocket and send a handshake, such as {\"tool\":\"claude\",\"folder\":\".\"}. "
  + "Over HTTP there are /healthz, /readyz, /agents, /metrics, /sessions, /sessions/ID/events, /native-sessions, /usage, POST /ticket, and /openapi.json, "
  + "which describes them."

const isSessionId = Schema.is(SessionId)

/** The contract of this path, if there is one. They are large and seldom asked for: loaded when one may be. */
const contractAt = (path: string) =>
  path.endsWith(".json")
    ? Effect.map(
      Effect.promise(() => import("../schema/contracts/index.js")),
      ({ contracts }) => Object.entries(contracts).find(([name]) => path === `/${name}`)?.[1]
    )
    : Effect.succeed(undefined)

const sessionPath = /^\/sessions\/([^/]+)$/
const eventsPath = /^\/sessions\/([^/]+)\/events$/

/** The place to go on from: `after_seq`; later, what a browser's EventSource, which keeps its address, remembers. */
const placeOf = (query: URLSearchParams, request: IncomingMessage): number => {
  const places = [query.get("after_seq"), request.headers["last-event-id"]].map(Number)
  return Math.max(0, ...places.filter(Number.isInteger))
}

const idIn = Option.liftThrowable((pattern: RegExp, path: string) =>
  decodeURIComponent(pattern.exec(path)?.[1] ?? "")
)
/** The session's name in a path of this form; empty if there is none. */
const sessionIn = (pattern: RegExp, path: string) => Option.getOrElse(idIn(pattern, path), () => "")

const route = Effect.fnUntraced(
  function*(path: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse) {
    const registry = yield* SessionRegistry
    const journal = yield* Journal
    if (path === "/agents") {
      const { all } = yield* AgentFindings
      const folder = yield* registry.defaultFolder
      return yield* sendJson(response, 200, { agents: yield* all, ...(folder !== undefined && { folder }) })
    }
    if (path === "/whoami") return yield* sendJson(response, 200, { admitted: true })
    if (path === "/metrics") return yield* sendMetrics(response)
    if (path === "/sessions") return yield* sendJson(response, 200, { sessions: yield* registry.list })
    const native = yield* answerNative(path, query)
    if (native !== undefined) return yield* sendJson(response, native.status, native.body)
    if (path === "/usage") {
      const { body, status } = yield* usageAnswer(query)
      return yield* sendJson(response, status, body)
    }
    const contract = yield* contractAt(path)
    if (contract !== undefined) return yield* sendJson(response, 200, contract())
    if (!eventsPath.test(path)) return yield* sendJson(response, path === "/" ? 200 : 404, { text: hint })
    const id = sessionIn(eventsPath, path)
    const after_seq = placeOf(query, request)
    const batches = isSessionId(id)
      ? registry.live(id)?.log.batches(after_seq) ?? (yield* journal.read(id, after_seq))
      : undefined
    if (batches !== undefined) return yield* sendEvents(response, after_seq, batches)
    yield* sendJson(response, 404, {
      text: `there is no session "${id}": GET /sessions lists those there are`
    })
  }
)

const forget = Effect.fnUntraced(
  function*(path: string, response: ServerResponse) {
    const id = sessionIn(sessionPath, path)
    if (!isSessionId(id)) return yield* new SessionNotFound({ session_id: id })
    yield* (yield* SessionRegistry).forget(id)
    response.writeHead(204, { "cache-control": "no-store" }).end()
  },
  (forgotten, _path, response) =>
    Effect.catch(forgotten, (error) => {
      const { code, text } = toErrorEvent(error)
      const status = error._tag === "SessionNotFound" ? 404 : error._tag === "SessionInUse" ? 409 : 500
      return sendJson(response, status, { text, code })
    })
)

/** A body of this size says all that can be said of a session, in bytes. */
const mostBody = 8 * 1024

const bodyOf = (request: IncomingMessage) =>
  Effect.callback<string | undefined>((resume) => {
    let text = ""
    const onData = (chunk: Buffer) => {
      text += chunk.toString()
      if (text.length > mostBody) done(undefined)
    }
    const onEnd = () => done(text)
    const onGone = () => done(undefined)
    const stop = () => void request.off("data", onData).off("end", onEnd).off("close", onGone)
    const done = (body: string | undefined) => {
      stop()
      resume(Effect.succeed(body))
    }
    request.on("data", onData).once("end", onEnd).once("close", onGone)
    return Effect.sync(stop)
  })

const decodeChange = Schema.decodeUnknownOption(Schema.fromJsonString(SessionChange))

const change = Effect.fnUntraced(
  function*(path: string, request: IncomingMessage, response: ServerResponse) {
    const id = sessionIn(sessionPath, path)
    const change = decodeChange((yield* bodyOf(request)) ?? "")
    if (Option.isNone(change)) {
      return yield* sendJson(response, 400, {
        code: "bad_command",
        text:
          `send JSON with \`title\` (at most ${longestTitle} characters), \`archived\` (true or false), or both`
      })
    }
    if (!isSessionId(id)) return yield* new SessionNotFound({ session_id: id })
    yield* (yield* SessionRegistry).change(id, change.value)
    response.writeHead(204, { "cache-control": "no-store" }).end()
  },
  (changed, _path, _request, response) =>
    Effect.catch(changed, (error) => {
      const { code, text } = toErrorEvent(error)
      return sendJson(response, error._tag === "SessionNotFound" ? 404 : 500, { text, code })
    })
)

/** What may be done at a path: all else is answered with 405. */
const methodsOf = (path: string): ReadonlyArray<string> =>
  path === "/ticket" ? ["POST"] : sessionPath.test(path) ? ["DELETE", "PATCH"] : ["GET", "HEAD"]

const health = Effect.fnUntraced(function*(path: string, response: ServerResponse) {
  const trouble = path === "/readyz" ? (yield* Journal).trouble() : undefined
  return yield* trouble === undefined
    ? sendJson(response, 200, { status: "ok" })
    : sendJson(response, 503, { status: "sessions are not written to disk", reason: trouble })
})

/** Answer one request; it is over when the answer is sent or the peer is gone. */
export const answerHttp = Effect.fn("answerHttp")(
  function*(request: IncomingMessage, response: ServerResponse, onAdmitted: () => void) {
    const [path = "/", query = ""] = (request.url ?? "/").split("?", 2)
    const isTicket = path === "/ticket"
    const { method = "" } = request
    const methods = methodsOf(path)
    if (method !== "OPTIONS" && !methods.includes(method)) {
      return yield* sendJson(response, 405, { text: `use ${methods.join(" or ")}` })
    }
    if (path === "/healthz" || path === "/readyz") return yield* health(path, response)
    const auth = yield* Auth
    const visitor = visitorOf(request, auth.proxies)
    yield* auth.checkOrigin(visitor)
    // The page that asks for the token has none yet.
    if (method !== "OPTIONS" && (yield* (yield* ConsoleFiles).answer(path, request, response))) return
    if (isOfOtherSite(request)) {
      const text = "pages of other sites get no answers of this relay: open it at its own address"
      return yield* sendJson(response, 403, { text })
    }
    shield(response)
    if (visitor.origin !== undefined) {
      response.setHeader("cross-origin-resource-policy", "cross-origin")
      response.setHeader("access-control-allow-origin", visitor.origin).setHeader("vary", "origin")
    }
    if (method === "OPTIONS") return yield* sendPreflight(response, methods)
    yield* auth.admit(visitor, undefined)
    onAdmitted()
    if (isTicket) return yield* sendJson(response, 200, yield* auth.ticket)
    if (method === "DELETE") return yield* forget(path, response)
    if (method === "PATCH") return yield* change(path, request, response)
    yield* route(path, new URLSearchParams(query), request, response)
  },
  (answered, request, response) =>
    answered.pipe(
      Effect.catchTags({
        ForbiddenOrigin: ({ message }) => sendJson(response, 403, { text: message }),
        TooManyAttempts: ({ message }) => sendJson(response, 429, { text: message, code: "overloaded" }),
        Unauthorized: ({ message }) => sendJson(response, 401, { text: message })
      }),
      Effect.tapDefect((cause) =>
        Effect.andThen(
          Effect.logWarning(`the answer to ${request.method} ${request.url} ended early`, cause),
          response.headersSent ? Effect.void : sendJson(response, 500, { text: failed })
        )
      )
    )
)

const failed =
  "the relay could not answer, by a fault of its own: please report it with what the relay logged"
