/**
 * answerHttp: answers plain HTTP requests. It finds the route (`schema/routes.ts`), authenticates and authorizes the client
 * as for a socket, and runs the route's answer (`httpRoutes.ts`).
 *
 * Health checks and the console's files need no token.
 */
import { Effect, Option } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { type BodyOf, SessionId } from "../schema/index.js"
import { type Route, type RouteId, routes } from "../schema/routes.js"
import { Audit } from "../services/access/Audit.js"
import { Auth, bearer, Unauthorized, type Visitor } from "../services/access/Auth.js"
import { isLoopback } from "../services/access/peers.js"
import { demand, demandReach, Principal, type PrincipalFields } from "../services/access/Principal.js"
import { whyFailed } from "../services/internalError.js"
import { agentName, Sender } from "../services/session/Sender.js"
import { SessionRegistry, shuttingDown } from "../services/session/SessionRegistry.js"
import { type RelayError, toErrorEvent } from "../services/session/toErrorEvent.js"
import { type Answer, type LastWords, Refused, sendJson } from "./Call.js"
import { ConsoleFiles } from "./ConsoleFiles.js"
import { breakOff } from "./eventStream.js"
import { answers, hint } from "./httpRoutes.js"
import { ServerConfig } from "./ServerConfig.js"
import { statusOf } from "./statusOf.js"
import { isOfOtherSite, visitorOf } from "./visitor.js"

interface Row {
  readonly route: Route
  readonly segments: ReadonlyArray<string>
  readonly answer: Answer
}

// Each answer requires the parameters of its own path; `paramsOf` gives all of them.
const rows: ReadonlyArray<Row> = (Object.keys(routes) as ReadonlyArray<RouteId>).map((id) => ({
  route: routes[id],
  segments: routes[id].path.split("/"),
  answer: answers[id] as Answer
}))

const decoded = Option.liftThrowable(decodeURIComponent)

/** The values in the path for the names in braces; undefined if the path does not match. */
const paramsOf = (segments: ReadonlyArray<string>, path: string): Record<string, string> | undefined => {
  const given = path.split("/")
  if (given.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const value = given[index] ?? ""
    if (!segment.startsWith("{")) {
      if (segment !== value) return undefined
      continue
    }
    if (value === "") return undefined
    const name = Option.getOrElse(decoded(value), () => "")
    // No parameter contains a slash, so an encoded one does not match.
    params[segment.slice(1, -1)] = name.includes("/") ? value : name
  }
  return params
}

/** The scope needed to be told that a path does not exist. */
const nothing = { scope: "view", reach: "sessions" } as const

/** Methods of a path that does not exist. */
const nowhere: ReadonlyArray<string> = ["GET", "HEAD"]

const methodsOf = (found: ReadonlyArray<Row>): ReadonlyArray<string> =>
  found.length === 0
    ? nowhere
    : found.flatMap(({ route: { method } }) => method === "GET" ? ["GET", "HEAD"] : [method])

/** Headers that keep pages from embedding an answer or treating it as another type. */
const shield = (response: ServerResponse) =>
  response
    .setHeader("x-content-type-options", "nosniff")
    .setHeader("cross-origin-resource-policy", "same-origin")
    .setHeader("content-security-policy", "default-src 'none'; frame-ancestors 'none'")

/** Answers a preflight request of a page from an allowed origin. */
const sendPreflight = (response: ServerResponse, found: ReadonlyArray<Row>) =>
  Effect.sync(() => {
    const headers = found.flatMap(({ route }) => route.headers ?? [])
    response.writeHead(204, {
      "access-control-allow-headers": [...new Set(["authorization", "content-type", ...headers])].join(", "),
      "access-control-allow-methods": methodsOf(found).join(", "),
      "access-control-max-age": "600"
    })
    response.end()
  })

/** Statuses that are more specific than the error's code. */
const statuses: { readonly [Tag in RelayError["_tag"]]?: number } = {
  ForbiddenOrigin: 403,
  SessionInUse: 409,
  TooManyAttempts: 429
}

/** Clients of the AI SDK show the body of a refusal as is, so it is plain text. */
const sendPlain = (response: ServerResponse, status: number, text: string) =>
  Effect.sync(() => {
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" })
    response.end(text)
  })

const sayWhy = (request: IncomingMessage, response: ServerResponse, error: RelayError | Refused) => {
  if ((request.url ?? "").startsWith("/chat/")) {
    return error._tag === "Refused"
      ? sendPlain(response, error.status, error.message)
      : sendPlain(
        response,
        statuses[error._tag] ?? statusOf(toErrorEvent(error).code),
        toErrorEvent(error).text
      )
  }
  if (error._tag === "Refused") {
    const { code, message: text, status } = error
    return sendJson(response, status, { text, ...(code !== undefined && { code }) })
  }
  const { code, text } = toErrorEvent(error)
  return sendJson(response, statuses[error._tag] ?? statusOf(code), { text, code })
}

/** The error as an event, for a stream that breaks off. */
const eventOf = (error: RelayError | Refused): BodyOf<"error"> =>
  error._tag === "Refused" ? { type: "error", code: "internal", text: error.message } : toErrorEvent(error)

