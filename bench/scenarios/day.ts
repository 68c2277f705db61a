/**
 * day: what people do: recorded turns of Claude, Codex and Gemini with their tools, diffs and permissions, at their recorded
 * pace, from a relay that has just been started.
 *
 * CPU is counted from listening on, so that cold code, sessions that begin, and turns that begin and end are in it.
 */
import { setTimeout as wait } from "node:timers/promises"
import { type Contender, copy, type Running, type Talk } from "../contenders.js"
import { inRounds, together } from "../measure.js"
import { cpuOf } from "../processes.js"
import { readTurn, recordings } from "../programs/recordings.mjs"
import type { Bench, Finding, Scenario } from "../Scenario.js"
import { quantile } from "../statistics.js"

const agents = ["claude", "codex", "gemini"] as const
/** How often a session goes through its agent's recordings. */
const times = 2
/** Sessions are begun by people: not all at the same moment. */
const betweenStartsMs = 50

const linesOf = (agent: (typeof agents)[number]) =>
  times * recordings[agent].reduce((sum, name) => sum + readTurn(agent, name).steps.length, 0)

const stamp = /@(\d{16,})@/g

/** One session: all of its turns, each permission allowed. `delays` gets those of its lines, in ms. */
const live = async (talk: Talk, agent: (typeof agents)[number], delays: Array<number>) => {
  talk.onFrame((frame) => {
    const now = process.hrtime.bigint()
    for (const [, said] of frame.toString("latin1").matchAll(stamp)) {
      if (said !== undefined) delays.push(Number(now - BigInt(said)) / 1e6)
    }
    talk.allow(frame)
  })
  for (let n = 0; n < times; n++) {
    for (const name of recordings[agent]) {
      const ended = talk.ended()
      talk.prompt(`PLAY ${name}`)
      await ended
    }
  }
  await talk.close()
}

/** `at once` 1: one after another, so that each agent is in it. */
const dayOf = async ({ open, pid = 0 }: Running, atOnce: number) => {
  const begun = cpuOf(pid)
  const delays: Array<number> = []
  const sessions: Array<Promise<void>> = []
  let lines = 0
  for (let n = 0; n < Math.max(atOnce, agents.length); n++) {
    const agent = agents[n % agents.length] ?? "claude"
    lines += linesOf(agent)
    const session = live(await open({ tool: agent }), agent, delays)
    if (atOnce === 1) await session
    else {
      sessions.push(session)
      await wait(betweenStartsMs)
    }
  }
  await Promise.all(sessions)
  return { cpu: (cpuOf(pid) - begun) / lines, p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) }
}

/** Have our relay run once, with each agent: what V8 compiles of it is kept for all later starts. */
export const keepCode = (ours: Contender) =>
  together([ours], ([running]) => dayOf(running as Running, 1), { agent: "recorded" })

/** So many sessions at once, of relays just started: µs of CPU per native line, and delays of lines in ms. */
export const inDays = (bench: Bench, atOnce: number, others = [bench.floor]) => {
  const fresh = [bench.ours, ...others].map((contender) => ({
    name: contender.name,
    measure: () =>
      together([contender], ([running]) => dayOf(running as Running, atOnce), { agent: "recorded" })
  }))
  return inRounds(bench, `day, ${atOnce} at once`, fresh, ({ measure }) => measure(), 0)
}

const measure = async (bench: Bench, atOnce: number): Promise<ReadonlyArray<Finding>> => {
  const { cpu, p50, p99 } = await inDays(bench, atOnce, [bench.floor, copy])
  const what = atOnce === 1 ? "one session at a time" : `${atOnce} sessions at once`
  const beside = (times: number) => [{ against: bench.floor.name, times }]
  return [
    {
      what: `${what}, CPU per native line`,
      unit: "µs",
      better: "lower",
      samples: cpu,
      goals: atOnce === 10 ? [] : beside(0.9)
    },
    { what: `${what}, p50`, unit: "ms", better: "lower", samples: p50, goals: beside(1) },
    { what: `${what}, p99`, unit: "ms", better: "lower", samples: p99, goals: beside(1) }
  ]
}

export const day: Scenario = {
  name: "day",
  about:
    "Recorded turns of Claude, Codex and Gemini (words, tools, diffs, permissions) at their recorded pace, from a relay just started; beginnings and ends included.",
  run: async (bench) => {
    const findings: Array<Finding> = []
    for (const atOnce of [1, 10, 100]) findings.push(...await measure(bench, atOnce))
    return findings
  }
}
