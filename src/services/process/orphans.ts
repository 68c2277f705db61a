/** orphans: processes with the marker of a dead relay. */
import { nameOf, namespaceHere, relayOf } from "./marker.js"
import type { ProcessEntry, ProcessTree } from "./ProcessTree.js"

/** Orphans by marker. `dead`: a relay that is known to be dead although the system still lists it. */
export const orphans = (
  tree: ProcessTree,
  dead?: string
): ReadonlyMap<string, ReadonlyArray<ProcessEntry>> => {
  const above = lineage(tree)
  const found = [...tree.markers()].filter(([marker, carriers]) =>
    isDead(tree, marker, dead)
    // A relay that was started by an agent of a dead relay must not end itself.
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

/** This process and its ancestors. */
const lineage = (tree: ProcessTree): ReadonlySet<number> => {
  const pids = new Set<number>()
  for (let pid = process.pid; pid > 0 && !pids.has(pid); pid = tree.all().get(pid)?.ppid ?? 0) pids.add(pid)
  return pids
}
