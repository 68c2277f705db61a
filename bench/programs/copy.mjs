/**
 * copy: the least that anything with a durable log can do: it copies each line, unread, to a file and to the socket. It does not
 * know what a turn, a tool or a permission is, and nobody can come back.
 */
import { spawn } from "node:child_process"
import { openSync, writeSync } from "node:fs"
import { join } from "node:path"
import { WebSocketServer } from "ws"

const highWaterBytes = 1024 * 1024
const newline = 10

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false })
let sessions = 0
server.on("listening", () => console.log(`listens on ws://127.0.0.1:${server.address().port}`))
server.on("connection", (socket, { url }) => {
  const agent = spawn(url.slice(1) || "claude", [], { stdio: ["pipe", "pipe", "inherit"] })
  const log = openSync(join(process.env.HOME, `log-${++sessions}`), "w")
  let rest = Buffer.alloc(0)
  agent.stdout.on("data", (chunk) => {
    const known = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = known.lastIndexOf(newline) + 1
    rest = known.subarray(end)
    for (let done = 0; done < end;) done += writeSync(log, known, done, end - done)
    for (let at = 0; at < end;) {
      const next = known.indexOf(newline, at)
      socket.send(known.subarray(at, next), { binary: false })
      at = next + 1
    }
    if (socket.bufferedAmount <= highWaterBytes) return
    agent.stdout.pause()
    socket._socket.once("drain", () => agent.stdout.resume())
  })
  socket.on("message", (data) => agent.stdin.write(`${data}\n`))
  socket.on("close", () => agent.kill())
  agent.on("close", () => socket.close())
})
