/**
 * test-browser: `npm run test:browser`. Builds the command and the console and drives them with Debian's Chromium; the
 * newest Claude Code answers with a scripted model (`installAgents.mjs`). Without Chromium (and no way to get it) the suite is skipped
 * and says why. $AI_RELAY_BUILT: dist is new. `npm run docs:images` takes the pictures of docs/images instead.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { selectVersions } from "./agentVersions.mjs"
import { installAgents } from "./installAgents.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const { env } = process
const chromium = env.AI_RELAY_CHROMIUM || "/usr/bin/chromium"

const run = (command, args, options = {}) =>
  spawnSync(command, args, { cwd: root, stdio: "inherit", ...options }).status ?? 1

/** Gives undefined, or why there is no browser. */
const getChromium = () => {
  if (existsSync(chromium)) return undefined
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    return `${chromium} is missing: apt-get install chromium`
  }
  console.log("installing chromium")
  const quiet = { stdio: ["ignore", "ignore", "inherit"], env: { ...env, DEBIAN_FRONTEND: "noninteractive" } }
  run("apt-get", ["-qq", "update"], quiet)
  run("apt-get", ["-qq", "install", "-y", "chromium"], quiet)
  return existsSync(chromium) ? undefined : "apt-get could not install chromium, see above"
}

const reason = getChromium()
if (reason !== undefined) console.log(`skipping the browser suite: ${reason}`)

const [first, ...rest] = process.argv.slice(2)
const images = first === "--images"
const pictures = "test/browser/images.test.ts"
const [claude] = reason === undefined ? await installAgents(selectVersions(["claude"], ["newest"])) : []
const built = env.AI_RELAY_BUILT
  ? 0
  : run(process.execPath, ["scripts/build.mjs", "library", "cli", "console", "react"])
/** Pictures show a folder and a machine that are nobody's: where Linux lets one be made, `/home/ada` on `workshop`. */
const houses = images ? mkdtempSync(join(tmpdir(), "ai-relay-images-")) : undefined
const aside = ["--user", "--map-root-user", "--uts", "--mount"]
const canMove = houses !== undefined && spawnSync("unshare", [...aside, "true"]).status === 0
const moved = canMove
  ? [
    "unshare",
    ...aside,
    "sh",
    "-c",
    "hostname workshop && mount --bind \"$0\" /home && mkdir /home/ada && exec \"$@\"",
    houses
  ]
  : []
const [program, ...before] = [...moved, process.execPath]
process.exitCode = built || run(
  program,
  [
    ...before,
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--project=browser",
    "--project=browser-speed",
    "--maxWorkers=2",
    ...(images ? [pictures, ...rest] : process.argv.slice(2))
  ],
  {
    env: {
      ...env,
      PATH: [claude?.path ?? [], env.PATH].flat().join(delimiter),
      AI_RELAY_CHROMIUM: chromium,
      AI_RELAY_BUILT: "1",
      ...(reason !== undefined && { AI_RELAY_SKIP_BROWSER: reason }),
      ...(images && { AI_RELAY_IMAGES: join(root, "docs/images") }),
      ...(canMove && { AI_RELAY_STAGE_HOME: "/home/ada" })
    }
  }
)
if (houses !== undefined) rmSync(houses, { recursive: true, force: true })
