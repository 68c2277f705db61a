import { assert, describe } from "@effect/vitest"
import { connect } from "node:net"
import { type Relay, test } from "../support/relayServer.js"

/** Send these bytes; all that comes back, until the relay hangs up. */
const exchange = ({ port }: Relay, ...parts: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = ""
    const socket = connect(port, "127.0.0.1", () => {
      const [first = "", ...others] = parts
      socket.write(first, () => others.forEach((part) => setImmediate(() => socket.write(part))))
    })
    socket.on("data", (bytes: Buffer) => (answer += bytes.toString()))
    socket.on("end", () => resolve(answer)).on("error", reject)
  })

const offer =
  "Host: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAQAAP__\r\n"

describe("a request that offers another protocol", () => {
  test("is answered as if it had not", async (relay) => {
    const answer = await exchange(relay, `GET /healthz HTTP/1.1\r\n${offer}\r\n`)
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.include(answer, "{\"status\":\"ok\"}")
  })

  test("may have a body, wherever it is cut", async (relay) => {
    const head =
      `PATCH /sessions/none HTTP/1.1\r\n${offer}Content-Type: application/json\r\nContent-Length: 13\r\n\r\n`
    for (const parts of [[`${head}{"title":"x"}`], [head, "{\"title\"", ":\"x\"}"]]) {
      const answer = await exchange(relay, ...parts)
      assert.match(answer, /^HTTP\/1\.1 404 /, answer)
    }
  })

  test(
    "is told what to do where Node does not know how long its body is",
    async (relay) => {
      const answer = await exchange(
        relay,
        `PATCH /sessions/none HTTP/1.1\r\n${offer}Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nd\r\n{"title":"x"}\r\n0\r\n\r\n`
      )
      assert.match(answer, /^HTTP\/1\.1 (?:404 |411 [^]*content-length)/)
    }
  )
})
