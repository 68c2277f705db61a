/**
 * effect: this checkout beside earlier ones, such as the last commit on Effect 3 (`bf4d3c8`): start, memory, bundle and throughput,
 * medians of seven rounds, with the same agent and the same clients. `npm run bench:effect -- REV…` builds each in a worktree of
 * its own below `node_modules/.cache`, and removes it; `--rounds N` and `--only startup` as with `npm run bench`.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, rmSync, statSync } from "node:fs"
import { loadavg } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { ours, relayOf } from "./contenders.js"
import { toText } from "./report.js"
import { placeNow } from "./results.js"
import type { Bench } from "./Scenario.js"
import { idle } from "./scenarios/idle.js"
import { latency } from "./scenarios/latency.js"
import { startup } from "./scenarios/startup.js"
import { throughput } from "./scenarios/throughput.js"

const lastOnEffect3 = "bf4d3c8"
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "7" },
    only: { type: "string", multiple: true, default: [] }
  }
})
const scenarios = [startup, idle, throughput, latency].filter(({ name }) =>
  values.only.length === 0 || values.only.includes(name)
)

const run = (cwd: string, command: string, ...args: ReadonlyArray<string>) =>
  void execFileSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] })
const treeOf = (rev: string) => resolve("node_modules/.cache/ai-relay/revisions", rev)
const remove = (rev: string) => {
  rmSync(treeOf(rev), { recursive: true, force: true })
  run(".", "git", "worktree", "prune")
}

/** The command's own files, without what is loaded from packages beside it, in KB. */
const bundleOf = (dist: string) =>
  readdirSync(dist).filter((name) => /^cli.*\.mjs$/.test(name))
    .reduce((sum, name) => sum + statSync(join(dist, name)).size, 0) / 1024

const revs = positionals.length > 0 ? positionals : [lastOnEffect3]
try {
  const earlier = revs.map((rev) => {
    remove(rev)
    run(".", "git", "worktree", "add", "--force", "--detach", treeOf(rev), rev)
    run(treeOf(rev), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    run(treeOf(rev), process.execPath, "scripts/build.mjs", "cli")
    return relayOf(rev, join(treeOf(rev), "dist/cli.mjs"))
  })
  run(".", process.execPath, "scripts/build.mjs", "cli")
  for (const [name, dist] of [["ai-relay", "dist"], ...revs.map((rev) => [rev, join(treeOf(rev), "dist")])]) {
    console.log(`bundle of ${name}: ${Math.round(bundleOf(dist ?? ""))} KB`)
  }
  const [first = ours] = earlier
  const bench: Bench = {
    repeats: Number(values.rounds),
    ours,
    floor: first,
    others: earlier,
    progress: (text) => void process.stderr.write(`${text}\n`),
    note: (text) => console.log(text)
  }
  for (const { about, name, run } of scenarios) {
    const [load = 0] = loadavg()
    const findings = await run(bench)
    console.log(toText({ name, about, findings, place: placeNow(bench.repeats, load) }))
  }
} finally {
  revs.forEach(remove)
}
