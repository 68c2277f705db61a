/** Frames that never end, over real sockets: they cost no more than may be unfinished in all, and only whoever sends them. */
import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import type { IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { WebSocket, WebSocketServer } from "ws"
import * as FrameBudget from "../../src/lab/FrameBudget.js"

const kilobytes = (count: number) => Buffer.alloc(count * 1024, "x")

const until = async (fact: () => boolean) => {
  while (!fact()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe("frames that never end", () => {
  it("drop the connection that holds most; others' large frames arrive, also one after the other", async () => {
    const budget = FrameBudget.make(4 * 1024 * 1024)
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, maxPayload: budget.most })
    await once(server, "listening")
    const open = async () => {
      const far = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
      far.on("error", () => {})
      const [near, { socket }] = await once(server, "connection") as [WebSocket, IncomingMessage]
      if (far.readyState !== WebSocket.OPEN) await once(far, "open")
      near.on("error", () => {})
      const stop = budget.watch(near, socket)
      near.once("close", stop)
      return { far, near, closed: once(near, "close") }
    }
    const hostile = await open()
    const honest = await open()
    let received = 0
    honest.near.on("message", (data: Buffer) => (received += data.length))
    for (let piece = 0; piece < 3; piece++) hostile.far.send(kilobytes(1000), { fin: false })
    for (let frame = 0; frame < 20; frame++) honest.far.send(kilobytes(900))
    await until(() => received === 20 * 900 * 1024)
    assert.strictEqual(hostile.near.readyState, WebSocket.OPEN)
    // Together with it, this is too much: who holds most goes.
    honest.far.send(kilobytes(1200), { fin: false })
    await hostile.closed
    honest.far.send(kilobytes(1), { fin: true })
    await until(() => received === (20 * 900 + 1201) * 1024)
    honest.far.terminate()
    server.close()
  })
})
