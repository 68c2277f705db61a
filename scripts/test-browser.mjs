/**
 * test-browser: `npm run test:browser`. Builds the command and the console and drives them with Debian's Chromium; the
 * newest Claude Code answers with a scripted model (`installAgents.mjs`). Without Chromium (and no way to get it) the suite is skipped
 * and says why. $AI_RELAY_BUILT: dist is new. `npm run docs:images` takes the pictures of docs/images instead.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
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
process.exitCode = built || run(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--project",
    "browser",
    ...(images ? [pictures, ...rest] : ["--exclude", pictures, ...process.argv.slice(2)])
  ],
  {
    env: {
      ...env,
      PATH: [claude?.path ?? [], env.PATH].flat().join(delimiter),
      AI_RELAY_CHROMIUM: chromium,
      AI_RELAY_BUILT: "1",
      ...(reason !== undefined && { AI_RELAY_SKIP_BROWSER: reason }),
      ...(images && { AI_RELAY_IMAGES: join(root, "docs/images") })
    }
  }
)
