/**
 * login: logs a browser in, which cannot send headers by itself: it sends its access token once and gets a
 * cookie that stands for it until logout. The token is never part of a URL, so it is in no history and no
 * log.
 */
import { Effect } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { cookieName, UnknownUser, Users, visitorIn } from "./Users.js"

export const loginPath = "/lab/login"
export const logoutPath = "/lab/logout"

const page = (problem: string) =>
  `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ai-relay lab</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 24rem; margin: 20vh auto 0; padding: 0 1rem }
  input, button { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; margin-top: .5rem }
</style>
<form method="post" action="${loginPath}">
  <label>Access token<input name="token" type="password" autocomplete="current-password" required autofocus></label>
  <button>Open</button>
  <p role="alert">${problem}</p>
</form>
`

/** Whether the request wants a page rather than data. */
export const isBrowser = ({ headers, method }: IncomingMessage) =>
  method === "GET" && headers.accept?.includes("text/html") === true

export const sendPage = (response: ServerResponse, { problem = "", status = 401 } = {}) =>
  Effect.sync(() => {
    response.writeHead(status, {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    })
    response.end(page(problem))
  })

const longestBody = 16 * 1024

const tooLong = new UnknownUser({ reason: "the form is too long" })

const readForm = (request: IncomingMessage) =>
  Effect.callback<URLSearchParams, UnknownUser>((resume) => {
    let body = ""
    request.setEncoding("utf8")
    request.on("data", (piece: string) => {
      body += piece
      if (body.length > longestBody) resume(Effect.fail(tooLong))
    })
    request.once("end", () => resume(Effect.succeed(new URLSearchParams(body))))
    request.once("error", () => resume(Effect.fail(tooLong)))
    return Effect.sync(() => request.removeAllListeners("data").resume())
  })

/** `POST /lab/login`: exchanges the token for a cookie and sends the browser to `/`. */
export const answerLogin = Effect.fn("answerLogin")(
  function*(request: IncomingMessage, response: ServerResponse) {
    const token = (yield* readForm(request)).get("token")?.trim() ?? ""
    const users = yield* Users
    const visitor = visitorIn(request)
    const cookie = `${cookieName}=${yield* users.logIn(visitor, token)}; Path=/; HttpOnly; SameSite=Strict`
    response.writeHead(303, {
      location: "/",
      "cache-control": "no-store",
      "set-cookie": users.isSecure(visitor) ? `${cookie}; Secure` : cookie
    })
    response.end()
  },
  (answered, _, response) =>
    Effect.catchTags(answered, {
      TooManyAttempts: ({ message }) => sendPage(response, { status: 429, problem: message }),
      UnknownUser: ({ message }) => sendPage(response, { problem: message })
    })
)

/** `POST /lab/logout`: invalidates the cookie and has the browser delete it. */
export const answerLogout = Effect.fn("answerLogout")(
  function*(request: IncomingMessage, response: ServerResponse) {
    const users = yield* Users
    yield* users.logOut(visitorIn(request))
    response.writeHead(303, {
      location: "/",
      "cache-control": "no-store",
      "set-cookie": `${cookieName}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`
    })
    response.end()
  }
)
