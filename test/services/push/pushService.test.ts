/** What is sent to push services, and how long they may take. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { post } from "../../../src/services/push/pushService.js"

describe("a push service", () => {
  it.live("has one time limit for its whole answer, however it comes in drops", () =>
    Effect.gen(function*() {
      const server = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const server = createServer(({ socket }) => {
            socket.write("HTTP/1.1 201 Created\r\nx: ")
            const drops = setInterval(() => socket.write("x"), 20)
            socket.once("close", () => clearInterval(drops)).on("error", () => {})
          }).listen(0, "127.0.0.1")
          await once(server, "listening")
          return server
        }),
        (server) => Effect.sync(() => void server.close().closeAllConnections())
      )
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const failed = yield* Effect.flip(post(`${origin}/x`, {}, Buffer.from("x"), [origin], 200))
      assert.strictEqual(failed.reason, "it does not answer")
    }).pipe(Effect.scoped))
})
