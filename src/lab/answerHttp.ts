/**
 * answerHttp: the lab's answers to plain HTTP. It answers `/healthz` and `/readyz` itself; `/lab/login` logs
 * a browser in; everything else goes to the user's relay.
 */
import { Effect } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { visitorOf } from "../server/visitor.js"
import { Auth } from "../services/access/Auth.js"
import { forwardHttp } from "./forwardHttp.js"
import { answerLogin, answerLogout, isBrowser, loginPath, logoutPath, sendPage } from "./login.js"
import { Presence } from "./Presence.js"
import { UserRelays } from "./UserRelays.js"
import { UnknownUser, Users, visitorIn } from "./Users.js"

const sendJson = (response: ServerResponse, status: number, body: object) =>
  Effect.sync(() => {
    if (response.headersSent) return response.destroy()
    response.writeHead(status, {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff"
    })
    return response.end(JSON.stringify(body) + "\n")
  })

const needed = new UnknownUser({ reason: "an access token is needed: send it as `Authorization: Bearer …`" })

const forward = Effect.fnUntraced(function*(
  request: IncomingMessage,
  response: ServerResponse,
  onAdmitted: () => void
) {
  const { ofRequest } = yield* Users
  const presence = yield* Presence
  const runtimes = yield* UserRelays
  const admitted = yield* ofRequest(visitorIn(request))
  if (admitted === undefined) return yield* needed
  const { ended, user } = admitted
  onAdmitted()
  const { origin } = request.headers
  if (origin !== undefined) {
    response.setHeader("access-control-allow-origin", origin).setHeader("vary", "origin")
  }
  yield* presence.enter(user)
  // An event stream ends when the right to it does.
  yield* Effect.raceFirst(
    forwardHttp(request, response, yield* runtimes.reach(user)),
    Effect.flatMap(ended, (reason) => Effect.fail(new UnknownUser({ reason })))
  )
}, Effect.scoped)

const health = Effect.fnUntraced(function*(path: string, response: ServerResponse) {
  if (path === "/readyz") yield* Effect.flatMap(UserRelays, ({ check }) => check)
  yield* sendJson(response, 200, { status: "ok" })
})

export const answerHttp = Effect.fn("lab.answerHttp")(
  function*(request: IncomingMessage, response: ServerResponse, onAdmitted: () => void) {
    const path = request.url?.split("?", 1)[0] ?? "/"
    if (path === "/healthz" || path === "/readyz") return yield* health(path, response)
    yield* Effect.flatMap(Auth, ({ checkOrigin }) => checkOrigin(visitorOf(request)))
    if (path === loginPath && request.method === "POST") return yield* answerLogin(request, response)
    if (path === logoutPath && request.method === "POST") return yield* answerLogout(request, response)
    yield* forward(request, response, onAdmitted)
  },
  (answered, request, response) =>
    answered.pipe(
      Effect.catchTags({
        ForbiddenOrigin: ({ message }) => sendJson(response, 403, { text: message }),
        TooManyAttempts: ({ message }) =>
          isBrowser(request)
            ? sendPage(response, { status: 429, problem: message })
            : sendJson(response, 429, { text: message, code: "overloaded" }),
        TooManyConnections: ({ message }) => sendJson(response, 503, { text: message, code: "overloaded" }),
        UnknownUser: ({ message }) =>
          isBrowser(request) && !response.headersSent
            ? sendPage(response)
            : sendJson(response, 401, { text: message }),
        RelayUnavailable: ({ message }) =>
          Effect.andThen(Effect.logError(message), sendJson(response, 503, { text: message }))
      }),
      // A reader that is gone needs nothing more.
      Effect.raceFirst(gone(response))
    )
)

const gone = (response: ServerResponse) =>
  Effect.callback<void>((resume) => {
    const onClose = () => resume(Effect.void)
    response.once("close", onClose)
    return Effect.sync(() => response.off("close", onClose))
  })
