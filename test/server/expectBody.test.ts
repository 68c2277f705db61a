/** Bodies of requests that take their time, or stop, at a relay and at a lab. */
import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, request } from "node:http"
import { type AddressInfo, connect as connectTcp } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { expectBody } from "../../src/server/expectBody.js"
import { serving } from "../lab/door.js"
import { test } from "../support/relayServer.js"

const base = mkdtempSync(join(tmpdir(), "ai-relay-body-"))
afterAll(() => rmSync(base, { recursive: true, force: true }))

/** Sends a file of `pieces`, one every 100 ms. */
const trickle = (port: number, path: string, pieces: number, headers: Record<string, string> = {}) =>
  new Promise<number>((resolve, reject) => {
    const size = 10_000
    const sent = request({
      ...{ host: "127.0.0.1", port, path, method: "POST" },
      headers: { "content-type": "application/octet-stream", "content-length": pieces * size, ...headers }
    }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    }).on("error", reject)
    let count = 0
    const timer = setInterval(() => {
      sent.write(Buffer.alloc(size))
      if (++count < pieces) return
      clearInterval(timer)
      sent.end()
    }, 100)
  })

/** What comes back for a file of which only the beginning is sent. */
const stopping = async (port: number, head = "") => {
  const socket = connectTcp(port, "127.0.0.1").on("error", () => {})
  socket.write(
    `POST /sessions/s/attachments?name=a HTTP/1.1\r\nHost: localhost\r\n${head}`
      + "content-type: application/octet-stream\r\nContent-Length: 100\r\n\r\nabc"
  )
  let text = ""
  socket.on("data", (data: Buffer) => (text += data.toString()))
  await once(socket, "close")
  return text
}

describe("a file that takes longer than a handshake may", () => {
  test(
    "arrives at the relay; one that stops coming gets 408",
    async (relay) => {
      await (await relay.join({ folder: base })).turn("hello")
      assert.strictEqual(await trickle(relay.port, "/sessions/s/attachments?name=a", 12), 201)
      assert.match(await stopping(relay.port), /^HTTP\/1\.1 408 .*stopped coming: send it again/s)
    },
    { handshake_timeout: 0.4, roots: [base], state_dir: join(base, "state"), tool: "fake" },
    20_000
  )

  it.live(
    "passes through the lab, which waits no longer than that for one that stops",
    () =>
      serving({}, async ({ port }) => {
        const authorization = "Bearer token-1"
        // The relay answers that there is no such session, once it has read the file.
        assert.strictEqual(
          await trickle(port, "/sessions/none/attachments?name=a", 12, { authorization }),
          404
        )
        assert.match(await stopping(port, `authorization: ${authorization}\r\n`), /^HTTP\/1\.1 40[48] /)
      }, { handshake_timeout: 0.4 }),
    20_000
  )

  it("is waited for while nobody here reads it", async () => {
    const server = createServer((asked, response) => {
      expectBody(asked, response, 50)
      setTimeout(() => asked.resume().once("end", () => response.end("all")), 500)
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const sent = request({ host: "127.0.0.1", port, method: "POST" }).end(Buffer.alloc(4_000_000))
    const [answer] = await once(sent, "response") as [{ readonly statusCode: number; resume: () => void }]
    answer.resume()
    assert.strictEqual(answer.statusCode, 200)
    server.close()
  })
})
