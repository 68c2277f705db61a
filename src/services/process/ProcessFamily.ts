/**
 * ProcessFamily: an agent and everything it started.
 *
 * An agent leads its own process group, but its tools often run in sessions of their own and outlive it. They are found as
 * members of the group, by the marker in their environment, and as descendants. Processes that were seen are remembered,
 * because an orphan can no longer be recognized by its parent. Two kinds escape: an orphan that left the group and dropped the
 * marker before anyone looked, and one outside the group that forks and exits faster than we look.
 *
 * It does not use Effect, because it is also part of the reaper, which has to start at once.
 */
import { isAnyone, type ProcessEntry, type ProcessTree, sendSignal } from "./ProcessTree.js"

/** The agent itself. */
export interface Leader {
  readonly pid: number
  readonly hasExited: () => boolean
}

/** How long after the leader's exit its pid is certainly not reused, in ms. */
const freshMs = 5000

export class ProcessFamily {
  private seen: ReadonlyArray<ProcessEntry> = []
  private exitedAt = -Infinity
  /** When the first list was read that showed nobody, if no later one showed anybody. */
  private nobodySince: number | undefined
  /** That list leaves no doubt. */
  private isClear = false

  constructor(
    private readonly tree: ProcessTree,
    readonly leader: Leader,
    readonly marker: string
  ) {}

  /** The leader has just exited, or had exited when a list was read (`at`): remembers the rest of its group. */
  leaderExited(at = performance.now()): void {
    this.exitedAt = at
    if (isAnyone(-this.leader.pid)) this.look()
  }

  /**
   * All living members. A recent list is good enough unless this is the last moment at which an orphan's parent lives, or the
   * leader has exited since it was read.
   */
  look(when: "now" | "lately" = "lately"): ReadonlyArray<ProcessEntry> {
    const everyone = this.tree.all(when, this.exitedAt)
    this.seen = this.seen.flatMap(({ pid, started }) => {
      const now = everyone.get(pid)
      return now?.started === started ? [now] : []
    })
    const group = this.holdsGroup() ? [...everyone.values()].filter(this.isInGroup) : []
    const members = new Map<number, ProcessEntry>()
    const add = (entry: ProcessEntry) => members.set(entry.pid, entry)
    for (const found of [this.seen, group, this.tree.marked(this.marker)]) found.forEach(add)
    this.tree.descendants(members.keys()).forEach(add)
    this.seen = [...members.values()]
    this.nobodySince = this.seen.length > 0 ? undefined : this.nobodySince ?? this.tree.readAt
    this.isClear = this.nobodySince !== undefined && this.tree.isClear()
    return this.seen
  }

  /** Whether this process is the leader, or was a member at the last look. */
  hasSeen({ pid, started }: ProcessEntry): boolean {
    return (pid === this.leader.pid && !this.leader.hasExited())
      || this.seen.some((entry) => entry.pid === pid && entry.started === started)
  }

  /**
   * How long looks have found nobody, in ms: 0 after the first such look, negative while somebody is there, infinite if the
   * last look leaves no doubt.
   */
  quietFor(): number {
    if (this.nobodySince === undefined) return -1
    return this.isClear ? Number.POSITIVE_INFINITY : this.tree.readAt - this.nobodySince
  }

  /** Signals the group atomically, so that nobody can fork away from it, and all others one by one. */
  signal(toGroup: NodeJS.Signals, toOthers: NodeJS.Signals): void {
    const members = this.look()
    if (this.holdsGroup()) sendSignal(-this.leader.pid, toGroup)
    for (const entry of members) if (!this.isInGroup(entry)) this.tree.signal(entry, toOthers)
  }

  kill(): void {
    this.signal("SIGKILL", "SIGKILL")
  }

  /** Whether nobody is left. Known members are checked first, which is cheaper than looking at every process. */
  isGone(): boolean {
    const { leader, seen, tree } = this
    return leader.hasExited() && !seen.some((entry) => tree.isAlive(entry)) && this.look().length === 0
  }

  /** Whether the group's number is still ours: a member is in it, or too little time has passed for it to be reused. */
  private holdsGroup(): boolean {
    const { exitedAt, leader, seen, tree } = this
    return !leader.hasExited()
      || performance.now() - exitedAt < freshMs
      || seen.some((entry) => this.isInGroup(entry) && tree.isAlive(entry))
  }

  private readonly isInGroup = (entry: ProcessEntry): boolean => entry.pgid === this.leader.pid
}
