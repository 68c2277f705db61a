/** orphans: who carries the marker of a relay that is dead. */
import { nameOf, namespaceHere, relayOf } from "./marker.js"
import type { ProcessEntry, ProcessTree } from "./ProcessTree.js"

/** By marker. `dead` names a relay that is known to be dead, also while the system still tears it down. */
export const orphans = (
  tree: ProcessTree,
  dead?: string
): ReadonlyMap<string, ReadonlyArray<ProcessEntry>> => {
  const above = lineage(tree)
  const found = [...tree.markers()].filter(([marker, carriers]) =>
    isDead(tree, marker, dead)
    // A relay that was itself started by a dead one's agent must not end itself.
    && !carriers.some(({ pid }) => above.has(pid))
  )
  return new Map(found)
}

const isDead = (tree: ProcessTree, marker: string, dead: string | undefined): boolean => {
  const relay = relayOf(marker)
  if (relay === undefined) return false
  return relay.name === dead
    || (relay.namespace === namespaceHere && nameOf(tree, relay.pid) !== relay.name)
}

/** This process, who started it, and so on. */
const lineage = (tree: ProcessTree): ReadonlySet<number> => {
  const pids = new Set<number>()
  for (let pid = process.pid; pid > 0 && !pids.has(pid); pid = tree.all().get(pid)?.ppid ?? 0) pids.add(pid)
  return pids
}
