/**
 * reaper: a program of its own, run by the watcher when its relay is dead, and by a relay that finds what a dead one left.
 *
 * Arguments: the dead relay, then its agents, `pid:started:marker` each. It ends these, everyone who carries a marker of
 * that relay or of another that is dead, and all they started: asks by SIGTERM, which agents use to save what they have,
 * then kills until nobody has been seen for a while. It is over within 5 s and touches nobody else.
 */
import { openTree } from "./machine.js"
import { orphans } from "./orphans.js"
import { type Leader, ProcessFamily } from "./ProcessFamily.js"

/** How long they may take to end by themselves, and how long they are killed at most, in ms. */
const politeMs = 1000
const killMs = 2500
/** Nobody may have been seen for so long before it is over, in ms. */
const quietMs = 150
const pauseMs = 25

const [relay, ...told] = process.argv.slice(1)
const tree = openTree("0")
const families = new Map<string, ProcessFamily>()

const isSame = (started: string, now: string | undefined) =>
  now !== undefined && (started === "" || started === now)

/** An agent the relay had not seen exit. If it has by now, it was this very moment. */
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

/** Of those the relay had no time to tell of, and of other dead relays, nobody leads. */
const nobody: Leader = { pid: -1, hasExited: () => true }

/** Meet those who are nobody's; answers whether there were any. */
const meetOrphans = () => {
  const known = families.size
  for (const marker of orphans(tree, relay).keys()) {
    if (!families.has(marker)) families.set(marker, new ProcessFamily(tree, nobody, marker))
  }
  return families.size > known
}
const areGone = () => [...families.values()].every((family) => family.isGone())

/** Look again and again until it is over, then go on. */
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
// Everyone is seen before anyone is told: who is told may end, and then nothing tells whose children they were.
for (const family of families.values()) family.look()
for (const signal of ["SIGTERM", "SIGCONT"] as const) {
  for (const family of families.values()) family.signal(signal, signal)
}
until(areGone, politeMs, killEveryone)
