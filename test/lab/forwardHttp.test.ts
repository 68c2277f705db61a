/** A user's relay may be in its agent's hands: what it answers says nothing for the lab's whole origin. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { once } from "node:events"
import { createServer, type RequestListener } from "node:http"
import { type AddressInfo, createServer as createTcpServer } from "node:net"
import { forwardHttp } from "../../src/lab/forwardHttp.js"
import * as User from "../../src/lab/User.js"

const listening = (onRequest: RequestListener) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer(onRequest).listen(0, "127.0.0.1")
      await once(server, "listening")
      return { server, port: (server.address() as AddressInfo).port }
    }),
    ({ server }) => Effect.sync(() => void server.close().closeAllConnections())
  )

describe("what a user's relay answers", () => {
  it.live("sets no cookie of the lab's, clears nothing, and keeps to the lab's policy beside its own", () =>
    Effect.gen(function*() {
      const relay = yield* listening((_, response) => {
        response.writeHead(200, {
          "set-cookie": ["ai_relay_lab=evil; Path=/", "x=1"],
          "clear-site-data": "*",
          "service-worker-allowed": "/",
          "strict-transport-security": "max-age=1",
          "content-type": "text/html",
          "content-security-policy": "default-src 'unsafe-inline'"
        }).end("<form action=https://evil.example>")
      })
      const lab = yield* listening((request, response) => {
        void Effect.runPromise(forwardHttp(request, response, {
          id: "1",
          user: User.make("ada"),
          address: { host: "127.0.0.1", port: relay.port, token: Redacted.make("t") }
        }))
      })
      const answer = yield* Effect.promise(() => fetch(`http://127.0.0.1:${lab.port}/`))
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers.get("content-type"), "text/html")
      assert.isNull(answer.headers.get("set-cookie"))
      for (const name of ["clear-site-data", "service-worker-allowed", "strict-transport-security"]) {
        assert.isNull(answer.headers.get(name), name)
      }
      // Two policies: the browser obeys both.
      const [own, labs] = (answer.headers.get("content-security-policy") ?? "").split(", ")
      assert.strictEqual(own, "default-src 'unsafe-inline'")
      for (
        const rule of [
          "form-action 'none'",
          "script-src 'self'",
          "connect-src 'self'",
          "frame-ancestors 'none'"
        ]
      ) {
        assert.include(labs, rule)
      }
    }).pipe(Effect.scoped))

  it.live.each([
    "HTTP/1.1 000 OK, content-length: 2",
    "HTTP/1.1 099 OK, content-length: 2",
    "HTTP/1.1 101 Switching Protocols, connection: upgrade, upgrade: websocket",
    "HTTP/1.1 200 OK, content-length: 2, transfer-encoding: chunked",
    "not HTTP"
  ])(
    "ends no more than its own request: %s",
    (head) =>
      Effect.gen(function*() {
        const relay = yield* Effect.acquireRelease(
          Effect.promise(async () => {
            const server = createTcpServer((socket) => {
              socket.on("error", () => {}).once("data", () =>
                socket.end(`${head.replaceAll(", ", "\r\n")}\r\n\r\nhi`))
            }).listen(0, "127.0.0.1")
            await once(server, "listening")
            return { server, port: (server.address() as AddressInfo).port }
          }),
          ({ server }) =>
            Effect.sync(() => void server.close())
        )
        const lab = yield* listening((request, response) => {
          void Effect.runPromise(
            forwardHttp(request, response, {
              id: "1",
              user: User.make("ada"),
              address: { host: "127.0.0.1", port: relay.port, token: Redacted.make("t") }
            }).pipe(
              Effect.catch(({ message }) => Effect.sync(() => response.writeHead(503).end(message)))
            )
          )
        })
        const answer = yield* Effect.promise(() => fetch(`http://127.0.0.1:${lab.port}/`))
        assert.strictEqual(answer.status, 503)
        assert.include(yield* Effect.promise(() => answer.text()), "the relay of ada does not answer")
      }).pipe(Effect.scoped)
  )
})
