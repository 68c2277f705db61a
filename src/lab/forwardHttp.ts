/** forwardHttp: a request of a user, answered by their relay: the console, the list of sessions, their events. */
import { Effect, Redacted } from "effect"
import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as send,
  type ServerResponse
} from "node:http"
import { pipeline } from "node:stream"
import { RelayUnavailable, type Running } from "./UserRelays.js"

/** What is between this connection's ends alone, and what tells who asks: the lab vouches for that. */
const kept = new Set([
  "authorization",
  "connection",
  "cookie",
  "host",
  "keep-alive",
  "origin",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** What a user's relay may not say for the whole origin, which is the lab's: it may be in its agent's hands. */
const notTheRelays = new Set([
  "clear-site-data",
  "service-worker-allowed",
  "set-cookie",
  "strict-transport-security"
])

/** Holds beside the relay's own: no form of its page, and no script of it, sends anything elsewhere. */
const policy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' "
  + "data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
  + "frame-ancestors 'none'"

const answerHeaders = (headers: IncomingMessage["headers"]): OutgoingHttpHeaders => {
  const own = headers["content-security-policy"]
  return {
    ...Object.fromEntries(Object.entries(passedOn(headers)).filter(([name]) => !notTheRelays.has(name))),
    // Two policies: what either forbids is forbidden.
    "content-security-policy": own === undefined ? policy : `${String(own)}, ${policy}`,
    "x-content-type-options": "nosniff"
  }
}

const passedOn = (headers: IncomingMessage["headers"]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !kept.has(name)))

/** Over when the answer is sent, or its reader is gone. */
export const forwardHttp = (request: IncomingMessage, response: ServerResponse, { address, user }: Running) =>
  Effect.callback<void, RelayUnavailable>((resume) => {
    const { host, port, token } = address
    const forwarded = send({
      host,
      port,
      method: request.method,
      path: request.url,
      headers: { ...passedOn(request.headers), authorization: `Bearer ${Redacted.value(token)}` },
      agent: false
    }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answerHeaders(answer.headers))
      response.flushHeaders()
      // Each is told when the other leaves.
      pipeline(answer, response, () => resume(Effect.void))
    })
    forwarded.on(
      "error",
      ({ message }) =>
        resume(
          Effect.fail(new RelayUnavailable({ reason: `the relay of ${user.id} does not answer: ${message}` }))
        )
    )
    pipeline(request, forwarded, () => {})
    return Effect.sync(() => forwarded.destroy())
  })
