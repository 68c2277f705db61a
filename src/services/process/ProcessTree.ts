/**
 * ProcessTree: which processes live on this machine, who started whom, and who carries our marker.
 *
 * Linux is read from /proc; elsewhere `ps` is asked, which cannot show a marker. A zombie counts as gone. A process is
 * known by pid and start time together, so that a signal never reaches a stranger who was given the pid since.
 * Everything here is synchronous, because it must also work while the relay exits; what one scan saw is shared by all
 * who ask in the same turn of the event loop, or within some milliseconds, because many sessions may end together.
 */
import { readdirSync, readFileSync } from "node:fs"

export interface ProcessEntry {
  readonly pid: number
  readonly ppid: number
  /** Its process group. */
  readonly pgid: number
  /** When it started, in the system's own words. */
  readonly started: string
}

/** Where processes are read from. */
export interface ProcessSource {
  /** All that are alive. */
  readonly list: () => ReadonlyArray<ProcessEntry>
  /** One, as it is now; a source that cannot say it cheaply leaves it out. */
  readonly read?: (pid: number) => ProcessEntry | undefined
  /**
   * The environment it was started with, `A=1\0B=2\0`; undefined: it may not be known, or is of no interest. Empty: it cannot
   * be told now, as in the middle of an `execve`.
   */
  readonly environ: (entry: ProcessEntry) => string | undefined
  /** Some ended while the last list was read; whom they started meanwhile may be in none. */
  readonly hasMissed?: () => boolean
  /** How long a list is good enough, in ms; on a busy machine, twice as long as reading it took. */
  readonly reuseMs: number
}

interface Carried {
  readonly started: string
  readonly marker: string
}

/** The variable every agent is given; all it starts inherit it, even those that leave its process group. */
export const markerVariable = "AI_RELAY_SESSION"

export class ProcessTree {
  private entries: ReadonlyMap<number, ProcessEntry> = new Map()
  private byMarker: ReadonlyMap<string, ReadonlyArray<ProcessEntry>> | undefined
  /** What those of this list carry who were seen with a marker, now or in an earlier list: it stays with them. */
  private carried = new Map<number, Carried>()
  private isUnclear = true
  private byParent: ReadonlyMap<number, ReadonlyArray<ProcessEntry>> | undefined
  private goodUntil = -Infinity
  private isOfThisTurn = false
  /** When the list was read, or began to be; as `performance.now()` tells it. */
  readAt = -Infinity

  constructor(private readonly source: ProcessSource) {}

  /**
   * Everyone alive, by pid: as they are `now`, in this turn of the event loop, or were `lately`, which is cheaper; not as they
   * were before a moment, as `performance.now()` tells it.
   */
  all(when: "now" | "lately" = "lately", since = -Infinity): ReadonlyMap<number, ProcessEntry> {
    const now = performance.now()
    if (now > this.goodUntil || this.readAt < since || (when === "now" && !this.isOfThisTurn)) {
      this.readAt = now
      this.entries = new Map(this.source.list().map((entry) => [entry.pid, entry]))
      this.byMarker = undefined
      this.byParent = undefined
      const read = performance.now()
      this.isOfThisTurn = true
      setImmediate(() => {
        this.isOfThisTurn = false
      }).unref()
      const { reuseMs } = this.source
      this.goodUntil = read + (reuseMs > 0 ? Math.max(reuseMs, 2 * (read - now)) : reuseMs)
    }
    return this.entries
  }

  /** Everyone started by one of these, by those they started, and so on. */
  descendants(pids: Iterable<number>): ReadonlySet<ProcessEntry> {
    const entries = this.all()
    const children = this.byParent ??= groupBy(entries.values(), (entry) => entry.ppid)
    const found = new Set(Array.from(pids).flatMap((pid) => children.get(pid) ?? []))
    for (const { pid } of found) children.get(pid)?.forEach((child) => found.add(child))
    return found
  }

  /** Everyone started with this marker in the environment. */
  marked(marker: string): ReadonlyArray<ProcessEntry> {
    return this.markers().get(marker) ?? []
  }

  /** Everyone who was started with a marker, by marker. */
  markers(): ReadonlyMap<string, ReadonlyArray<ProcessEntry>> {
    const entries = this.all()
    return this.byMarker ??= this.readMarkers(entries)
  }

  /** The list that markers were read of last leaves no doubt: it has everyone, and who shows no marker carries none. */
  isClear(): boolean {
    return !this.isUnclear
  }

