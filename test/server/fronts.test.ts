import { assert, describe } from "@effect/vitest"
import { once } from "node:events"
import type { IncomingMessage } from "node:http"
import { WebSocket } from "ws"
import { test } from "../support/relayServer.js"

describe("fronts", () => {
  test("that are off are not there, and the answer says how to get them", async ({ port }) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/acp`)
    socket.on("error", () => {})
    const [, response] = await once(socket, "unexpected-response") as [unknown, IncomingMessage]
    assert.strictEqual(response.statusCode, 404)
    const [body] = await once(response, "data") as [Buffer]
    assert.include(body.toString(), "--fronts acp")
    socket.terminate()
  }, { fronts: ["chat"] })
})
