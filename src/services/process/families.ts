/**
 * families: every agent that was started and is not yet brought to an end, with all it started.
 *
 * If the relay exits before that, all are killed at once; if it has no time even for that, the watcher ends them. What a
 * relay left of which nobody took care, because the watcher was killed too, the next relay ends.
 */
import * as agentMark from "./agentMark.js"
import { openTree } from "./machine.js"
import { nameOf, newMarker, relayOf } from "./marker.js"
import { orphans } from "./orphans.js"
import { type Leader, ProcessFamily } from "./ProcessFamily.js"
import { markerIn, type ProcessEntry } from "./ProcessTree.js"
import * as Watcher from "./Watcher.js"

const tree = openTree()
const relay = nameOf(tree, process.pid)
const watcher = Watcher.make(relay)

/** What the watcher was told of each. */
const living = new Map<ProcessFamily, string>()
process.on("exit", () => {
  for (const family of living.keys()) family.kill()
  if (living.size === 0) watcher.dismiss()
})

/** When the first agent started, in the system's own words; undefined: there was none yet. */
let firstStarted: number | undefined
export const firstAgentStarted = (): number | undefined => firstStarted

/** Is this process an agent of this relay's, or was it started by one, as far as it can be told by itself? */
export const isAgents = (entry: ProcessEntry, environ: () => string): boolean => {
  if (agentMark.isMarked(entry.pid)) return true
  for (const family of living.keys()) if (family.hasSeen(entry)) return true
  const carried = markerIn(environ())
  return carried !== undefined && relayOf(carried)?.name === relay
}

/** What everything an agent starts will carry in its environment. */
export const marker = (): string => newMarker(relay)

/** A program started this very moment, its environment marked with `marker`. */
export const found = (leader: Leader, marker: string): ProcessFamily => {
  firstStarted ??= Number(tree.startOf(leader.pid) ?? 0)
  const family = new ProcessFamily(tree, leader, marker)
  const name = `${leader.pid}:${tree.startOf(leader.pid) ?? ""}:${marker}`
  living.set(family, name)
  watcher.watch(name)
  return family
}

/** Its leader exited this very moment. From now on its number may be given to another: the watcher goes by the marker. */
export const leaderExited = (family: ProcessFamily): void => {
  family.leaderExited()
  watcher.unwatch(living.get(family) ?? "")
}

/** It was brought to an end. */
export const forget = (family: ProcessFamily): void => {
  watcher.unwatch(living.get(family) ?? "")
  living.delete(family)
}

/** End what dead relays left, if there is anything; answers how many processes were found. */
export const sweep = (): number => {
  const found = [...orphans(openTree("0")).values()].flat().length
  if (found > 0) Watcher.reapOrphans()
  return found
}