  private readMarkers(entries: ReadonlyMap<number, ProcessEntry>) {
    const before = this.carried
    this.carried = new Map()
    this.isUnclear = this.source.hasMissed?.() ?? false
    return groupBy(entries.values(), (entry) => {
      const { pid, started } = entry
      const known = before.get(pid)
      const environ = known?.started === started ? undefined : this.source.environ(entry)
      const marker = known?.started === started ? known.marker : markerIn(environ ?? "")
      if (environ === "") this.isUnclear = true
      if (marker !== undefined) this.carried.set(pid, { started, marker })
      return marker
    })
  }

  /** When this process started; undefined if that cannot be said cheaply, or it is gone. */
  startOf(pid: number): string | undefined {
    return this.source.read?.(pid)?.started
  }

  /** This process, who started it, who started that, and so on, as they are now. */
  *ancestors(pid: number): Iterable<ProcessEntry> {
    const { read = (pid) => this.all().get(pid) } = this.source
    const met = new Set<number>()
    for (let entry = read(pid); entry !== undefined && !met.has(entry.pid); entry = read(entry.ppid)) {
      met.add(entry.pid)
      yield entry
    }
  }

  /** The very same process still runs. */
  isAlive({ pid, started }: ProcessEntry): boolean {
    const now = this.source.read === undefined ? this.all().get(pid) : this.source.read(pid)
    return now?.started === started
  }

  /** Send a signal, if it is still the very same process. */
  signal(entry: ProcessEntry, signal: NodeJS.Signals): void {
    if (this.isAlive(entry)) sendSignal(entry.pid, signal)
  }
}

/** Send a signal to a process, or to a group by its negative number. Nobody there is no fault. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It is gone, or belongs to somebody else.
  }
}

/** Is there such a process, or anyone in a group, by its negative number? A zombie counts. */
export const isAnyone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return !(cause instanceof Error && "code" in cause && cause.code === "ESRCH")
  }
}

/** One line of /proc/<pid>/stat. The name in it may hold spaces and parentheses: fields count from the last one. */
export const parseStat = (stat: string): ProcessEntry | undefined => {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const [state = "", ppid, pgid] = fields
  const started = fields[19]
  if (started === undefined || "ZX".includes(state)) return undefined
  return { pid: Number.parseInt(stat), ppid: Number(ppid), pgid: Number(pgid), started }
}

/** What `ps` is asked for; a caller runs it, because processes are started in one place only. */
export const psArguments = ["-axo", "pid=,ppid=,pgid=,stat=,lstart="]

const psLine = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+([^Z\s]\S*)\s+(\S.*?)\s*$/gm

/** What `ps` answers, without its zombies. */
export const parsePs = (answer: string): ReadonlyArray<ProcessEntry> =>
  Array.from(answer.matchAll(psLine), ([, pid, ppid, pgid, , started = ""]) => ({
    pid: Number(pid),
    ppid: Number(ppid),
    pgid: Number(pgid),
    started
  }))

export const psSource = (runPs: () => string): ProcessSource => ({
  list: () => parsePs(runPs()),
  environ: () => "",
  reuseMs: 100
})

/** Environments are read of those who started at `since` or later. */
export const procSource = (since = startedAt()): ProcessSource => {
  const oldest = Number(since)
  let hasMissed = false
  return {
    list: () => {
      const names = readdirSync("/proc").filter(isNumber)
      const entries = names.flatMap((name) => readStat(name) ?? [])
      hasMissed = entries.length < names.length
      return entries
    },
    read: readStat,
    hasMissed: () => hasMissed,
    environ: ({ pgid, pid, ppid, started }) =>
      Number(started) < oldest || (ppid === kernel && pgid === 0) ? undefined : readEnviron(pid),
    reuseMs: 15
  }
}

const readStat = (pid: number | string) => parseStat(readIfThere(`/proc/${pid}/stat`))
/** Nobody older than this process was started by it. */
const startedAt = () => readStat("self")?.started ?? "0"

const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** Who starts the threads of the system, which have no environment and no group. */
const kernel = 2

const readEnviron = (pid: number): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8")
  } catch {
    // It has ended, or is somebody else's.
    return undefined
  }
}

const isNumber = (name: string) => name >= "0" && name < ":"

const markerPattern = new RegExp(`(?:^|\\0)${markerVariable}=([^\\0]*)`)
export const markerIn = (environ: string): string | undefined => markerPattern.exec(environ)?.[1]

const groupBy = <A, K>(items: Iterable<A>, keyOf: (item: A) => K | undefined): Map<K, Array<A>> => {
  const groups = new Map<K, Array<A>>()
  for (const item of items) {
    const key = keyOf(item)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
