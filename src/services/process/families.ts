/**
 * families: all agents that were started and not yet ended, with everything they started.
 *
 * If the relay exits first, all are killed at once; if it has no time for that, the watcher ends them. If the watcher was
 * killed too, the next relay does.
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

/** The word that the watcher knows each by. */
const living = new Map<ProcessFamily, string>()
process.on("exit", () => {
  for (const family of living.keys()) family.kill()
  if (living.size === 0) watcher.dismiss()
})

/** When the first agent started, as the system tells it; undefined: there was none yet. */
let firstStarted: number | undefined
export const firstAgentStarted = (): number | undefined => firstStarted

/** Whether this process is an agent of this relay or was started by one, as far as the process itself shows it. */
export const isAgents = (entry: ProcessEntry, environ: () => string): boolean => {
  if (agentMark.isMarked(entry.pid)) return true
  for (const family of living.keys()) if (family.hasSeen(entry)) return true
  const carried = markerIn(environ())
  return carried !== undefined && relayOf(carried)?.name === relay
}

/** A new marker for an agent's environment. */
export const marker = (): string => newMarker(relay)

/** Registers a program that has just started with this marker in its environment. */
export const found = (leader: Leader, marker: string): ProcessFamily => {
  firstStarted ??= Number(tree.startOf(leader.pid) ?? 0)
  const family = new ProcessFamily(tree, leader, marker)
  const name = `${leader.pid}:${tree.startOf(leader.pid) ?? ""}:${marker}`
  living.set(family, name)
  watcher.watch(name)
  return family
}

/** Its leader has just exited. Its pid may be reused from now on, so the watcher goes by the marker. */
export const leaderExited = (family: ProcessFamily): void => {
  family.leaderExited()
  watcher.unwatch(living.get(family) ?? "")
}

/** It was brought to an end. */
export const forget = (family: ProcessFamily): void => {
  watcher.unwatch(living.get(family) ?? "")
  living.delete(family)
}

/** What dead relays left behind. */
const leftBehind = (): ReadonlyArray<ProcessEntry> => [...orphans(openTree("0")).values()].flat()

/** Whether a dead relay left this process behind. Its watcher, or the next relay, is ending it. */
export const isOrphan = (pid: number): boolean => leftBehind().some((entry) => entry.pid === pid)

/** Ends what dead relays left behind; gives the number of processes found. */
export const sweep = (): number => {
  const found = leftBehind().length
  if (found > 0) Watcher.reapOrphans()
  return found
}
