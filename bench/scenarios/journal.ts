/** journal: what it costs that every event is written to disk before anybody sees it. */
import { oursWithoutJournal } from "../contenders.js"
import { throughputOf } from "../measure.js"
import type { Finding, Scenario } from "../Scenario.js"

const sizes = [
  { what: "lines of 200 B", lines: 300_000, bytes: 200 },
  { what: "lines of 1 KB", lines: 150_000, bytes: 1024 }
]

export const journal: Scenario = {
  name: "journal",
  about: "Throughput with the durable journal, beside the same relay with `--no-state`.",
  run: async (bench) => {
    const findings: Array<Finding> = []
    for (const { what, ...lines } of sizes) {
      const contenders = [bench.ours, oursWithoutJournal]
      const { cpu, rate } = await throughputOf(bench, `journal, ${what}`, contenders, lines)
      findings.push(
        {
          what: `${what}, throughput`,
          unit: "lines/s",
          better: "higher",
          samples: rate,
          goals: [{ against: oursWithoutJournal.name, times: 0.85 }]
        },
        { what: `${what}, CPU per line`, unit: "µs", better: "lower", samples: cpu, goals: [] }
      )
    }
    return findings
  }
}
