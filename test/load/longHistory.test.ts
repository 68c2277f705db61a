/** A long history for a client that reads as fast as it comes: others are served in between. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { WebSocket } from "ws"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"

const cli = fileURLToPath(new URL("../../dist/cli.mjs", import.meta.url))
const home = realpathSync(mkdtempSync(join(tmpdir(), "ai-relay-long-")))
const env = { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8" }
const state = join(home, "state")
const turns = 10_000

/** Another client, in a thread of its own: how long it waited at most, in ms. */
const other = (url: string) => {
  const waited = new Int32Array(new SharedArrayBuffer(4))
  const code = `
    const { workerData: { url, waited } } = require("node:worker_threads")
    const ask = async () => {
      const from = performance.now()
      await (await fetch(url)).text()
      waited[0] = Math.max(waited[0], performance.now() - from)
      setTimeout(ask, 5)
    }
    void ask()`
  const worker = new Worker(code, { eval: true, workerData: { url, waited } })
  return { waited, stop: () => worker.terminate() }
}

describe("a history of 10,000 turns, read as fast as it comes", () => {
  let relay: Daemon
  const url = () => relay.url.replace(/^ws/, "http").replace(/\/$/, "")

  beforeAll(async () => {
    buildDaemon()
    let seq = 0
    const lines: Array<string> = []
    const line = (event: object) =>
      lines.push(JSON.stringify({ ...event, seq: ++seq, ts: 1_790_000_000 + seq, session_id: "long" }))
    line({ type: "session_start", metadata: { tool: "demo", folder: home } })
    for (let turn = 1; turn <= turns; turn++) {
      line({ type: "turn_start", turn, text: "on" })
      line({ type: "tool_call", turn, tool: "Bash", tool_use_id: `c${turn}`, args: {} })
      line({ type: "tool_result", turn, tool_use_id: `c${turn}`, status: "ok", text: "x".repeat(2000) })
      for (let word = 0; word < 5; word++) {
        line({ type: "assistant_message", turn, content: [], text: "done" })
      }
      line({ type: "turn_end", turn, stop_reason: "end_turn" })
    }
    const file = join(home, "long.ndjson")
    writeFileSync(file, `${lines.join("\n")}\n`)
    execFileSync(process.execPath, [cli, "import", "--state-dir", state, file], { env })
    relay = await startDaemon({ env, cwd: home, args: ["--root", home, "--state-dir", state] })
  }, 120_000)
  afterAll(async () => {
    await relay.stop()
    rmSync(home, { recursive: true, force: true })
  })

  const events = async () => (await (await fetch(`${url()}/sessions/long/events?after_seq=0`)).text()).length
  const connect = async () => {
    const thread = {
      threadId: "long",
      runId: "r",
      messages: [],
      state: {},
      tools: [],
      context: [],
      forwardedProps: {}
    }
    const answer = await fetch(`${url()}/agui/agent/demo/connect`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(thread)
    })
    return (await answer.text()).length
  }
  const messages = async () => (await (await fetch(`${url()}/chat/demo/long/messages`)).text()).length
  const attach = () =>
    new Promise<number>((resolve, reject) => {
      const socket = new WebSocket(relay.url)
      let chars = 0
      socket.on("open", () =>
        socket.send(JSON.stringify({ session_id: "long", after_seq: 0, must_exist: true })))
      socket.on("message", (data: Buffer) => {
        chars += data.length
        if (chars > turns * 2000 && data.includes(`"turn":${turns}`) && data.includes("turn_end")) {
          socket.terminate()
          resolve(chars)
        }
      })
      socket.on("error", reject)
    })

  for (const [name, read] of Object.entries({ events, connect, messages, attach })) {
    it(`keeps nobody waiting for all of it: ${name}`, async () => {
      // Its agent has started, and its code is loaded.
      await read()
      const { stop, waited } = other(`${url()}/healthz`)
      await new Promise((resolve) => setTimeout(resolve, 300))
      waited[0] = 0
      const from = performance.now()
      assert.isAbove(await read(), turns * 2000)
      const took = performance.now() - from
      await stop()
      assert.isBelow(waited[0] ?? 0, took / 2, `of ${took} ms`)
    }, 120_000)
  }
})
