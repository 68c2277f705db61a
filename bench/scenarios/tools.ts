/** tools: tool calls and their results, which are looked into: paths, words and differences are made of them. */
import { copy, oursWithoutJournal } from "../contenders.js"
import { type Lines, throughputOf } from "../measure.js"
import type { Finding, Scenario } from "../Scenario.js"

const sizes: ReadonlyArray<Lines & { readonly what: string; readonly times?: number }> = [
  { what: "of 1 KB", lines: 30_000, bytes: 1024, kind: "tools" },
  { what: "of 16 KB", lines: 6000, bytes: 16 * 1024, kind: "tools", times: 2 },
  { what: "of 256 KB", lines: 400, bytes: 256 * 1024, kind: "tools" }
]

export const tools: Scenario = {
  name: "tools",
  about:
    "One session, one client, an agent that prints tool calls and their results as fast as they are read.",
  run: async (bench) => {
    const findings: Array<Finding> = []
    for (const { times, what, ...lines } of sizes) {
      const contenders = [bench.ours, ...bench.others, copy, oursWithoutJournal]
      const { cpu, rate } = await throughputOf(bench, `tools, ${what}`, contenders, lines)
      const goals = times === undefined ? [] : [{ against: bench.floor.name, times }]
      findings.push(
        { what: `${what}, throughput`, unit: "lines/s", better: "higher", samples: rate, goals },
        { what: `${what}, CPU per line`, unit: "µs", better: "lower", samples: cpu, goals: [] }
      )
    }
    return findings
  }
}
