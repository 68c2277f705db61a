/**
 * floor: what somebody writes who needs a relay by this evening: Node and ws. It starts an agent per connection, parses
 * each line, wraps it, sends it. No log, no sequence, no resume, no permissions, no second client.
 */
import { spawn } from "node:child_process"
import { WebSocketServer } from "ws"

const highWaterBytes = 1024 * 1024

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false })
server.on("listening", () => console.log(`listens on ws://127.0.0.1:${server.address().port}`))
server.on("connection", (socket, { url }) => {
  const agent = spawn(url.slice(1) || "claude", [], { stdio: ["pipe", "pipe", "inherit"] })
  const session_id = "session-1"
  let seq = 0
  let rest = ""
  agent.stdout.setEncoding("utf8")
  agent.stdout.on("data", (chunk) => {
    rest += chunk
    if (!chunk.includes("\n")) return
    const lines = rest.split("\n")
    rest = lines.pop()
    for (const line of lines) {
      const raw = JSON.parse(line)
      socket.send(JSON.stringify({ type: raw.type, seq: ++seq, ts: Date.now() / 1000, session_id, raw }))
    }
    if (socket.bufferedAmount <= highWaterBytes) return
    agent.stdout.pause()
    socket._socket.once("drain", () => agent.stdout.resume())
  })
  socket.on("message", (data) => agent.stdin.write(`${data}\n`))
  socket.on("close", () => agent.kill())
  agent.on("close", () => socket.close())
})
