import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { WebSocket, WebSocketServer } from "ws"
import { pipeFrames } from "../../src/lab/pipeFrames.js"

interface Ends {
  /** Where a user sits. */
  readonly browser: WebSocket
  /** Where the relay sits. */
  readonly relay: WebSocket
  /** The lab's two sockets. */
  readonly toClient: WebSocket
  readonly toRelay: WebSocket
}

const until = async (fact: () => boolean) => {
  while (!fact()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** browser — toClient | lab | toRelay — relay, over real sockets. */
const piped = (name: string, body: (ends: Ends) => Promise<void>, silenceMs?: number) =>
  it.live(name, () =>
    Effect.gen(function*() {
      const open = () =>
        Effect.acquireRelease(
          Effect.promise(async () => {
            const server = new WebSocketServer({ host: "127.0.0.1", port: 0, autoPong: false })
            await once(server, "listening")
            const { port } = server.address() as AddressInfo
            const dialed = new WebSocket(`ws://127.0.0.1:${port}`, { autoPong: false, maxPayload: 0 })
            const [accepted] = await once(server, "connection") as [WebSocket]
            if (dialed.readyState !== WebSocket.OPEN) await once(dialed, "open")
            for (const socket of [accepted, dialed]) socket.on("error", () => {})
            return { server, accepted, dialed }
          }),
          ({ accepted, dialed, server }) =>
            Effect.sync(() => {
              accepted.terminate()
              dialed.terminate()
              server.close()
            })
        )
      const front = yield* open()
      const back = yield* open()
      const ends = {
        browser: front.dialed,
        toClient: front.accepted,
        toRelay: back.dialed,
        relay: back.accepted
      }
      yield* Effect.forkScoped(pipeFrames(ends.toClient, ends.toRelay, silenceMs))
      yield* Effect.yieldNow
      yield* Effect.promise(() => body(ends))
    }).pipe(Effect.scoped), 20_000)

const next = async (socket: WebSocket) => {
  const [data, binary] = await once(socket, "message") as [Buffer, boolean]
  return { text: data.toString(), binary }
}

const megabyte = Buffer.alloc(1024 * 1024, "x")

describe("pipeFrames", () => {
  piped("passes texts and bytes both ways, each as it is and in order", async ({ browser, relay }) => {
    const heard = next(relay)
    browser.send("hello ☃")
    assert.deepStrictEqual(await heard, { text: "hello ☃", binary: false })
    const answers: Array<string> = []
    browser.on("message", (data) => answers.push(String(data)))
    for (let index = 0; index < 1000; index++) relay.send(`${index}`)
    relay.send(Buffer.from("end"))
    await until(() => answers.length === 1001)
    assert.deepStrictEqual(answers, [...Array.from({ length: 1000 }, (_, index) => `${index}`), "end"])
  })

  piped("lets the ends keep each other's heartbeat", async ({ browser, relay }) => {
    const pinged = once(browser, "ping")
    relay.ping("are you there")
    assert.strictEqual(String((await pinged)[0]), "are you there")
    const ponged = once(relay, "pong")
    browser.pong("yes")
    assert.strictEqual(String((await ponged)[0]), "yes")
  })

  for (
    const [slow, fast, behind] of [["browser", "relay", "toClient"], ["relay", "browser", "toRelay"]] as const
  ) {
    piped(`holds the ${fast} back while the ${slow} does not read, and loses nothing`, async (ends) => {
      const count = 32
      let received = 0
      ends[slow].on("message", (data: Buffer) => (received += data.length))
      ends[slow].pause()
      for (let index = 0; index < count; index++) ends[fast].send(megabyte)
      const other = behind === "toClient" ? ends.toRelay : ends.toClient
      await until(() => other.isPaused)
      // What waits in the lab is the mark and one frame; the rest waits where it came from.
      assert.isAtMost(ends[behind].bufferedAmount, 3 * 1024 * 1024)
      assert.isAbove(ends[fast].bufferedAmount, 16 * 1024 * 1024)
      ends[slow].resume()
      await until(() => received === count * megabyte.length)
      await until(() => !other.isPaused)
    })
  }

  piped("tells the client the relay's goodbye", async ({ browser, relay }) => {
    const closed = once(browser, "close")
    relay.close(1000, "the session has ended")
    const [code, reason] = await closed
    assert.deepStrictEqual([code, String(reason)], [1000, "the session has ended"])
  })

  piped(
    "asks the client to connect again when the relay is gone without a word",
    async ({ browser, relay }) => {
      const closed = once(browser, "close")
      relay.terminate()
      assert.strictEqual((await closed)[0], 1012)
    }
  )

  piped(
    "asks the client to connect again when the relay has long been silent, but not while it pings",
    async ({ browser, relay }) => {
      const closed = once(browser, "close")
      let isClosed = false
      void closed.then(() => (isClosed = true))
      for (let beat = 0; beat < 10; beat++) {
        relay.ping()
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      assert.isFalse(isClosed)
      assert.strictEqual((await closed)[0], 1012)
    },
    500
  )

  piped("leaves the relay as the client has left", async ({ browser, relay }) => {
    const closed = once(relay, "close")
    browser.terminate()
    assert.strictEqual((await closed)[0], 1006)
  })
})
