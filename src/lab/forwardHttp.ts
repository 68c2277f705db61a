/**
 * forwardHttp: forwards a user's request to their relay: the console, the list of sessions, their events.
 */
import { Effect, Redacted } from "effect"
import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as send,
  type ServerResponse
} from "node:http"
import { pipeline } from "node:stream"
import { messageOf } from "../schema/messageOf.js"
import { RelayUnavailable, type Running } from "./UserRelays.js"

/** Hop-by-hop headers, and those that identify the user: the lab vouches for that. */
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

/**
 * Headers a user's relay may not set for the whole origin, which is the lab's: the relay may be controlled by
 * its agent.
 */
const notTheRelays = new Set([
  "clear-site-data",
  "service-worker-allowed",
  "set-cookie",
  "strict-transport-security"
])

/** Applies in addition to the relay's own: no form or script of its page can send anything elsewhere. */
const policy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' "
  + "data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
  + "frame-ancestors 'none'"

const answerHeaders = (headers: IncomingMessage["headers"]): OutgoingHttpHeaders => {
  const own = headers["content-security-policy"]
  return {
    ...Object.fromEntries(Object.entries(passedOn(headers)).filter(([name]) => !notTheRelays.has(name))),
    // With two policies, whatever either forbids is forbidden.
    "content-security-policy": own === undefined ? policy : `${String(own)}, ${policy}`,
    "x-content-type-options": "nosniff"
  }
}

const passedOn = (headers: IncomingMessage["headers"]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !kept.has(name)))

/** Completes when the answer is sent or its reader is gone. */
export const forwardHttp = (request: IncomingMessage, response: ServerResponse, { address, user }: Running) =>
  Effect.callback<void, RelayUnavailable>((resume) => {
    const { host, port, token } = address
    const fail = (reason: string) => resume(Effect.fail(new RelayUnavailable({ reason })))
    const forwarded = send({
      host,
      port,
      method: request.method,
      path: request.url,
      headers: { ...passedOn(request.headers), authorization: `Bearer ${Redacted.value(token)}` },
      agent: false
    }, (answer) => {
      try {
        // Throws for a status such as 000, which Node's parser lets through.
        response.writeHead(answer.statusCode ?? 0, answerHeaders(answer.headers))
      } catch (cause) {
        forwarded.destroy()
        return fail(`the relay of ${user.id} does not answer in HTTP: ${messageOf(cause)}`)
      }
      response.flushHeaders()
      // Each side is told when the other leaves.
      pipeline(answer, response, () => resume(Effect.void))
    })
    // One that has gone without a word is noticed by the system, at last.
    forwarded.setSocketKeepAlive(true, 30_000)
    forwarded.on("error", ({ message }) => fail(`the relay of ${user.id} does not answer: ${message}`))
    // Nobody asked for it: WebSockets have another way.
    forwarded.on("upgrade", (_, socket) => {
      socket.destroy()
      fail(`the relay of ${user.id} does not answer in HTTP: it changes the protocol`)
    })
    pipeline(request, forwarded, () => {})
    return Effect.sync(() => forwarded.destroy())
  })
