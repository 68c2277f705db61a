/**
 * Two hundred sessions while clients, agents and the relay are killed at random: nobody is left, and nothing is lost.
 *
 * Real daemons, real sockets, agents and tools that are processes (`test/support/shellClaude.sh`). The kills follow from one number,
 * `CHAOS_SEED`; when they fall depends on the machine, so a failure may take more than one run to come again.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type Client, connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { installFakeClaude, shellClaude } from "../support/fakeClaude.js"
import { atHome, until } from "../support/processes.js"
import { freshTree } from "../support/realAgents.js"

const sessionCount = 200
const atOnce = 12
const seed = Number(process.env["CHAOS_SEED"] ?? 20_26)

/** Mulberry32: the same numbers for the same seed. */
const randomFrom = (start: number) => {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
const random = randomFrom(seed)
const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1))
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const home = mkdtempSync(join(tmpdir(), "ai-relay-chaos-"))
const env = installFakeClaude(home, shellClaude)
const args = ["--root", home, "--state-dir", join(home, "state"), "--linger", "3", "--log-level", "error"]
const killed = { clients: 0, agents: 0, relays: 0 }
let relay: Promise<Daemon>
/** The longest it took until everyone of a killed relay was gone, in ms. */
let slowest = 0

const start = () => startDaemon({ env, cwd: home, args })
beforeAll(() => {
  buildDaemon()
  relay = start()
})
afterAll(async () => {
  await (await relay).kill()
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
})

const areAlive = (pids: ReadonlyArray<number>) => {
  const everyone = freshTree().all()
  return pids.some((pid) => everyone.has(pid))
}

const commandOf = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8")
  } catch {
    return ""
  }
}
const agents = () => atHome(home).filter((pid) => commandOf(pid).includes("bin/claude"))

const killAgent = () => {
  const alive = agents()
  const victim = alive[between(0, alive.length - 1)]
  if (victim === undefined) return
  try {
    process.kill(victim, "SIGKILL")
    killed.agents += 1
  } catch {
    // It was quicker.
  }
}

/** Kill the relay without a word, and start the next. */
const killRelay = async () => {
  const old = await relay
  const theirs = atHome(home)
  relay = old.kill().then(start)
  killed.relays += 1
  slowest = Math.max(slowest, await until(() => !areAlive(theirs), 15_000))
  await relay
}

/** What one client saw of a session, over all its connections. */
interface Seen {
  readonly session_id: string
  readonly events: Map<number, Event>
  last: number
  ends: number
}

/** Keep an event, unless it is for this connection alone: such a one repeats a `seq`. */
const keep = (seen: Seen, event: Event) => {
  if (event.seq !== seen.last + 1) return
  seen.events.set(event.seq, event)
  seen.last = event.seq
  if (event.type === "turn_end") seen.ends += 1
}

/** Connect, whatever it takes: the relay may be gone at any moment. */
const open = async (seen: Seen): Promise<Client> => {
  for (;;) {
    try {
      const client = await connect((await relay).url, {
        tool: "claude",
        folder: home,
        session_id: seen.session_id,
        after_seq: seen.last
      })
      for (const event of client.events) keep(seen, event)
      client.onEvent((event) => keep(seen, event))
      return client
    } catch {
      await pause(20)
    }
  }
}

/** Ask for something, lose the connection now and then, and come back, until some turn has ended. */
const converse = async (session_id: string): Promise<Seen> => {
  const seen: Seen = { session_id, events: new Map(), last: 0, ends: 0 }
  for (let tries = 0; seen.ends === 0; tries++) {
    const client = await open(seen)
    let left = random() < 0.4 ? between(1, 12) : Infinity
    const allow = (request_id: string) =>
      client.send({ type: "permission_response", request_id, behavior: "allow" })
    client.onEvent(({ metadata, request_id, type }) => {
      if (type === "permission_request") allow(request_id)
      // Asked before this client came back.
      if (type === "session_start") {
        for (const pending of metadata.pending_permissions) allow(pending.request_id)
      }
      left -= 1
      if (seen.ends > 0) return client.drop()
      if (left === 0) {
        killed.clients += 1
        client.drop()
      } else if (random() < 1 / 40) killAgent()
    })
    // A prompt that reached nobody is sent again; one that did is only acknowledged.
    client.send({ text: "go on", message_id: `${session_id}-${tries >> 2}` })
    if (seen.ends > 0) client.drop()
    await client.closed
  }
  return seen
}

const journalOf = (session_id: string): ReadonlyArray<string> => {
  const folder = join(home, "state", "sessions", session_id)
  return readdirSync(folder).filter((name) => name.endsWith(".ndjson")).toSorted()
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").filter((line) => line !== ""))
}

it("of 200 sessions, whatever is killed, no process is left and no event is missing", async () => {
  const waiting = Array.from({ length: sessionCount }, (_, index) => `chaos-${index}`)
  const sessions: Array<Seen> = []
  const relayKills: Array<Promise<void>> = []
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      sessions.push(await converse(id))
      if (sessions.length % 20 === 0) relayKills.push(killRelay())
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  await Promise.all(relayKills)
  await (await relay).kill()

  const took = await until(() => atHome(home).length === 0, 5000)
  console.log(
    `seed ${seed}: killed ${killed.clients} clients, ${killed.agents} agents and ${killed.relays} relays; `
      + `after that everyone was gone within ${Math.max(slowest, took).toFixed(0)} ms`
  )
  expect(slowest).toBeLessThan(5000)
  expect(killed.agents).toBeGreaterThan(20)
  expect(killed.relays).toBeGreaterThan(3)
  expect(sessions).toHaveLength(sessionCount)
  for (const { events, session_id } of sessions) {
    const journal = journalOf(session_id).map((line) => JSON.parse(line) as Event)
    expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, index) => index + 1))
    for (const [seq, event] of events) expect(journal[seq - 1]).toEqual(event)
    const count = (type: string) => journal.filter((event) => event.type === type).length
    expect(count("turn_start")).toBeGreaterThan(0)
    // A relay that is killed leaves at most the turn it was in; the next one to open the session settles it.
    expect(count("turn_start") - count("turn_end")).toBeLessThanOrEqual(1)
  }
}, 300_000)
