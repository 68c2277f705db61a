/**
 * Fifty sessions under one budget of a day, while the relay is killed at random: never more than the budget and one model
 * call for each, and what `GET /usage` says equals what the turns' ends say.
 *
 * Real daemons and sockets; the agents are scripts that bill exact tokens (`test/support/billingClaude.sh`).
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type Client, connect, type Event } from "../support/client.js"
import { buildDaemon, type Daemon, startDaemon } from "../support/daemon.js"
import { installFakeClaude } from "../support/fakeClaude.js"

const sessionCount = 50
const kills = 3
const call = 1000
const cap = 150 * call

const home = mkdtempSync(join(tmpdir(), "ai-relay-budget-"))
const env = {
  ...installFakeClaude(home, fileURLToPath(new URL("../support/billingClaude.sh", import.meta.url))),
  // As long as a short real one: one that ends before a busy relay has read that it began is nobody's to stop.
  CALL_SECONDS: "2"
}
const args = [
  "--root",
  home,
  "--state-dir",
  join(home, "state"),
  "--log-level",
  "error",
  "--pass-env",
  "CALL_SECONDS"
]
const budget = ["--budget", `day.tokens=${cap}`, "--budget-at-cap", "stop", "--budget-time-zone", "UTC"]
const start = () => startDaemon({ env, cwd: home, args: [...args, ...budget] })
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let relay: Promise<Daemon>
beforeAll(() => {
  buildDaemon()
  relay = start()
})
afterAll(async () => {
  await (await relay).kill()
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
})

const open = async (session_id: string): Promise<Client> => {
  for (;;) {
    try {
      const client = await connect((await relay).url, { tool: "claude", folder: home, session_id })
      await client.waitFor("session_start", { within: 20_000 })
      return client
    } catch {
      // It is being killed, or not there yet.
      await pause(50)
    }
  }
}

/** Prompt again and again until the budget is used up; come back when the relay is gone. */
const spend = async (session_id: string): Promise<void> => {
  const state = { isOver: false }
  while (!state.isOver) {
    const client = await open(session_id)
    client.onEvent(({ code, type }) => {
      if (code === "budget_exceeded") state.isOver = true
      if (state.isOver) client.drop()
      else if (type === "turn_end") client.send({ text: "go on" })
    })
    client.send({ text: "go on" })
    await client.closed
  }
}

const callsMade = () => readFileSync(join(home, "calls"), "utf8").trim().split("\n").length

const tokensOf = (usage: Event["usage"] = {}) =>
  (usage.input_tokens ?? 0) + (usage.cache_write_tokens ?? 0) + (usage.output_tokens ?? 0)

const endsOf = (session_id: string): ReadonlyArray<Event> => {
  const folder = join(home, "state", "sessions", session_id)
  return readdirSync(folder).filter((name) => name.endsWith(".ndjson"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
    .filter((line) => line.startsWith("{\"type\":\"turn_end\""))
    .map((line) => JSON.parse(line) as Event)
}

it(
  "fifty sessions spend a day's budget and one call each at most, whatever is killed; the sums are equal",
  async () => {
    const names = Array.from({ length: sessionCount }, (_, index) => `budget-${index}`)
    const spending = Promise.all(names.map(spend))
    for (let kill = 0; kill < kills; kill += 1) {
      await pause(1000 + Math.random() * 2000)
      const old = await relay
      relay = old.kill().then(start)
      await relay
    }
    await spending
    // Who opens a session settles the turn its relay was killed in.
    for (const name of names) (await open(name)).drop()

    const ask = async (by: string) => {
      const answer = await fetch(`${(await relay).url.replace("ws", "http")}/usage?by=${by}`)
      return (await answer.json() as { usage: ReadonlyArray<Event> }).usage
    }
    const bySession = new Map((await ask("session")).map((row) => [row["name"], row]))
    let told = 0
    let turns = 0
    for (const name of names) {
      const ends = endsOf(name)
      const tokens = ends.reduce((sum, { usage }) => sum + tokensOf(usage), 0)
      expect({ name, tokens: tokensOf(bySession.get(name)), turns: bySession.get(name)?.["turns"] })
        .toEqual({ name, tokens, turns: ends.length })
      told += tokens
      turns += ends.length
    }
    const days = await ask("day")
    expect(days.reduce((sum, row) => sum + tokensOf(row), 0)).toBe(told)
    const made = callsMade() * call
    console.log(
      `budget ${cap}: told ${told} in ${turns} turns, ${made} were really used, ${kills} relays killed`
    )
    expect(told).toBeGreaterThanOrEqual(cap)
    expect(told).toBeLessThanOrEqual(cap + sessionCount * call)
    // A call whose end no relay has heard of is one for each session and kill at most.
    expect(made).toBeGreaterThanOrEqual(told)
    expect(made).toBeLessThanOrEqual(cap + sessionCount * call * (kills + 1))
  },
  120_000
)
