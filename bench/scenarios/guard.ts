/**
 * guard: a quick look, for every change, that the hot path is still one. It compares CPU per line with the floor's in the
 * same minute, with a margin so wide that a busy machine does not matter.
 */
import type { Running, Talk } from "../contenders.js"
import { inRounds, together, turn } from "../measure.js"
import type { Finding, Scenario } from "../Scenario.js"

const sizes = [
  { what: "lines of 200 B", lines: 40_000, bytes: 200, times: 0.7 },
  { what: "lines of 1 KB", lines: 20_000, bytes: 1024, times: 0.7 },
  { what: "lines of 16 KB", lines: 2000, bytes: 16 * 1024, times: 0.9 }
]

export const guard: Scenario = {
  name: "guard",
  about: "CPU per line is far below the floor's.",
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
    return findings
  }
}
