/**
 * installAgents: puts real agents, each version in a folder of its own, and a Node for them into a cache outside of the
 * checkout ($AI_RELAY_AGENTS_DIR, default ~/.cache/ai-relay/agents). What is there already is not installed again.
 *
 * The agents get a Node of their own, because npm on an older Node installs an older agent, and some do not run there.
 */
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, join } from "node:path"
import { agentVersions } from "./agentVersions.mjs"

const { env } = process
export const cache = env.AI_RELAY_AGENTS_DIR
  || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ai-relay/agents")

const agentsNode = "22.23.3"
const nodeFolder = (version) => join(cache, `node@${version}`)
/** Where this Node is, once it is installed. */
export const nodeBinOf = (version) => join(nodeFolder(version), "node_modules/node/bin")
/** Where the agents' Node is, once it is installed. */
export const nodeBin = nodeBinOf(agentsNode)

const run = (command, args, options) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "ignore", "pipe"] })
    let stderr = ""
    child.stderr.on("data", (text) => (stderr += text))
    child.once("error", ({ message }) => resolve({ code: 1, stderr: message }))
    child.once("close", (code) => resolve({ code, stderr }))
  })

const flags = ["--save-exact", "--loglevel=error", "--no-audit", "--no-fund", "--no-update-notifier"]

/**
 * Install npm packages as `folder`; a folder that is there is whole. Gives undefined, or why it failed.
 * `path` goes before PATH, so that npm chooses and runs what is meant for that Node.
 */
export const installInto = async (folder, packages, { path, scripts = [] }) => {
  if (existsSync(folder)) return undefined
  const draft = `${folder}.${process.pid}`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true })
  const allowScripts = Object.fromEntries(scripts.map((name) => [name, true]))
  writeFileSync(join(draft, "package.json"), JSON.stringify({ private: true, allowScripts }, null, 2))
  console.log(`installing ${packages.join(" ")} in ${folder}`)
  const { code, stderr } = await run("npm", ["install", ...flags, ...packages], {
    cwd: draft,
    env: { ...env, PATH: path === undefined ? env.PATH : path + delimiter + env.PATH }
  })
  if (code !== 0) {
    console.log(stderr)
    rmSync(draft, { recursive: true, force: true })
    return `npm install failed: ${/^npm error code (.+)$/m.exec(stderr)?.[1] ?? "see above"}`
  }
  if (!existsSync(folder)) renameSync(draft, folder)
  return undefined
}

/** Gives undefined, or why there is none. */
export const installNode = (version = agentsNode) =>
  installInto(nodeFolder(version), [`node@${version}`], { scripts: ["node"] })

const installAgent = async ({ agent, rank, version }) => {
  const { beside = [], package: name, scripts } = agentVersions[agent]
  const folder = join(cache, `${agent}@${version}`)
  const failed = await installInto(folder, [`${name}@${version}`, ...beside], { path: nodeBin, scripts })
  if (failed !== undefined) return { agent, version, rank, missing: failed }
  return { agent, version, rank, path: [join(folder, "node_modules/.bin"), nodeBin].join(delimiter) }
}

/** So many at once. */
const lanes = 3

/**
 * Install these, `[{ agent, version, rank }]`. Gives each with its `path`, the folders its program and its Node are in,
 * or with `missing`, why it could not be installed.
 */
export const installAgents = async (wanted) => {
  const noNode = await installNode()
  if (noNode !== undefined) return wanted.map((one) => ({ ...one, missing: `no Node for it: ${noNode}` }))
  const found = []
  const left = wanted.map((one, index) => [one, index])
  const lane = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      found[next[1]] = await installAgent(next[0])
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return found
}

/** Install one npm package, without its scripts; gives its folder. */
export const installPackage = async (name, version) => {
  const folder = join(cache, `${name.replaceAll("/", "+")}@${version}`)
  const failed = await installInto(folder, [`${name}@${version}`], {})
  if (failed !== undefined) throw new Error(failed)
  return folder
}
