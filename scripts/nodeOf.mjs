/**
 * nodeOf: the versions of Node the program is for. `node scripts/nodeOf.mjs 26` installs the newest 26 beside the agents, outside
 * the checkout, and prints the folder it is in, or says why there is none.
 */
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { installNode, nodeBinOf } from "./installAgents.mjs"

/** 20 from 20.20 on. */
export const majors = [20, 22, 24, 26]

/** `{ node }`, a Node of this major version: the one that runs, or one out of the npm package `node`; or `{ problem }`. */
export const nodeOf = async (major) => {
  if (process.versions.node.startsWith(`${major}.`)) return { node: process.execPath }
  const problem = await installNode(major)
  return problem === undefined
    ? { node: join(nodeBinOf(major), "node") }
    : { problem: `Node ${major} could not be had: ${problem}` }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { node, problem } = await nodeOf(process.argv[2] ?? "")
  console.log(problem ?? dirname(node))
  if (problem !== undefined) process.exitCode = 1
}
