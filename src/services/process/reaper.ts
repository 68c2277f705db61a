/**
 * reaper: a separate program, run by the watcher when its relay is dead, and by a relay that finds leftovers of a dead one.
 *
 * Arguments: the dead relay, then its agents as `pid:started:marker`. It ends these, all processes with a marker of that relay
 * or another dead one, and everything they started: first by SIGTERM, which lets agents save their work, then by SIGKILL until
 * nobody has been seen for a while. It takes at most 5 s and touches no other process.
 */
import { openTree } from "./machine.js"
import { orphans } from "./orphans.js"
import { type Leader, ProcessFamily } from "./ProcessFamily.js"

/** How long processes may take to exit by themselves, and how long to keep killing, in ms. */
const politeMs = 1000
const killMs = 2500
/** How long nobody must have been seen at the end, in ms. */
const quietMs = 150
const pauseMs = 25

const [relay, ...told] = process.argv.slice(1)
const tree = openTree("0")
const families = new Map<string, ProcessFamily>()

const isSame = (started: string, now: string | undefined) =>
  now !== undefined && (started === "" || started === now)

/** Adds an agent that the relay had not seen exit; if it has exited since, that was just now. */
const meet = (agent: string) => {
  const [pid = "", started = "", marker = ""] = agent.split(":")
  const entry = tree.all().get(Number(pid))
  const isAgent = isSame(started, entry?.started)
  const leader = {
    pid: Number(pid),
    hasExited: () => entry === undefined || !isAgent || !tree.isAlive(entry)
  }
  const family = new ProcessFamily(tree, leader, marker)
  if (entry === undefined) family.leaderExited(tree.readAt)
  families.set(marker, family)
}

/** The leader of processes the relay had no time to report, and of those of other dead relays. */
const nobody: Leader = { pid: -1, hasExited: () => true }

/** Adds orphans; gives whether there were any. */
const meetOrphans = () => {
  const known = families.size
  for (const marker of orphans(tree, relay).keys()) {
    if (!families.has(marker)) families.set(marker, new ProcessFamily(tree, nobody, marker))
  }
  return families.size > known
}
const areGone = () => [...families.values()].every((family) => family.isGone())

/** Polls until `isOver` or the limit, then calls `goOn`. */
const until = (isOver: () => boolean, limitMs: number, goOn: () => void) => {
  const deadline = performance.now() + limitMs
  const look = () => {
    if (isOver() || performance.now() >= deadline) goOn()
    else setTimeout(look, pauseMs)
  }
  look()
}

const killEveryone = () => {
  let quietSince = performance.now()
  const isQuiet = () => {
    for (const family of families.values()) family.kill()
    if (!areGone() || meetOrphans()) quietSince = performance.now()
    return performance.now() - quietSince >= quietMs
  }
  until(isQuiet, killMs, () => {})
}

told.forEach(meet)
meetOrphans()
// All are listed before any is signalled: a process that exits no longer tells whose its children are.
for (const family of families.values()) family.look()
for (const signal of ["SIGTERM", "SIGCONT"] as const) {
  for (const family of families.values()) family.signal(signal, signal)
}
until(areGone, politeMs, killEveryone)
