/**
 * bench: ours measured beside what a user would pick instead. `npm run bench` for all, `npm run bench -- throughput` for
 * one; `--rounds N` (7), `--vs "URL [COMMAND…]"` adds another relay, `--write` renews docs/benchmarks.md.
 */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { parseArgs } from "node:util"
import { another, floor, ours, websocketd } from "./contenders.js"
import { toText } from "./report.js"
import type { Bench, Scenario } from "./Scenario.js"
import { throughput } from "./scenarios/throughput.js"

const scenarios: ReadonlyArray<Scenario> = [throughput]

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "7" },
    vs: { type: "string", multiple: true, default: [] },
    write: { type: "boolean", default: false }
  }
})

const isTerminal = process.stderr.isTTY
const progress = (text: string) => void process.stderr.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`)
const note = (text: string) => {
  if (isTerminal) process.stderr.write("\r\x1b[K")
  console.log(text)
}

if (!existsSync("/proc/self/stat")) {
  console.error("bench: CPU and memory are read from /proc: run it on Linux")
  process.exit(1)
}
const chosen = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
if (chosen.length < Math.max(1, positionals.length)) {
  console.error(`bench: there are ${scenarios.map(({ name }) => name).join(", ")}`)
  process.exit(1)
}

execFileSync(process.execPath, ["scripts/build.mjs", "cli"], { stdio: "inherit" })
const pipe = websocketd()
if (pipe === undefined) {
  note("websocketd is left out: it is not installed (Debian: apt-get install websocketd)")
}
const others = [floor, ...pipe === undefined ? [] : [pipe], ...values.vs.map(another)]
const bench: Bench = { repeats: Number(values.rounds), ours, floor, others, progress, note }

for (const scenario of chosen) {
  const findings = await scenario.run(bench)
  note(toText(scenario, findings))
}
