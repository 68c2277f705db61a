import { assert, describe } from "@effect/vitest"
import { once } from "node:events"
import type { IncomingMessage } from "node:http"
import { WebSocket } from "ws"
import { CommandNotFound } from "../../src/adapters/AdapterError.js"
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

  const postText = async (port: number, path: string, body: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body
    })
    return `${response.status} ${await response.text()}`
  }
  const post = (port: number, path: string, body: object) => postText(port, path, JSON.stringify(body))

  test("keep nobody waiting for a body of millions of small values, or of brackets", async ({ port }) => {
    const many = (before: string) => `${before}${"{},".repeat(2_000_000)}{}]}`
    const deep = `{"id":${"[".repeat(2_000_000)}`
    const begun = performance.now()
    for (const path of ["/chat/fake", "/agui/fake", "/mcp", "/schedules"]) {
      const told = await postText(port, path, many("{\"messages\":["))
      assert.match(told, /^413 .*too many values: use at most 200000/, path)
      if (path === "/chat/fake") assert.include(told, "send its last two messages")
      assert.match(await postText(port, path, deep), /^413 .*too deeply: use at most 1000 levels/, path)
    }
    const socket = new WebSocket(`ws://127.0.0.1:${port}/acp`)
    await once(socket, "open")
    socket.send(many("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":["))
    const [refused] = await once(socket, "message") as [Buffer]
    assert.include(refused.toString(), "too many values")
    socket.terminate()
    // Parsing and decoding them takes that long each.
    assert.isBelow(performance.now() - begun, 10_000)
  }, { fronts: ["acp", "chat", "agui", "mcp"] })

  test("refuse for the same reason with the same status", async ({ port }) => {
    const said = (part: object) => ({ id: "m", role: "user", ...part })
    const chat = { id: "c", messages: [said({ parts: [{ type: "text", text: "hello" }] })] }
    const run = { threadId: "t", runId: "r", messages: [said({ content: "hello" })] }
    assert.match(await post(port, "/chat/fake", chat), /^502 .*install it/)
    assert.match(await post(port, "/agui/fake", run), /^502 .*install it/)
    assert.match(await post(port, "/chat/nobody", chat), /^400 /)
    assert.match(await post(port, "/agui/nobody", run), /^400 /)
  }, {
    fronts: ["chat", "agui"],
    opening: () => new CommandNotFound({ command: "fake", advice: "install it" })
  })
})
