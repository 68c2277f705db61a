/** many: a thousand sessions, idle and talking; thousands of followers of a few. */
import { setTimeout as wait } from "node:timers/promises"
import { type Contender, floorWithLog, type Running, type Talk } from "../contenders.js"
import { inRounds, together } from "../measure.js"
import { cpuOf, memoryOf } from "../processes.js"
import type { Bench, Finding, Samples, Scenario } from "../Scenario.js"
import { quantile } from "../statistics.js"
import { listen } from "./latency.js"

const sessions = 1000
const followed = 10
const followers = 5000
const openedAtOnce = 20
const seconds = 10
/** V8 gives back what a process does not need any more when it has done nothing for a while. */
const untilIdleMs = 20_000

const openAll = async (count: number, open: (n: number) => Promise<Talk>): Promise<ReadonlyArray<Talk>> => {
  const talks: Array<Talk> = []
  for (let n = 0; n < count; n += openedAtOnce) {
    const some = Array.from({ length: Math.min(openedAtOnce, count - n) }, (_, m) => open(n + m))
    talks.push(...await Promise.all(some))
  }
  return talks
}

/** Delays as some of the clients see them, and what a frame costs that all of them get. */
const talking = async (pid: number, talks: ReadonlyArray<Talk>, listeners: ReadonlyArray<Talk>) => {
  const delays: Array<number> = []
  for (const talk of listeners) listen(talk, delays)
  const framesOf = () => talks.reduce((sum, talk) => sum + talk.frames(), 0)
  const [cpu, frames] = [cpuOf(pid), framesOf()]
  await wait(seconds * 1000)
  const result = {
    cpu: (cpuOf(pid) - cpu) / (framesOf() - frames),
    p50: quantile(delays, 0.5),
    p99: quantile(delays, 0.99)
  }
  for (const talk of listeners) talk.onFrame(undefined)
  return result
}

const measures = {
  idle: async ({ open, pid = 0 }: Running) => {
    const alone = memoryOf(pid)
    const talks = await openAll(sessions, () => open())
    await wait(untilIdleMs)
    const each = (memoryOf(pid) - alone) / sessions
    await Promise.all(talks.map((talk) => talk.close()))
    return { each }
  },
  talking: async ({ open, pid = 0 }: Running) => {
    const talks = await openAll(sessions, () => open())
    for (const talk of talks) talk.prompt("go")
    await wait(2000)
    const result = await talking(pid, talks, talks.slice(0, 50))
    await Promise.all(talks.map((talk) => talk.close()))
    return result
  },
  followed: async ({ open, pid = 0 }: Running) => {
    const leaders = await openAll(followed, (n) => open({ session_id: `followed-${n}` }))
    for (const talk of leaders) talk.prompt("go")
    const talks = await openAll(followers, (n) => open({ session_id: `followed-${n % followed}` }))
    await wait(2000)
    const result = await talking(pid, talks, talks.slice(0, 50))
    await Promise.all([...talks, ...leaders].map((talk) => talk.close()))
    return result
  }
}

/** Fresh processes: memory once taken is seldom given back. */
const inFresh = <M extends string>(
  bench: Bench,
  what: string,
  contenders: ReadonlyArray<Contender>,
  agent: "quiet" | "ticker",
  measure: (running: Running) => Promise<Readonly<Record<M, number>>>
) =>
  inRounds(
    bench,
    `many, ${what}`,
    contenders.map((contender) => ({
      name: contender.name,
      run: () => together([contender], ([running]) => measure(running as Running), { agent })
    })),
    ({ run }) => run(),
    0
  )

const lower = (what: string, unit: string, samples: Samples, goals: Finding["goals"] = []): Finding => ({
  what,
  unit,
  better: "lower",
  samples,
  goals
})

export const many: Scenario = {
  name: "many",
  about:
    `${sessions} sessions that say nothing; ${sessions} that say 5 events/s each; ${followers} clients that follow ${followed} such sessions (beside the floor with a log).`,
  run: async (bench) => {
    const idle = await inFresh(bench, "idle", [bench.ours, bench.floor], "quiet", measures.idle)
    const busy = await inFresh(bench, "talking", [bench.ours, bench.floor], "ticker", measures.talking)
    const read = await inFresh(bench, "followed", [bench.ours, floorWithLog], "ticker", measures.followed)
    return [
      lower(`${sessions} idle sessions, memory of each`, "kB", idle.each, [{ bound: 100 }]),
      lower(`${sessions} sessions, CPU per event`, "µs", busy.cpu),
      lower(`${sessions} sessions, p50`, "ms", busy.p50),
      lower(`${sessions} sessions, p99`, "ms", busy.p99),
      lower(`${followers} followers, CPU per frame`, "µs", read.cpu),
      lower(`${followers} followers, p50`, "ms", read.p50),
      lower(`${followers} followers, p99`, "ms", read.p99)
    ]
  }
}