const faultOf = (defect: unknown): BodyOf<"error"> => ({
  type: "error",
  code: "internal",
  text: `the relay could not go on because ${whyFailed(defect)}`
})

/** Runs the route's answer, or says that its front is not served here. */
const served = ({ answer, route: { front } }: Row, call: Parameters<Answer>[0]) =>
  Effect.map(
    ServerConfig,
    ({ fronts }) =>
      front === undefined || fronts.includes(front) ? answer(call) : new Refused({
        status: 404,
        reason: `this relay does not serve ${front}: start it with --fronts ${front}`
      })
  )

/** The agent whose token this is: each session gets one for the relay's tools, to open and prompt other sessions. */
const agentOf = Effect.fnUntraced(function*({ address, authorization }: Visitor) {
  const { agents } = yield* Auth
  const session_id = isLoopback(address) ? agents.find(bearer(authorization) ?? "") : undefined
  const session = session_id === undefined
    ? undefined
    : (yield* SessionRegistry).live(SessionId.make(session_id))
  if (session === undefined) return undefined
  const principal: PrincipalFields = {
    name: agentName(session.id),
    scopes: new Set(["view", "prompt"]),
    session_id: session.id,
    limits: { folders: [session.log.summary().folder] },
    ended: Effect.never
  }
  return principal
})

/** Answers one request; completes when the answer is sent or the peer is gone. */
export const answerHttp = Effect.fn("answerHttp")(
  function*(request: IncomingMessage, response: ServerResponse, onAdmitted: () => void) {
    const [path = "/", search = ""] = (request.url ?? "/").split("?", 2)
    const { method = "" } = request
    const found = rows.flatMap((row) => {
      const params = paramsOf(row.segments, path)
      return params === undefined ? [] : [{ ...row, params }]
    })
    const methods = methodsOf(found)
    if (method !== "OPTIONS" && !methods.includes(method)) {
      return yield* sendJson(response, 405, { text: `use ${methods.join(" or ")}` })
    }
    const row = found.find(({ route }) => route.method === (method === "HEAD" ? "GET" : method))
    const query = new URLSearchParams(search)
    let lastWords: LastWords | undefined
    const breakOffWith = (words: LastWords) => void (lastWords = words)
    const answer = row === undefined
      ? sendJson(response, 404, { text: hint })
      : yield* served(row, { request, response, params: row.params, query, breakOffWith })
    if (row?.route.scope === "public") return yield* answer
    const auth = yield* Auth
    const visitor = visitorOf(request, auth.proxies)
    yield* auth.checkOrigin(visitor)
    // The page that asks the person for a token has none itself.
    if (method !== "OPTIONS" && (yield* (yield* ConsoleFiles).answer(path, request, response))) return
    if (isOfOtherSite(request)) {
      const text = "this relay does not answer pages of other sites: open it at its own address"
      return yield* sendJson(response, 403, { text })
    }
    shield(response)
    if (visitor.origin !== undefined) {
      response.setHeader("cross-origin-resource-policy", "cross-origin")
      response.setHeader("access-control-allow-origin", visitor.origin).setHeader("vary", "origin")
    }
    if (method === "OPTIONS") return yield* sendPreflight(response, found)
    const agent = row?.route.front === "mcp" ? yield* agentOf(visitor) : undefined
    const principal = agent ?? (yield* auth.admit(visitor, undefined))
    onAdmitted()
    const { reach, scope } = row?.route ?? nothing
    const what = `${method} ${row?.route.path ?? path}`
    const by = { address: visitor.address, token: principal.name }
    yield* demand(principal, scope === "public" ? "view" : scope, what).pipe(
      Effect.andThen(demandReach(principal, reach, what)),
      Effect.tapError(() =>
        Effect.map(Audit, (audit) => audit.writeOfStranger("forbidden", by, { method, path }))
      )
    )
    // Reads are not logged.
    if (method !== "GET" && method !== "HEAD" && row?.route !== routes.issueTicket) {
      ;(yield* Audit).write("request", by, { method, path })
    }
    const begun = (error: BodyOf<"error">) => breakOff(response, lastWords?.(error))
    yield* answer.pipe(
      Effect.provideService(Principal, principal),
      Effect.provideService(Sender, by),
      // An answer ends when the right to it does.
      Effect.raceFirst(Effect.flatMap(principal.ended, (reason) => new Unauthorized({ reason }))),
      Effect.catch((error) => response.headersSent ? begun(eventOf(error)) : Effect.fail(error)),
      Effect.tapDefect((defect) => response.headersSent ? begun(faultOf(defect)) : Effect.void),
      Effect.onInterrupt(() =>
        response.headersSent
          ? begun(eventOf(shuttingDown))
          : sayWhy(request, response, shuttingDown)
      )
    )
  },
  (answered, request, response) =>
    answered.pipe(
      Effect.catch((error) => sayWhy(request, response, error)),
      Effect.tapDefect((defect) =>
        Effect.andThen(
          Effect.logWarning(`the answer to ${request.method} ${request.url} ended early`, defect),
          response.headersSent
            ? Effect.void
            : sendJson(response, 500, { text: `the relay could not answer because ${whyFailed(defect)}` })
        )
      )
    )
)
