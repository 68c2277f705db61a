/**
 * relayProcess: a small relay as a process of its own, that starts shell scripts as agents and never ends by itself.
 *
 * It is built like the real one, with the reaper inside. What its scripts print, it prints. At each SIGUSR2 its clock
 * jumps ahead by a minute, and it prints `later`.
 */
import { buildSync } from "esbuild"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { embeddedSources } from "../../scripts/embeddedSources.mjs"
import { ProcessTree, procSource } from "../../src/services/process/ProcessTree.js"

const program = `
  import { Effect } from "effect"
  import { spawn } from "node:child_process"
  import * as families from "./src/services/process/families.js"
  import * as ProcessSupervisor from "./src/services/process/ProcessSupervisor.js"
  import { openTree } from "./src/services/process/machine.js"
  import { nameOf, newMarker } from "./src/services/process/marker.js"
  import * as Watcher from "./src/services/process/Watcher.js"
  import { start } from "./test/support/realAgents.js"
  process.on("SIGUSR2", () => {
    const now = performance.now.bind(performance)
    performance.now = () => now() + 60_000
    console.log("later")
  })
  if (process.argv[2] === "sweep") console.log(families.sweep())
  else if (process.argv[2] === "crowd") {
    // So many agents that ended, the last one first; none of these was ever there.
    const relay = nameOf(openTree(), process.pid)
    const watcher = Watcher.make(relay)
    const gone = Array.from({ length: 2000 }, (_, n) => \`\${9_000_000 + n}:1:\${newMarker(relay)}\`)
    gone.forEach(watcher.watch)
    gone.reverse().forEach(watcher.unwatch)
    const { pid } = spawn("sleep", ["60"], { detached: true, stdio: "ignore" })
    watcher.watch(\`\${pid}::\${newMarker(relay)}\`)
    console.log(pid)
  } else Effect.runFork(Effect.gen(function*() {
    for (const script of process.argv.slice(2)) {
      const agent = yield* start(script)
      agent.lines.push = (line) => (console.log(line), 0)
    }
    yield* Effect.never
  }).pipe(Effect.scoped, Effect.provide(ProcessSupervisor.layer())))`

export const buildRelay = () => {
  const folder = mkdtempSync(join(tmpdir(), "ai-relay-process-"))
  const outfile = join(folder, "relay.mjs")
  buildSync({
    stdin: { contents: program, resolveDir: process.cwd(), loader: "ts" },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    define: embeddedSources()
  })
  return { outfile, remove: () => rmSync(folder, { recursive: true }) }
}

export interface RelayProcess {
  readonly child: ChildProcess
  readonly pid: number
  readonly lines: ReadonlyArray<string>
}

/** Start it with these agents; `args` may be one script each, or `sweep`, or `crowd` (prints the pid of the last one). */
export const startRelay = (outfile: string, args: ReadonlyArray<string>): RelayProcess => {
  const child = spawn(process.execPath, [outfile, ...args], { stdio: ["ignore", "pipe", "inherit"] })
  const lines: Array<string> = []
  let rest = ""
  child.stdout.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n")
    rest = parts.pop() ?? ""
    lines.push(...parts)
  })
  return { child, pid: child.pid ?? 0, lines }
}

const everyone = () => new ProcessTree({ ...procSource("0"), reuseMs: -1 })

/** Everyone who was started by this relay, its watcher too, now. */
export const startedBy = (relay: RelayProcess): ReadonlyArray<number> => {
  const tree = everyone()
  const marked = [...tree.markers()].flatMap(([marker, carriers]) =>
    marker.split(".")[1] === String(relay.pid) ? carriers : []
  )
  return [...new Set([...marked, ...tree.descendants([relay.pid])].map(({ pid }) => pid))]
}
