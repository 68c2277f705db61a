/**
 * judges: the clients the fronts are judged by, unmodified. Each set is installed once as a folder of its own, outside of
 * the checkout ($AI_RELAY_JUDGES_DIR, default ~/.cache/ai-relay/judges); another version makes another folder.
 */
import { createHash } from "node:crypto"
import { writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { installInto, installNode, nodeBin } from "./installAgents.mjs"

/** Exact versions: a newer one may judge otherwise. */
export const judges = {
  "acp": ["@agentclientprotocol/sdk@2.4.0", "old@npm:@agentclientprotocol/sdk@1.9.0"],
  "acpx": ["acpx@0.19.1"],
  "mcp-inspector": ["@modelcontextprotocol/inspector@2.12.0"],
  "copilotkit": [
    "@copilotkit/core@1.75.0",
    "@copilotkit/react-core@1.74.0",
    "@copilotkit/react-ui@1.74.0",
    "react@19.3.1",
    "react-dom@19.3.1"
  ],
  "mcp": ["@modelcontextprotocol/sdk@1.32.2", "@modelcontextprotocol/client@2.4.0"],
  "ag-ui": ["@ag-ui/client@1.0.0", "old@npm:@ag-ui/client@0.0.59"],
  "ai-sdk": [
    "ai@7.0.173",
    "ai6@npm:ai@6.0.326",
    "ai5@npm:ai@5.0.277",
    "@ai-sdk/react@4.0.177",
    "react@19.3.1",
    "react-dom@19.3.1"
  ]
}

/** Programs that want a newer Node than the relay does: they get the agents' one. */
const withNode = new Set(["acpx", "mcp-inspector"])

const { env } = process
const cache = env.AI_RELAY_JUDGES_DIR ||
  join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ai-relay/judges")

const load = "export const load = (name) => import(name)\n"

/**
 * Gives each set's folder, or why it could not be installed: `{ [set]: { folder, node } | { missing } }`. `node` is the
 * program that runs it.
 */
export const installJudges = async (sets) => {
  const found = {}
  for (const set of sets) {
    const needsNode = withNode.has(set)
    const noNode = needsNode ? await installNode() : undefined
    if (noNode !== undefined) {
      found[set] = { missing: `no Node for it: ${noNode}` }
      continue
    }
    const version = createHash("sha256").update(judges[set].join(" ")).digest("hex").slice(0, 8)
    const folder = join(cache, `${set}@${version}`)
    const missing = await installInto(folder, judges[set], needsNode ? { path: nodeBin } : {})
    // A module among the packages, which imports them as their users do.
    if (missing === undefined) writeFileSync(join(folder, "node_modules/load.mjs"), load)
    found[set] = missing === undefined
      ? { folder, node: needsNode ? join(nodeBin, "node") : process.execPath }
      : { missing }
  }
  return found
}
