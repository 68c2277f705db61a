/**
 * guard: a quick look, for every change, that the hot path is still one, and that people's days do not get dearer. It compares
 * CPU per line with the floor's in the same minute, with a margin so wide that a busy machine does not matter.
 */
import type { Running, Talk } from "../contenders.js"
import { inRounds, together, turn } from "../measure.js"
import type { Finding, Scenario } from "../Scenario.js"
import { inDays } from "./day.js"

const sizes = [
  { what: "lines of 200 B", lines: 40_000, bytes: 200, times: 0.7 },
  { what: "lines of 1 KB", lines: 20_000, bytes: 1024, times: 0.7 },
  { what: "lines of 16 KB", lines: 2000, bytes: 16 * 1024, times: 0.9 }
]

/** Sessions of a day at once, and how many times the floor they may cost: nearly twice what they do. */
const dayBound = { atOnce: 10, times: 8 }

export const guard: Scenario = {
  name: "guard",
  about: "CPU per line is far below the floor's in a flood, and bounded by it in a day.",
  run: async (bench) => {
    const findings: Array<Finding> = []
    for (const { times, what, ...lines } of sizes) {
      const { cpu } = await together([bench.ours, bench.floor], async (running) => {
        const talks = new Map<Running, Talk>()
        for (const contender of running) talks.set(contender, await contender.open())
        const rounds = { ...bench, repeats: 3 }
        const results = await inRounds(rounds, what, [...talks.keys()], async (contender) => {
          const talk = talks.get(contender)
          return { cpu: talk === undefined ? Number.NaN : (await turn(contender, talk, lines)).cpu }
        })
        for (const talk of talks.values()) await talk.close()
        return results
      })
      findings.push({
        what: `${what}, CPU per line`,
        unit: "µs",
        better: "lower",
        samples: cpu,
        goals: [{ against: bench.floor.name, times }]
      })
    }
    const { cpu } = await inDays({ ...bench, repeats: 1 }, dayBound.atOnce)
    findings.push({
      what: `a day, ${dayBound.atOnce} sessions at once, CPU per native line`,
      unit: "µs",
      better: "lower",
      samples: cpu,
      goals: [{ against: bench.floor.name, times: dayBound.times }]
    })
    return findings
  }
}
