/**
 * bench: ours measured beside what a user would pick instead. `npm run bench` for all, `npm run bench -- throughput` for
 * one; `--rounds N` (7), `--vs "URL [COMMAND…]"` adds another relay, `--write` renews docs/benchmarks.md.
 */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { loadavg } from "node:os"
import { parseArgs } from "node:util"
import { another, floor, ours, websocketd } from "./contenders.js"
import { meets, type Told, toText } from "./report.js"
import { placeNow, write } from "./results.js"
import type { Bench, Scenario } from "./Scenario.js"
import { connecting } from "./scenarios/connecting.js"
import { day, keepCode } from "./scenarios/day.js"
import { fairness } from "./scenarios/fairness.js"
import { first } from "./scenarios/first.js"
import { guard } from "./scenarios/guard.js"
import { idle } from "./scenarios/idle.js"
import { journal } from "./scenarios/journal.js"
import { latency } from "./scenarios/latency.js"
import { lists } from "./scenarios/lists.js"
import { many } from "./scenarios/many.js"
import { resuming } from "./scenarios/resuming.js"
import { stalled } from "./scenarios/stalled.js"
import { startup } from "./scenarios/startup.js"
import { throughput } from "./scenarios/throughput.js"
import { tools } from "./scenarios/tools.js"

const scenarios: ReadonlyArray<Scenario> = [
  day,
  first,
  throughput,
  tools,
  many,
  lists,
  journal,
  latency,
  fairness,
  stalled,
  resuming,
  idle,
  connecting,
  startup
]

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
const isGuard = positionals.includes(guard.name)
const chosen = isGuard
  ? [guard]
  : scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
if (chosen.length < Math.max(1, positionals.length)) {
  console.error(`bench: there are ${[...scenarios, guard].map(({ name }) => name).join(", ")}`)
  process.exit(1)
}

execFileSync(process.execPath, ["scripts/build.mjs", "cli"], { stdio: "inherit" })
const pipe = websocketd()
if (pipe === undefined && !isGuard) {
  note("websocketd is left out: it is not installed (Debian: apt-get install websocketd)")
}
await keepCode(ours)
const others = [floor, ...pipe === undefined ? [] : [pipe], ...values.vs.map(another)]
const bench: Bench = { repeats: Number(values.rounds), ours, floor, others, progress, note }

const told: Array<Told> = []
for (const { about, name, run } of chosen) {
  const [load = 0] = loadavg()
  const findings = await run(bench)
  told.push({ name, about, findings, place: placeNow(bench.repeats, load) })
  note(toText({ name, about, findings, place: "" }))
}
if (values.write && !isGuard) write(told, scenarios.map(({ name }) => name))

if (isGuard) {
  const verdicts = told.flatMap(({ findings }) =>
    findings.flatMap((finding) => finding.goals.map((goal) => meets(finding, goal)))
  )
  const count = (verdict: boolean | undefined) => verdicts.filter((one) => one === verdict).length
  console.log(`${count(true)} passed, ${count(false)} failed, ${count(undefined)} skipped`)
  if (count(true) < verdicts.length) process.exitCode = 1
}
