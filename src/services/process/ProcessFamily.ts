/**
 * ProcessFamily: an agent and everything it started.
 *
 * An agent leads a process group of its own, but its tools often run in sessions of theirs and outlive it. They are
 * found as members of its group, by the marker in their environment, and as descendants. A process that was seen once is
 * remembered, because an orphan can no longer be told by its parent. Two kinds escape: an orphan that left the group
 * and dropped the marker before anyone looked, and one outside of the group that forks and ends faster than we look.
 *
 * Free of Effect, because it is also part of the reaper, which has to start at once.
 */
import { isAnyone, type ProcessEntry, type ProcessTree, sendSignal } from "./ProcessTree.js"

/** The agent itself. */
export interface Leader {
  readonly pid: number
  readonly hasExited: () => boolean
}

/** How long after the leader's exit its number has surely not been given to another process, in ms. */
const freshMs = 5000

export class ProcessFamily {
  private seen: ReadonlyArray<ProcessEntry> = []
  private exitedAt = -Infinity
  /** When the first list was read that showed nobody, if no later one showed anybody. */
  private nobodySince: number | undefined
  /** That list showed what everybody carries. */
  private isClear = false

  constructor(
    private readonly tree: ProcessTree,
    readonly leader: Leader,
    readonly marker: string
  ) {}

  /** The leader exited this very moment, or had when a list was read: remember who is left in its group. */
  leaderExited(at = performance.now()): void {
    this.exitedAt = at
    if (isAnyone(-this.leader.pid)) this.look()
  }

  /**
   * Everyone alive. What was seen lately is good enough, unless it is the last time that an orphan's parent lives, or the
   * leader has exited since.
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

  /** It leads, or was found to belong here when somebody last looked. */
  hasSeen({ pid, started }: ProcessEntry): boolean {
    return (pid === this.leader.pid && !this.leader.hasExited())
      || this.seen.some((entry) => entry.pid === pid && entry.started === started)
  }

  /**
   * For how long, in ms, looks have seen nobody: 0 after the first such look, negative when somebody is there; infinite if
   * the last look leaves no doubt.
   */
  quietFor(): number {
    if (this.nobodySince === undefined) return -1
    return this.isClear ? Number.POSITIVE_INFINITY : this.tree.readAt - this.nobodySince
  }

  /** The group gets its signal in one go, so that nobody forks away from it; everyone else one by one. */
  signal(toGroup: NodeJS.Signals, toOthers: NodeJS.Signals): void {
    const members = this.look()
    if (this.holdsGroup()) sendSignal(-this.leader.pid, toGroup)
    for (const entry of members) if (!this.isInGroup(entry)) this.tree.signal(entry, toOthers)
  }

  kill(): void {
    this.signal("SIGKILL", "SIGKILL")
  }

  /** Nobody is left. Those seen before are asked first: that is cheaper than to look at every process. */
  isGone(): boolean {
    const { leader, seen, tree } = this
    return leader.hasExited() && !seen.some((entry) => tree.isAlive(entry)) && this.look().length === 0
  }

  /** The group's number is not another's yet: one of us is in it, or so little time went by; numbers go round. */
  private holdsGroup(): boolean {
    const { exitedAt, leader, seen, tree } = this
    return !leader.hasExited()
      || performance.now() - exitedAt < freshMs
      || seen.some((entry) => this.isInGroup(entry) && tree.isAlive(entry))
  }

  private readonly isInGroup = (entry: ProcessEntry): boolean => entry.pgid === this.leader.pid
}
