/** idle: what sessions cost that say nothing: memory, CPU, and how often the process is woken. */
import { setTimeout as wait } from "node:timers/promises"
import type { Running, Talk } from "../contenders.js"
import { inRounds, together } from "../measure.js"
import { cpuOf, memoryOf, wakeUpsOf } from "../processes.js"
import type { Finding, Scenario } from "../Scenario.js"

const sessions = 200
/** As long as the relay waits between two pings. */
const seconds = 30
/** V8 gives back what a process does not need any more when it has done nothing for 8 s, and once more a while later. */
const untilIdleMs = { alone: 10_000, sessions: 45_000 }

const measured = async ({ open, pid = 0 }: Running) => {
  await wait(untilIdleMs.alone)
  const alone = memoryOf(pid)
  const talks: Array<Talk> = []
  for (let n = 0; n < sessions; n++) talks.push(await open())
  await wait(untilIdleMs.sessions)
  const memory = memoryOf(pid)
  const [cpu, wakeUps] = [cpuOf(pid), wakeUpsOf(pid)]
  await wait(seconds * 1000)
  const result = {
    alone: alone / 1024,
    each: (memory - alone) / sessions,
    cpu: (cpuOf(pid) - cpu) / 1000 / seconds,
    wakeUps: (wakeUpsOf(pid) - wakeUps) / seconds
  }
  await Promise.all(talks.map((talk) => talk.close()))
  return result
}

export const idle: Scenario = {
  name: "idle",
  about: `${sessions} sessions that say nothing; memory is the relay's own, without its agents.`,
  run: async (bench): Promise<ReadonlyArray<Finding>> => {
    // Fresh processes: memory once taken is seldom given back.
    const each = [bench.ours, bench.floor].map(({ name, start }) => ({
      name,
      measure: () =>
        together([{ name, start }], ([running]) => measured(running as Running), { agent: "quiet" })
    }))
    const { alone, cpu, each: perSession, wakeUps } = await inRounds(
      bench,
      "idle",
      each,
      ({ measure }) => measure()
    )
    return [
      {
        what: "memory of the idle relay",
        unit: "MB",
        better: "lower",
        samples: alone,
        goals: [{ bound: 55 }]
      },
      {
        what: "memory per idle session",
        unit: "kB",
        better: "lower",
        samples: perSession,
        goals: [{ bound: 300 }]
      },
      {
        what: "CPU of 200 idle sessions",
        unit: "ms/s",
        better: "lower",
        samples: cpu,
        goals: [{ bound: 1 }]
      },
      { what: "wake-ups of 200 idle sessions", unit: "/s", better: "lower", samples: wakeUps, goals: [] }
    ]
  }
}
