/**
 * test-fronts: `npm run test:fronts`. The fronts, each with the clients it is for (`judges.mjs`), and a browser where a
 * page is one of them.
 *
 *     npm run test:fronts                          all of them
 *     npm run test:fronts -- --judges ai-sdk       only these; any other argument is vitest's
 *
 * What cannot be installed is skipped and says why. $AI_RELAY_BUILT: dist is new.
 */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { selectVersions } from "./agentVersions.mjs"
import { installAgents } from "./installAgents.mjs"
import { installJudges, judges } from "./judges.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const args = process.argv.slice(2)
const at = args.indexOf("--judges")
const wanted = at < 0 ? Object.keys(judges) : args.splice(at, 2)[1]?.split(",") ?? []
const unknown = wanted.filter((set) => !Object.hasOwn(judges, set))
if (unknown.length > 0 || wanted.length === 0) {
  console.error(
    `--judges: ${unknown.join(", ") || "a value is missing"}. Give some of ${Object.keys(judges)}.`
  )
  process.exit(2)
}

const found = await installJudges(wanted)
for (const set of Object.keys(judges)) {
  found[set] ??= { missing: "not asked for" }
  if (found[set].missing !== undefined) console.log(`skipping ${set}: ${found[set].missing}`)
}

// Real agents, which people of three fronts drive.
const agents = wanted.includes("acp")
  ? await installAgents(selectVersions(["claude", "codex", "gemini"], ["newest"]))
  : []

const run = (...command) =>
  spawnSync(process.execPath, command, {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      AI_RELAY_BUILT: "1",
      AI_RELAY_JUDGES: JSON.stringify(found),
      AI_RELAY_AGENTS: JSON.stringify(agents)
    }
  }).status ?? 1

process.exitCode = (process.env.AI_RELAY_BUILT ? 0 : run("scripts/build.mjs", "cli"))
  || run(
    join(root, "node_modules/vitest/vitest.mjs"),
    ...["run", "--project", "judges", "--maxWorkers=2", ...args]
  )
