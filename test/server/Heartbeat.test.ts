import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EventEmitter, once } from "node:events"
import type { AddressInfo } from "node:net"
import { WebSocket, WebSocketServer } from "ws"
import * as Heartbeat from "../../src/server/Heartbeat.js"
import { until } from "../support/processes.js"

const serve = Effect.acquireRelease(
  Effect.promise(async () => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
    await once(server, "listening")
    return server
  }),
  (server) => Effect.sync(() => void server.close())
)

const connect = (server: WebSocketServer, options?: { autoPong: boolean }) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, options)
      await Promise.all([once(socket, "open"), once(server, "connection")])
      return socket
    }),
    (socket) => Effect.sync(() => socket.terminate())
  )

/** To be begun before it may happen. */
const next = (emitter: EventEmitter, event: string) => {
  const happens = once(emitter, event)
  return Effect.promise(() => happens)
}

const beat = TestClock.adjust("30 seconds")

describe("Heartbeat", () => {
  it.effect("pings all at the same time, whenever they came", () =>
    Effect.gen(function*() {
      const server = yield* serve
      yield* Heartbeat.keep(server.clients)
      const early = yield* connect(server)
      yield* TestClock.adjust("29 seconds")
      const late = yield* connect(server)
      const pings = [next(early, "ping"), next(late, "ping")]
      yield* TestClock.adjust("1 seconds")
      yield* Effect.all(pings)
    }))

  it.effect("pings some hundreds, each once", () =>
    Effect.gen(function*() {
      const pinged: Array<number> = []
      const peers = Array.from(
        { length: 333 },
        (_, n) => Object.assign(new EventEmitter(), { ping: () => void pinged.push(n) })
      )
      yield* Heartbeat.keep(peers as Iterable<object> as Iterable<WebSocket>)
      yield* beat
      yield* Effect.promise(() => until(() => pinged.length >= 333))
      assert.deepStrictEqual(pinged, [...peers.keys()])
    }))

  it.effect("drops who has not answered two pings, and nobody else", () =>
    Effect.gen(function*() {
      const server = yield* serve
      const silent = yield* connect(server, { autoPong: false })
      const polite = yield* connect(server)
      const [, peer] = server.clients
      yield* Heartbeat.keep(server.clients)
      for (let beats = 0; beats < 2; beats++) {
        const answers = [next(silent, "ping"), next(peer as EventEmitter, "pong")]
        yield* beat
        yield* Effect.all(answers)
      }
      assert.strictEqual(server.clients.size, 2)
      const dropped = next(silent, "close")
      yield* beat
      yield* dropped
      assert.strictEqual(server.clients.size, 1)
      for (let beats = 0; beats < 5; beats++) {
        const ponged = next(peer as EventEmitter, "pong")
        yield* beat
        yield* ponged
      }
      assert.strictEqual(polite.readyState, WebSocket.OPEN)
    }))

  it.effect("forgives a ping that was not answered when the next one is", () =>
    Effect.gen(function*() {
      const server = yield* serve
      yield* Heartbeat.keep(server.clients)
      const client = yield* connect(server, { autoPong: false })
      const [peer] = server.clients
      for (let beats = 0; beats < 6; beats++) {
        const pinged = next(client, "ping")
        yield* beat
        yield* pinged
        if (beats % 2 === 0) continue
        const ponged = next(peer as EventEmitter, "pong")
        client.pong()
        yield* ponged
      }
      assert.strictEqual(client.readyState, WebSocket.OPEN)
    }))
})
