/**
 * guard: a quick look, for every change, that the hot path is still one. It compares CPU per line with the floor's in the
 * same minute, with a margin so wide that a busy machine does not matter.
 */
import { inRounds, together, turn } from "../measure.js"
import type { Finding, Scenario } from "../Scenario.js"

const sizes = [
  { what: "lines of 200 B", lines: 40_000, bytes: 200, times: 0.6 },
  { what: "lines of 1 KB", lines: 20_000, bytes: 1024, times: 0.6 },
  { what: "lines of 16 KB", lines: 2000, bytes: 16 * 1024, times: 0.8 }
]

export const guard: Scenario = {
  name: "guard",
  about: "CPU per line is far below the floor's.",
  run: async (bench) => {
    const findings: Array<Finding> = []
    for (const { times, what, ...lines } of sizes) {
      const { cpu } = await together(
        [bench.ours, bench.floor],
        (running) =>
          inRounds({ ...bench, repeats: 3 }, what, running, async (contender) => {
            const talk = await contender.open()
            try {
              return { cpu: (await turn(contender, talk, lines)).cpu }
            } finally {
              await talk.close()
            }
          })
      )
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
