/** throughput: one session, one client, an agent that prints as fast as it is read. */
import { oursWithoutJournal } from "../contenders.js"
import { type Lines, throughputOf } from "../measure.js"
import type { Bench, Finding, Scenario } from "../Scenario.js"

interface Size extends Lines {
  readonly what: string
  /** At least so many times the floor's, and the raw pipe's, throughput. */
  readonly times: { readonly floor?: number; readonly websocketd?: number }
}

/** So many lines that ours takes about half a second: a shorter turn is mostly its own beginning. */
const sizes: ReadonlyArray<Size> = [
  { what: "lines of 200 B", lines: 300_000, bytes: 200, times: { floor: 4, websocketd: 1.5 } },
  { what: "lines of 1 KB", lines: 150_000, bytes: 1024, times: { floor: 3.5, websocketd: 1.5 } },
  { what: "lines of 16 KB", lines: 15_000, bytes: 16 * 1024, times: { floor: 3, websocketd: 1 } },
  { what: "one line of 20 MB", lines: 1, bytes: 20e6, times: {} }
]

const measure = async (bench: Bench, { times, what, ...lines }: Size): Promise<ReadonlyArray<Finding>> => {
  const contenders = [bench.ours, ...bench.others, oursWithoutJournal]
  const { cpu, rate } = await throughputOf(bench, `throughput, ${what}`, contenders, lines)
  return [
    {
      what: `${what}, throughput`,
      unit: "lines/s",
      better: "higher",
      samples: rate,
      goals: Object.entries(times).map(([against, times]) => ({ against, times }))
    },
    { what: `${what}, CPU per line`, unit: "µs", better: "lower", samples: cpu, goals: [] }
  ]
}

export const throughput: Scenario = {
  name: "throughput",
  about:
    "One session, one client, an agent that prints as fast as it is read: `seq`, `raw` and the journal on; without it in the last column.",
  run: async (bench) => {
    const findings: Array<Finding> = []
    for (const size of sizes) findings.push(...await measure(bench, size))
    return findings
  }
}
