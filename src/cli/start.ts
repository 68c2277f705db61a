/**
 * start: the first code of `ai-relay`. It sets V8 up for a relay, then loads the program with what is kept of it (`codeCache.ts`).
 *
 * It limits V8's space for young objects. Most objects of the start and of a new session survive, which makes V8 grow that
 * space to 48 MB; an idle relay collects no garbage, so it would never shrink again. What the start has left is collected once
 * nobody waits for anything: otherwise V8 would do so during the first session.
 *
 * Output of agents is read into memory that counts as heap. With a heap this small V8 would collect all of it every 30 ms
 * in a flood, although only young objects are garbage; so the heap may grow to three times what is alive.
 *
 * At first most functions run only a few hundred times. V8 would still compile many of them with its optimizing compiler, which
 * costs more than it saves: a fifth of a day's CPU (docs/benchmarks.md). So a function must run six times as long before it is
 * compiled, until agents have been read a few thousand times or a minute has passed: then it takes a third off a stream of words.
 */
import { performance, PerformanceObserver } from "node:perf_hooks"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { isWanted, keepCompiled } from "./codeCache.js"
import { answerEarly } from "./earlyAcp.js"
import { isSomewhere, settleHome } from "./home.js"

/** As fast as a larger space, even with 16 KB per event: in a flood, young objects soon are garbage. */
const youngBytes = 8 * 1024 * 1024
const isYoungLarge = () =>
  getHeapSpaceStatistics().some(({ space_name, space_size }) =>
    space_name === "new_space" && space_size >= youngBytes
  )

const coldMs = 60_000
/** V8 of Node 20; later versions have other numbers, and were not measured. */
const isMeasured = process.versions.v8.startsWith("11.3.")

interface Flags {
  /** The factor by which V8 grows the space for young objects. */
  readonly growth: 1 | 2
  /** The bytecodes that a function runs before V8 considers optimizing it. */
  readonly budget: number
}
/** V8's own, and those of the start. */
const usual: Flags = { growth: 2, budget: 66 * 1024 }
const first: Flags = { growth: 1, budget: 6 * usual.budget }
let current = usual
const change = (flags: Partial<Flags>) => {
  const next = { ...current, ...flags }
  if (next.growth !== current.growth) setFlagsFromString(`--semi-space-growth-factor=${next.growth}`)
  if (isMeasured && next.budget !== current.budget) setFlagsFromString(`--interrupt-budget=${next.budget}`)
  current = next
}
const underFirstFlags = <A>(run: () => A): A => {
  const before = current
  change(first)
  try {
    return run()
  } finally {
    change(before)
  }
}

const afterGarbage = new PerformanceObserver(() => {
  if (!isYoungLarge()) return
  change({ growth: 1 })
  afterGarbage.disconnect()
})

/** Collects all garbage: 11 ms of an idle relay. */
const collectGarbage = () => {
  setFlagsFromString("--expose-gc")
  // Some future Node may not have it.
  const collect: (() => void) | undefined = runInNewContext("this.gc")
  setFlagsFromString("--no-expose-gc")
  collect?.()
}

// Its default settings begin with this folder, so nothing works without it.
if (!isSomewhere()) {
  process.stderr.write(
    "ai-relay: the current folder does not exist any more: change to another one and start again\n"
  )
  process.exit(1)
}
// Before anything asks for the home folder.
const homeless = settleHome()
if (homeless !== undefined) process.stderr.write(`ai-relay: ${homeless}\n`)
// Node would open its inspector on this signal, which an agent may send, and anyone who reaches that can run code here.
process.on("SIGUSR1", () => {})
setFlagsFromString("--heap-growing-percent=200")
// What was compiled for the start is kept with the rest, also by a relay that has run for weeks.
setFlagsFromString("--no-flush-bytecode")
change(first)
const optimizeAsUsual = () => change({ budget: usual.budget })
setTimeout(optimizeAsUsual, coldMs).unref()
if (isWanted(process.env)) keepCompiled({ underFirstFlags })
const load = async () => {
  const { whenWarm } = await import("./main.js")
  whenWarm(optimizeAsUsual)
}
const [command, ...flags] = process.argv.slice(2)
const isEditors = command === "acp" && !flags.some((flag) => flag === "--help" || flag === "-h")
void (isEditors ? answerEarly().then(load) : load())
setTimeout(() => {
  const before = performance.eventLoopUtilization()
  setTimeout(() => {
    if (performance.eventLoopUtilization(before).utilization < 0.2) collectGarbage()
    change({ growth: 2 })
    afterGarbage.observe({ entryTypes: ["gc"] })
  }, 200).unref()
}, 800).unref()
