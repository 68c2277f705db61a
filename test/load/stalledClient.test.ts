/**
 * What a client that never reads costs: the relay as a process of its own, half a gigabyte out of an agent, and the
 * relay's resident memory as /proc has it. `npm run test:load`.
 */
import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeAll } from "vitest"
import { WebSocket } from "ws"
import { cleanUpAfterEach } from "../support/cleanUp.js"
import { type Client, connect } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { installFakeClaude } from "../support/fakeClaude.js"

const patience = 600_000
const megabyte = 1_000_000
const most = 100 * megabyte

beforeAll(() => void buildDaemon(), patience)

const cleanUp = cleanUpAfterEach(patience)

const start = async (...args: ReadonlyArray<string>): Promise<Daemon> => {
  const home = mkdtempSync(join(tmpdir(), "ai-relay-load-"))
  cleanUp(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))
  const daemon = await startDaemon({
    env: installFakeClaude(home),
    cwd: home,
    args: ["--state-dir", join(home, "state"), "--log-level", "warning", ...args]
  })
  cleanUp(() => daemon.kill())
  return daemon
}

const residentBytes = (pid: number) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024

/** By how much the process has grown at most since now. */
const watchGrowth = (pid: number) => {
  const before = residentBytes(pid)
  let peak = before
  const timer = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), 20)
  cleanUp(() => clearInterval(timer))
  return () => peak - before
}

const pieces = 500
/** 500 pieces of a million characters: `FAST` of test/support/fakeClaude.mjs. */
const flood = { text: `FAST ${pieces} ${megabyte}`, message_id: "flood" }

/** A client that has a session, and then reads no more. */
const stall = async (daemon: Daemon): Promise<Client> => {
  const client = await connect(daemon.url, { tool: "claude", session_id: "s", raw: false })
  cleanUp(() => client.drop())
  await client.waitFor("session_start")
  client.socket.pause()
  return client
}

/** A client that only counts, so that it costs this process nothing; up to an event of which the beginning is known. */
const count = async (daemon: Daemon, last: string) => {
  const socket = new WebSocket(daemon.url, { maxPayload: 0 })
  cleanUp(() => socket.terminate())
  let bytes = 0
  let errors = 0
  let ended = () => {}
  const end = new Promise<void>((resolve) => (ended = resolve))
  socket.on("message", (data: Buffer) => {
    bytes += data.length
    const head = data.subarray(0, 80)
    if (head.includes("\"type\":\"error\"")) errors += 1
    if (head.includes(last)) ended()
  })
  await once(socket, "open")
  socket.send(JSON.stringify({ tool: "claude", session_id: "s", raw: false, after_seq: 0 }))
  await once(socket, "message")
  return { socket, end, bytes: () => bytes, errors: () => errors }
}

/** Until a process does next to nothing for a second: it waits. */
const untilQuiet = async (cpu: () => number) => {
  for (let before = -1; cpu() - before > 5;) {
    before = cpu()
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

/** Processor time of a process, in hundredths of a second. */
const cpuOf = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
  return Number(fields[11]) + Number(fields[12])
}

// Numbers are what this suite is for.
const report = (what: string, growth: number) =>
  // oxlint-disable-next-line no-console
  console.log(`${what}: the relay grew by ${Math.round(growth / megabyte)} MB`)

describe("500 MB printed to a client that never reads", () => {
  it("cost less than 100 MB while another client reads it all, and the reader misses nothing", async () => {
    const daemon = await start()
    const stalled = await stall(daemon)
    const reader = await count(daemon, "\"type\":\"turn_end\"")
    const growth = watchGrowth(daemon.pid)
    reader.socket.send(JSON.stringify(flood))
    await reader.end
    report("read by another", growth())
    assert.isBelow(growth(), most)
    assert.isAbove(reader.bytes(), pieces * megabyte)
    // What the other has not read is still to be had, or it is told that it is not.
    stalled.socket.resume()
    await stalled.closed
    assert.deepInclude(stalled.events.at(-1), { type: "error", code: "overloaded" })
  }, patience)

  it(
    "cost less than 100 MB where nobody reads and nothing is on disk: the agent waits, and nothing is lost",
    async () => {
      const daemon = await start("--no-state")
      const stalled = await stall(daemon)
      const growth = watchGrowth(daemon.pid)
      stalled.send(flood)
      await untilQuiet(() => cpuOf(daemon.pid))
      report("read by nobody", growth())
      assert.isBelow(growth(), most)
      let characters = 0
      stalled.onEvent(({ delta, text }) => {
        if (delta === "text") characters += text.length
      })
      stalled.socket.resume()
      await stalled.waitFor("turn_end", { within: patience })
      report("then read by its client", growth())
      assert.isBelow(growth(), most)
      assert.isAtLeast(characters, pieces * megabyte)
      assert.deepStrictEqual(
        stalled.events.map(({ seq }) => seq),
        stalled.events.map((_, index) => index + 1)
      )
    },
    patience
  )
})

describe("a client that sends and never reads the answers", () => {
  it("costs less than 100 MB, and gets them all once it reads", async () => {
    const daemon = await start()
    const client = await count(daemon, "\"pong\"")
    client.socket.pause()
    const growth = watchGrowth(daemon.pid)
    const commands = 200_000
    const unknown = JSON.stringify({ type: "no such command", message_id: "x".repeat(250) })
    for (let n = 0; n < commands; n++) client.socket.send(unknown)
    client.socket.send(JSON.stringify({ type: "ping" }))
    await untilQuiet(() => cpuOf(daemon.pid))
    report("not reading its answers", growth())
    assert.isBelow(growth(), most)
    // The relay waits: it has not even read them all.
    assert.isAbove(client.socket.bufferedAmount, 0)
    client.socket.resume()
    await client.end
    assert.strictEqual(client.errors(), commands)
  }, patience)
})
