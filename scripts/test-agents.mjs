/**
 * test-agents: `npm run test:agents`. Drives the real agents, at the versions the adapters were written against.
 *
 * They are installed once, outside the checkout ($AI_RELAY_AGENTS_DIR). When one cannot be installed its suites are
 * skipped and say why: they read $AI_RELAY_SKIP_AGENTS, "codex: reason; gemini: reason".
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

const agents = {
  claude: "@anthropic-ai/claude-code@2.1.197",
  codex: "@openai/codex@0.169.0",
  gemini: "@google/gemini-cli@0.61.0",
  "claude-agent-acp": "@agentclientprotocol/claude-agent-acp@0.49.0"
}

const root = fileURLToPath(new URL("..", import.meta.url))
const { env } = process
const folder = env.AI_RELAY_AGENTS_DIR
  || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ai-relay/agents")

/** npm's answer to "which install scripts may run": only Claude Code's, which puts its binary in place. */
const manifest = {
  private: true,
  allowScripts: { "@anthropic-ai/claude-code": true, "@github/keytar": false, "node-pty": false }
}

const isInstalled = (name, version) => {
  const path = join(folder, "node_modules", name, "package.json")
  return existsSync(path) && JSON.parse(readFileSync(path, "utf8")).version === version
}

/** Installs what is missing; gives undefined, or why it failed. */
const install = (agent) => {
  const [, name, version] = /^(.+)@(.+)$/.exec(agent)
  if (isInstalled(name, version)) return undefined
  console.log(`installing ${agent} in ${folder}`)
  mkdirSync(folder, { recursive: true })
  const path = join(folder, "package.json")
  if (!existsSync(path)) writeFileSync(path, JSON.stringify(manifest, null, 2))
  const flags = ["--save-exact", "--loglevel=error", "--no-audit", "--no-fund"]
  const npm = spawnSync("npm", ["install", ...flags, agent], { cwd: folder, encoding: "utf8" })
  if (npm.status === 0) return undefined
  console.log(npm.stderr ?? npm.error?.message)
  return `npm install failed: ${/^npm error code (.+)$/m.exec(npm.stderr)?.[1] ?? "see above"}`
}

const skipped = Object.entries(agents).flatMap(([agent, spec]) => {
  const reason = install(spec)
  if (reason === undefined) return []
  console.log(`skipping ${agent}: ${reason}`)
  return [`${agent}: ${reason.replaceAll(";", ",")}`]
})

const { error, status } = spawnSync(
  process.execPath,
  [join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "agents", ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...env,
      PATH: join(folder, "node_modules/.bin") + delimiter + env.PATH,
      AI_RELAY_SKIP_AGENTS: [env.AI_RELAY_SKIP_AGENTS, ...skipped].filter(Boolean).join("; ")
    }
  }
)
if (error !== undefined) console.error(error.message)
process.exitCode = status ?? 1
