/**
 * start: what `ai-relay` runs first. It keeps what V8 makes of the program, so that the next start need not compile it:
 * Node does so from 22.1 on. The folder is the user's own: whoever could write there could change what is run.
 *
 * And it keeps the heap from growing for the sake of the start. Most of what is made then stays, which V8 takes for a
 * reason to enlarge the young generation by 16 MB; an idle relay collects no garbage, and so would never give them back.
 *
 * What agents print is read into memory that counts as heap. Beside a heap as small as this, V8 would collect all of it
 * every 30 ms in a flood, though only the young is garbage: it may grow to three times what lives.
 */
import * as module from "node:module"
import { homedir } from "node:os"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"

/** What Node 20 does not have yet. */
interface CompileCache {
  readonly enableCompileCache?: (folder: string) => unknown
  readonly flushCompileCache?: () => void
}
const { enableCompileCache, flushCompileCache } = module as CompileCache

setFlagsFromString("--heap-growing-percent=200")
setFlagsFromString("--semi-space-growth-factor=1")
enableCompileCache?.(join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "ai-relay", "compiled"))
void import("./main.js")
setTimeout(() => {
  // Written at the end too; a relay may be killed before it. V8 reads it only under the flags it was written under.
  flushCompileCache?.()
  // As it is by default: who works much wants a large one.
  setFlagsFromString("--semi-space-growth-factor=2")
}, 1000).unref()
