/**
 * start: what `ai-relay` runs first. It keeps what V8 makes of the program, so that the next start need not compile it.
 *
 * Node does so from 22.1 on. The folder is the user's own: whoever could write there could change what is run.
 */
import * as module from "node:module"
import { homedir } from "node:os"
import { join } from "node:path"

/** What Node 20 does not have yet. */
interface CompileCache {
  readonly enableCompileCache?: (folder: string) => unknown
  readonly flushCompileCache?: () => void
}
const { enableCompileCache, flushCompileCache } = module as CompileCache

enableCompileCache?.(join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "ai-relay", "compiled"))
void import("./main.js")
// Written at the end too; a relay may be killed before it.
if (flushCompileCache !== undefined) setTimeout(flushCompileCache, 2000).unref()
