/**
 * start: `npm start -- --port 9001` in a fresh checkout. Builds the command and the console when they are missing or
 * older than a source, then becomes the command as far as one can tell: same terminal, same arguments, same signals, same exit code.
 */
import { spawn, spawnSync } from "node:child_process"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const cli = join(root, "dist/cli.mjs")

const modified = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
const sources = [
  "package.json",
  ...readdirSync(join(root, "src"), { recursive: true }).map((path) => join("src", path))
]

const built = Math.min(modified("dist/cli.mjs"), modified("dist/console/files.json"))
if (built < Math.max(...sources.map(modified))) {
  const isFirst = built === 0
  const started = performance.now()
  console.error(
    isFirst
      ? "ai-relay: building the program and its page; the first time takes about a minute"
      : "ai-relay: sources have changed, building the program and its page again"
  )
  const build = spawnSync(process.execPath, [join(root, "scripts/build.mjs"), "cli", "console"], {
    stdio: ["ignore", "ignore", "inherit"]
  })
  if (build.status !== 0) process.exit(build.status ?? 1)
  console.error(`ai-relay: built in ${Math.round((performance.now() - started) / 1000)} s, starting`)
}

const relay = spawn(process.execPath, [cli, ...process.argv.slice(2)], { stdio: "inherit" })

// Ctrl-C reaches the whole terminal, the relay too, and npm sends it once more: passed on here, it would be a second
// one, and a second one means "now, without tidying up".
const atTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
if (!atTerminal) process.once("SIGINT", () => relay.kill("SIGINT"))
process.once("SIGTERM", () => relay.kill("SIGTERM"))
process.on("SIGINT", () => {}).on("SIGTERM", () => {})

relay.once("error", (error) => {
  console.error(`ai-relay: ${error.message}`)
  process.exit(1)
})
relay.once("exit", (code, signal) => {
  if (signal === null) process.exit(code)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})
