/**
 * nodeOf: `node scripts/nodeOf.mjs 26` installs the newest Node 26 beside the agents, outside the checkout. Its last line is the
 * folder of the program, to be put first on the PATH.
 */
import { installNode, nodeBinOf } from "./installAgents.mjs"

const [version] = process.argv.slice(2)
if (version === undefined) {
  console.error("nodeOf: give a version, such as 26")
  process.exit(2)
}
const missing = await installNode(version)
console.log(missing ?? nodeBinOf(version))
if (missing !== undefined) process.exitCode = 1
