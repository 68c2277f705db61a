/**
 * floor-with-log: what somebody has to write to have half of what a relay is for. A session outlives its
 * clients, keeps every frame in memory, and a client that comes back gets what it has missed.
 *
 * `ws://…/AGENT?session=ID&after=SEQ`; without a session it is one of its own.
 */
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { WebSocketServer } from "ws"

const highWaterBytes = 1024 * 1024
const sessions = new Map()

const begin = (session_id, program) => {
  const agent = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"] })
  const session = { agent, clients: new Set(), frames: [] }
  let rest = ""
  agent.stdout.setEncoding("utf8")
  agent.stdout.on("data", (chunk) => {
    rest += chunk
    if (!chunk.includes("\n")) return
    const lines = rest.split("\n")
    rest = lines.pop()
    for (const line of lines) {
      const raw = JSON.parse(line)
      const seq = session.frames.length + 1
      const frame = JSON.stringify({ type: raw.type, seq, ts: Date.now() / 1000, session_id, raw })
      session.frames.push(frame)
      for (const client of session.clients) client.send(frame)
    }
    // The slowest sets the pace; nothing is thrown away.
    for (const client of session.clients) {
      if (client.bufferedAmount <= highWaterBytes) continue
      agent.stdout.pause()
      client._socket.once("drain", () => agent.stdout.resume())
      break
    }
  })
  agent.on("close", () => {
    sessions.delete(session_id)
    for (const client of session.clients) client.close()
  })
  sessions.set(session_id, session)
  return session
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false })
server.on("listening", () => console.log(`listens on ws://127.0.0.1:${server.address().port}`))
server.on("connection", (socket, request) => {
  const { pathname, searchParams } = new URL(request.url, "ws://127.0.0.1")
  const named = searchParams.get("session")
  const session_id = named ?? randomUUID()
  const session = sessions.get(session_id) ?? begin(session_id, pathname.slice(1) || "claude")
  for (const frame of session.frames.slice(Number(searchParams.get("after") ?? 0))) socket.send(frame)
  session.clients.add(socket)
  socket.on("message", (data) => session.agent.stdin.write(`${data}\n`))
  socket.on("close", () => {
    session.clients.delete(socket)
    if (named === null) session.agent.kill()
  })
})
process.on("SIGTERM", () => {
  for (const { agent } of sessions.values()) agent.kill()
  process.exit(0)
})
