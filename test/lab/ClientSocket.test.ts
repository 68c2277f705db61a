import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { once } from "node:events"
import type { IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { WebSocket, WebSocketServer } from "ws"
import * as ClientSocket from "../../src/lab/ClientSocket.js"

/** A client and the lab's end of its socket. */
const connected = (body: (client: WebSocket, kept: ClientSocket.ClientSocket) => Promise<void>) =>
  Effect.acquireUseRelease(
    Effect.promise(async () => {
      const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
      await once(server, "listening")
      const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
      const opened = once(client, "open")
      const [accepted, { socket }] = await once(server, "connection") as [WebSocket, IncomingMessage]
      await opened
      return { server, client, kept: ClientSocket.make(accepted, socket, 1000) }
    }),
    ({ client, kept }) => Effect.promise(() => body(client, kept)),
    ({ client, kept, server }) =>
      Effect.sync(() => {
        client.terminate()
        kept.ws.terminate()
        server.close()
      })
  )

describe("ClientSocket", () => {
  it.live("keeps the first frame for the relay, and reads no further", () =>
    connected(async (client, kept) => {
      client.send("hello")
      assert.strictEqual(await Effect.runPromise(kept.first), "hello")
      assert.isTrue(kept.ws.isPaused)
      assert.deepStrictEqual(kept.release().map(({ data }) => String(data)), ["hello"])
    }))

  it.live("takes no handshake without end", () =>
    connected(async (client, kept) => {
      client.send("x".repeat(1_000_000))
      assert.isTrue(Exit.isFailure(await Effect.runPromiseExit(kept.first)))
    }))

  it.live("hears the goodbye of a client whose handshake came after it was refused", () =>
    connected(async (client, kept) => {
      // It has not yet seen the refusal.
      client.pause()
      await Effect.runPromise(kept.refuse("unauthorized", "no", 1008))
      const heard = once(kept.ws, "message")
      client.send("hello")
      await heard
      const closed = once(client, "close")
      client.resume()
      assert.strictEqual((await closed)[0], 1008)
    }))
})
