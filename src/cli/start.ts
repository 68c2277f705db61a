/**
 * start: the first code of `ai-relay`. It turns on V8's compile cache (Node 22.1 or later), so that the next start need not
 * compile the program. The cache folder must be the user's own: anyone who can write there can change the code that runs.
 *
 * It also limits V8's space for young objects. Most objects of the start and of a new session survive, which makes V8 grow
 * that space to 48 MB; an idle relay collects no garbage, so it would never shrink again.
 *
 * Output of agents is read into memory that counts as heap. With a heap this small V8 would collect all of it every 30 ms
 * in a flood, although only young objects are garbage; so the heap may grow to three times what is alive.
 *
 * In a relay's first minute most functions run only a few hundred times. V8 would still compile many of them with its optimizing
 * compiler, which costs more than it saves: a fifth of a day's CPU (docs/benchmarks.md). So in that minute a function must run
 * three times as long before it is compiled.
 */
import * as module from "node:module"
import { join } from "node:path"
import { PerformanceObserver } from "node:perf_hooks"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { answerEarly } from "./earlyAcp.js"
import { ownFolder, settleHome } from "./home.js"

/** Functions that Node 20 does not have. */
interface CompileCache {
  readonly enableCompileCache?: (folder: string) => unknown
  readonly flushCompileCache?: () => void
}
const { enableCompileCache, flushCompileCache } = module as CompileCache

/** As fast as a larger space, even with 16 KB per event: in a flood, young objects soon are garbage. */
const youngBytes = 8 * 1024 * 1024
const isYoungLarge = () =>
  getHeapSpaceStatistics().some(({ space_name, space_size }) =>
    space_name === "new_space" && space_size >= youngBytes
  )

/** The factor by which V8 grows the space for young objects. */
const growYoungBy = (factor: 1 | 2) => setFlagsFromString(`--semi-space-growth-factor=${factor}`)
const afterGarbage = new PerformanceObserver(() => {
  if (!isYoungLarge()) return
  growYoungBy(1)
  afterGarbage.disconnect()
})

/** The bytecodes that a function runs before V8 considers optimizing it: V8's own number, and ours for a cold relay. */
const interruptBudget = { usual: 132 * 1024, cold: 3 * 132 * 1024 }
const coldMs = 60_000
/** V8 of Node 20; later versions have other numbers, and were not measured. */
const isMeasured = process.versions.v8.startsWith("11.3.")
const setInterruptBudget = (bytes: number) => setFlagsFromString(`--interrupt-budget=${bytes}`)

// Before anything asks for the home folder.
const homeless = settleHome()
if (homeless !== undefined) process.stderr.write(`ai-relay: ${homeless}\n`)
// Node would open its inspector on this signal, which an agent may send, and anyone who reaches that can run code here.
process.on("SIGUSR1", () => {})
setFlagsFromString("--heap-growing-percent=200")
growYoungBy(1)
if (isMeasured) {
  setInterruptBudget(interruptBudget.cold)
  setTimeout(() => setInterruptBudget(interruptBudget.usual), coldMs).unref()
}
enableCompileCache?.(join(ownFolder("XDG_CACHE_HOME"), "ai-relay", "compiled"))
const load = () => import("./main.js")
const [command, ...flags] = process.argv.slice(2)
const isEditors = command === "acp" && !flags.some((flag) => flag === "--help" || flag === "-h")
void (isEditors ? answerEarly().then(load) : load())
setTimeout(() => {
  // Also written on exit, but a relay may be killed. V8 uses the cache only with the flags it was written under.
  flushCompileCache?.()
  growYoungBy(2)
  afterGarbage.observe({ entryTypes: ["gc"] })
}, 1000).unref()
