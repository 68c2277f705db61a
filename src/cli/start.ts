/**
 * start: what `ai-relay` runs first. It keeps what V8 makes of the program, so that the next start need not compile it:
 * Node does so from 22.1 on. The folder is the user's own: a person who could write there could change what is run.
 *
 * And it bounds what V8 takes for young objects. Most of what the start and each new session make then stays, which V8
 * takes for a reason to let their space grow to 48 MB; an idle relay collects no garbage, and so would not give it back.
 *
 * What agents print is read into memory that counts as heap. Beside a heap as small as this, V8 would collect all of it
 * every 30 ms in a flood, though only the young is garbage: it may grow to three times what lives.
 *
 * In its first minute nearly all a relay runs is run some hundred times. V8 would compile much of it for speed all the same, which
 * takes more than it gives: a fifth of a day's CPU (docs/benchmarks.md). Until then three times as much has to run first.
 */
import * as module from "node:module"
import { join } from "node:path"
import { PerformanceObserver } from "node:perf_hooks"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { answerEarly } from "./earlyAcp.js"
import { ownFolder, settleHome } from "./home.js"

/** What Node 20 does not have yet. */
interface CompileCache {
  readonly enableCompileCache?: (folder: string) => unknown
  readonly flushCompileCache?: () => void
}
const { enableCompileCache, flushCompileCache } = module as CompileCache

/** As fast as larger ones, also with 16 KB an event: in a flood, what is young is garbage soon. */
const youngBytes = 8 * 1024 * 1024
const isYoungLarge = () =>
  getHeapSpaceStatistics().some(({ space_name, space_size }) =>
    space_name === "new_space" && space_size >= youngBytes
  )

/** How much larger V8 makes the young objects' space when it wants to. */
const growYoungBy = (factor: 1 | 2) => setFlagsFromString(`--semi-space-growth-factor=${factor}`)
const afterGarbage = new PerformanceObserver(() => {
  if (!isYoungLarge()) return
  growYoungBy(1)
  afterGarbage.disconnect()
})

/** The bytecodes a function runs before V8 thinks of compiling it for speed: V8's own number, and ours for a cold relay. */
const interruptBudget = { usual: 132 * 1024, cold: 3 * 132 * 1024 }
const coldMs = 60_000
/** Node 20's; for others nobody has measured it. */
const isMeasured = process.versions.v8.startsWith("11.3.")
const setInterruptBudget = (bytes: number) => setFlagsFromString(`--interrupt-budget=${bytes}`)

// Before anything asks for it.
const homeless = settleHome()
if (homeless !== undefined) process.stderr.write(`ai-relay: ${homeless}\n`)
// Node would open its inspector at this signal, and anyone who reaches that runs code here: an agent may send it.
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
  // Written at the end too; a relay may be killed before it. V8 reads it only under the flags it was written under.
  flushCompileCache?.()
  growYoungBy(2)
  afterGarbage.observe({ entryTypes: ["gc"] })
}, 1000).unref()
