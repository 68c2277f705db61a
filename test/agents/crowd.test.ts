/**
 * Hundreds of sessions of real CLIs behind one relay: each has its turns whole and in order, and what that costs is printed
 * for docs/operations.md. Takes minutes and gigabytes: only with AI_RELAY_CROWD=200, or another number of sessions.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { agentEnv, whyNotInstalled } from "../support/agents.js"
import { type Client, connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { type ModelApi, startModelApi } from "../support/modelApi/ModelApi.js"
import { reply } from "../support/modelApi/script.js"
import { atHome } from "../support/processes.js"

const agents = ["claude", "codex"] as const
const crowd = Number(process.env["AI_RELAY_CROWD"] ?? 0)
const turns = 3
/** Sessions that begin at the same time: an agent's start takes a second of a core. */
const openAtOnce = 4

const missing = crowd > 0
  ? agents.map((agent) => whyNotInstalled(agent)).find((reason) => reason !== undefined)
  : "it takes minutes: AI_RELAY_CROWD=200 says with how many sessions"
if (missing !== undefined) console.log(`skipping the crowd: ${missing}`)

/** Empty once the process has ended. */
const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
const numberIn = (path: string, pattern: RegExp) => Number(pattern.exec(read(path))?.[1] ?? 0)
/** Memory of a process in kB; what it shares with others is counted in parts. */
const shareOf = (pid: number) => numberIn(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+)/m)
const residentOf = (pid: number) => numberIn(`/proc/${pid}/status`, /^VmRSS:\s+(\d+)/m)
/** CPU of a process so far, in ms. */
const cpuOf = (pid: number) => {
  const field = (at: number) => numberIn(`/proc/${pid}/stat`, new RegExp(`\\) (?:\\S+ ){${at}}(\\d+)`))
  return (field(11) + field(12)) * 10
}
const isOf = (pid: number, agent: string) =>
  read(`/proc/${pid}/cmdline`).split("\0", 2).join(" ").includes(agent)
const megabytes = (kilobytes: number) => Math.round(kilobytes / 1024)

const said = Array.from({ length: turns }, (_, turn) => `This is turn ${turn}. `.repeat(40).trim())
const texts = (events: ReadonlyArray<Event>) =>
  events.filter(({ type }) => type === "assistant_message").map(({ text }) => text?.trim())

describe.skipIf(missing !== undefined)("a crowd of real agents", () => {
  const home = mkdtempSync(join(tmpdir(), "ai-relay-crowd-"))
  let api: ModelApi
  let relay: Daemon
  beforeAll(async () => {
    buildDaemon()
    api = await startModelApi()
    said.forEach((text, turn) => api.on(new RegExp(`turn ${turn}\\b`), reply({ text })))
    const [claude, codex] = agents.map((agent) => agentEnv(agent, { home, api }))
    relay = await startDaemon({
      env: { ...claude, ...codex, PATH: [claude?.PATH, codex?.PATH].join(delimiter) },
      cwd: home,
      args: ["--root", home, "--state-dir", join(home, "state"), "--max-sessions", "1000"]
    })
  })
  afterAll(async () => {
    await relay.stop()
    await api.close()
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })

  it(`of ${crowd} says every word once and in order, to each its own`, async () => {
    const clients: Array<Client> = []
    const begun = { cpu: cpuOf(relay.pid), memory: residentOf(relay.pid) }
    const waiting = Array.from({ length: crowd }, (_, number) => number)
    await Promise.all(Array.from({ length: openAtOnce }, async () => {
      for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
        const tool = agents[number % agents.length]
        const client = await connect(relay.url, { tool, folder: home, session_id: `crowd-${number}` })
        clients.push(client)
        await client.waitFor("session_start", { within: 120_000 })
      }
    }))
    const opened = cpuOf(relay.pid)
    for (let turn = 0; turn < turns; turn += 1) {
      await Promise.all(clients.map(async (client) => {
        const after = client.events.at(-1)?.seq ?? 0
        client.send({ text: `turn ${turn}` })
        await client.waitFor("turn_end", { after, within: 600_000 })
      }))
    }
    const done = cpuOf(relay.pid)

    for (const { events } of clients) {
      expect(texts(events)).toEqual(said)
      const seqs = events.flatMap(({ seq }) => seq ?? [])
      expect(seqs).toEqual(seqs.toSorted((left, right) => left - right))
    }
    const events = clients.reduce((sum, client) => sum + client.events.length, 0)
    console.log(
      `${crowd} sessions, ${turns} turns and ${(events / crowd).toFixed(0)} events each: the relay has `
        + `${megabytes(residentOf(relay.pid))} MB (${megabytes(begun.memory)} before), takes `
        + `${((opened - begun.cpu) / crowd).toFixed(0)} ms of CPU to open one and `
        + `${((done - opened) / crowd / turns).toFixed(1)} ms per turn`
    )
    const pids = atHome(home).filter((pid) => pid !== relay.pid)
    for (const agent of agents) {
      const own = pids.filter((pid) => isOf(pid, agent))
      const each = crowd / agents.length
      const sum = (of: (pid: number) => number) => own.reduce((sum, pid) => sum + of(pid), 0)
      console.log(
        `${agent}: ${megabytes(sum(shareOf) / each)} MB and ${(sum(cpuOf) / each).toFixed(0)} ms of CPU each`
      )
    }
    await Promise.all(clients.map((client) => client.close()))
  }, 1_800_000)
})
