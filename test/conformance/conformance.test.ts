/** Our relay passes the conformance kit, and the kit fails a server that does not conform. */
import { execFile } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { assert, it } from "vitest"
import { WebSocketServer } from "ws"
import * as FakeRelay from "../support/fakeRelay.js"

const runner = fileURLToPath(new URL("../../conformance/run.mjs", import.meta.url))

const run = (url: string): Promise<{ readonly code: number; readonly out: string }> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [runner, url, "--handshake", "{\"tool\":\"fake\"}"],
      (_, out, err) => resolve({ code: child.exitCode ?? -1, out: out + err })
    )
  })

it("a relay conforms", async () => {
  const relay = await FakeRelay.start()
  try {
    const { code, out } = await run(relay.url)
    assert.strictEqual(code, 0, out)
    assert.match(out, /^20 passed, 0 failed$/m)
  } finally {
    await relay.end()
  }
}, 60_000)

it("a server that answers everything alike does not", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  await once(server, "listening")
  server.on("connection", (socket) =>
    socket.on("message", () => {
      socket.send(JSON.stringify({ type: "session_start", seq: 1, ts: 1, session_id: "s" }))
      socket.close(1000)
    }))
  const { port } = server.address() as { port: number }
  const { code, out } = await run(`ws://127.0.0.1:${port}`)
  server.close()
  assert.strictEqual(code, 1)
  assert.match(out, /^✗ ping is answered/m)
}, 60_000)
