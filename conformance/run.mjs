/**
 * conformance: plays the cases in this folder against a relay. README.md says what the steps mean.
 *
 * `node conformance/run.mjs ws://localhost:8765 [--handshake JSON]`
 */
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { WebSocket } from "ws"

const patienceMs = 60_000

const { positionals: [url], values } = parseArgs({
  allowPositionals: true,
  options: { handshake: { type: "string", default: "{\"tool\":\"claude\"}" } }
})
if (url === undefined) {
  console.error("say which relay: npm run conformance -- ws://localhost:8765")
  process.exit(1)
}
const base = JSON.parse(values.handshake)

const holds = (wanted, value, session) => {
  if (wanted === "$anything") return value !== undefined
  if (wanted === "$session") return value === session
  if (typeof wanted === "string" && /^\/.+\/$/.test(wanted)) {
    return new RegExp(wanted.slice(1, -1)).test(String(value))
  }
  if (typeof wanted !== "object" || wanted === null) return wanted === value
  return typeof value === "object" && value !== null
    && Object.entries(wanted).every(([name, inner]) => holds(inner, value[name], session))
}

const connect = async () => {
  const socket = new WebSocket(url)
  const events = []
  let place = 0
  let look = () => {}
  let code
  socket.on("message", (data) => {
    events.push(JSON.parse(String(data)))
    look()
  })
  socket.on("close", (closeCode) => {
    code = closeCode
    look()
  })
  socket.on("error", () => {})
  await Promise.race([
    once(socket, "open"),
    once(socket, "close").then(() => Promise.reject(new Error(`no connection to ${url}`)))
  ])
  /** Wait until `find` gives something. */
  const until = (find, what) =>
    new Promise((resolve, reject) => {
      const came = () => `${what} did not come. Came: ${JSON.stringify(events.slice(-8))}`
      const timer = setTimeout(() => reject(new Error(came())), patienceMs)
      look = () => {
        const found = find()
        if (found === undefined && code === undefined) return
        clearTimeout(timer)
        if (found === undefined) reject(new Error(`closed with ${code}; ${came()}`))
        else resolve(found)
      }
      look()
    })
  return {
    socket,
    events,
    expect: (wanted, session) =>
      until(() => {
        const index = events.findIndex((event, at) => at >= place && holds(wanted, event, session))
        if (index === -1) return undefined
        place = index + 1
        return events[index]
      }, JSON.stringify(wanted)),
    seen: (wanted, session) =>
      until(() => events.find((event) => holds(wanted, event, session)), JSON.stringify(wanted)),
    closed: () => until(() => code, "the end of the connection")
  }
}

/** What holds of every connection. */
const check = (events) => {
  let seq
  const turns = new Map()
  for (const event of events) {
    const shown = JSON.stringify(event).slice(0, 200)
    if (typeof event.type !== "string" || typeof event.ts !== "number") {
      throw new Error(`no envelope: ${shown}`)
    }
    if (!Number.isInteger(event.seq) || event.seq < 0) throw new Error(`no seq: ${shown}`)
    if (seq !== undefined && event.seq !== seq && event.seq !== seq + 1) {
      throw new Error(`after ${seq}: ${shown}`)
    }
    seq = event.seq
    if (event.type === "turn_start" || event.type === "turn_end") {
      turns.set(event.turn, [...turns.get(event.turn) ?? [], event.type])
    }
  }
  for (const [turn, types] of turns) {
    if (!["turn_start", "turn_start,turn_end"].includes(types.join())) {
      throw new Error(`turn ${turn}: ${types}`)
    }
  }
}

const act = async (connections, step, session) => {
  if (step.open !== undefined) {
    const connection = await connect()
    connections.set(step.open, connection)
    const handshake = { session_id: session, ...base, linger: 60, ...step.handshake }
    return connection.socket.send(step.text ?? JSON.stringify(handshake))
  }
  const connection = connections.get(step.at ?? step.drop)
  if (step.drop !== undefined) return connection.socket.terminate()
  if (step.send !== undefined) return connection.socket.send(JSON.stringify(step.send))
  if (step.text !== undefined) return connection.socket.send(step.text)
  if (step.expect !== undefined) return connection.expect(step.expect, session)
  if (step.close !== undefined) {
    const code = await connection.closed()
    if (code !== step.close) throw new Error(`closed with ${code} instead of ${step.close}`)
    return
  }
  if (step.seen !== undefined) return connection.seen(step.seen, session)
  const found = connection.events.find((event) => holds(step.never, event, session))
  if (found !== undefined) throw new Error(`came: ${JSON.stringify(found)}`)
}

const play = async ({ steps }) => {
  const session = `conformance-${randomUUID()}`
  const connections = new Map()
  try {
    for (const step of steps) await act(connections, step, session)
    for (const { events } of connections.values()) check(events)
  } finally {
    for (const { socket } of connections.values()) {
      if (socket.readyState === WebSocket.OPEN) socket.send("{\"type\":\"end\"}", () => socket.close())
    }
  }
}

let [passed, failed] = [0, 0]
for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".json")).toSorted()) {
  for (const one of JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"))) {
    try {
      await play(one)
      passed += 1
      console.log(`✓ ${one.name}`)
    } catch (error) {
      failed += 1
      console.log(`✗ ${one.name}\n    ${error.message}`)
    }
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
