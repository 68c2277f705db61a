/**
 * test-agents: `npm run test:agents`. Drives the real agents, on a Node of their own, with a scripted model.
 *
 *     npm run test:agents                                 the newest version of each, all scenarios
 *     npm run test:agents -- --versions newest,oldest     also older ones (newest, pinned, oldest, all)
 *     npm run test:agents -- --agents claude,codex        only these; any other argument is vitest's
 *     npm run test:agents -- --core opencode,qwen         of these only the scenarios that show most
 *
 * They are installed once, outside the checkout (`installAgents.mjs`). What cannot be installed is skipped and says why:
 * $AI_RELAY_SKIP_AGENTS, "codex: reason; gemini: reason", adds to that. $AI_RELAY_BUILT: dist is new.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { agentVersions, ranks, selectVersions } from "./agentVersions.mjs"
import { installAgents } from "./installAgents.mjs"

const args = process.argv.slice(2)

/** Takes `--name a,b` or `--name=a,b` out of the arguments. */
const take = (name, known, fallback) => {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`))
  if (at < 0) return fallback
  const [own, next] = args.splice(at, args[at] === name ? 2 : 1)
  const words = (next ?? own.slice(name.length + 1)).split(",").filter(Boolean)
  if (words.includes("all")) return known
  const unknown = words.filter((word) => !known.includes(word))
  if (unknown.length > 0 || words.length === 0) {
    console.error(`${name}: ${unknown.join(", ") || "a value is missing"}. Give some of ${known.join(", ")}.`)
    process.exit(2)
  }
  return words
}

const agents = take("--agents", Object.keys(agentVersions), Object.keys(agentVersions))
const wanted = take("--versions", ranks, ["newest"])
const core = take("--core", Object.keys(agentVersions), [])
const found = (await installAgents(selectVersions(agents, wanted)))
  .map((one) => core.includes(one.agent) ? { ...one, core: true } : one)
for (const { agent, missing, version } of found) {
  if (missing !== undefined) console.log(`skipping ${agent} ${version}: ${missing}`)
}

const root = fileURLToPath(new URL("..", import.meta.url))
const run = (...command) => {
  const { error, status } = spawnSync(process.execPath, command, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, AI_RELAY_BUILT: "1", AI_RELAY_AGENTS: JSON.stringify(found) }
  })
  if (error !== undefined) console.error(error.message)
  return status ?? 1
}
process.exitCode = (process.env.AI_RELAY_BUILT ? 0 : run("scripts/build.mjs", "cli"))
  || run(
    join(root, "node_modules/vitest/vitest.mjs"),
    ...["run", "--project", "agents", "--maxWorkers=2", ...args]
  )
