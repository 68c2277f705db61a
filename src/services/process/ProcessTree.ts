/**
 * ProcessTree: the processes of this machine, their parents, and which of them carry our marker.
 *
 * On Linux it reads /proc; elsewhere it uses `ps`, which cannot show markers. A zombie counts as gone. A process is identified
 * by pid and start time, so that a signal never reaches a stranger that got the same pid later. Everything is synchronous,
 * because it must work while the relay exits. A scan is shared by all callers in the same turn of the event loop or within
 * some milliseconds, because many sessions may end together.
 */
import { readdirSync, readFileSync } from "node:fs"

export interface ProcessEntry {
  readonly pid: number
  readonly ppid: number
  /** Its process group. */
  readonly pgid: number
  /** When it started, as the system tells it. */
  readonly started: string
}

/** Where processes are read from. */
export interface ProcessSource {
  /** All living processes. */
  readonly list: () => ReadonlyArray<ProcessEntry>
  /** One process at the moment; absent if that is not cheap. */
  readonly read?: (pid: number) => ProcessEntry | undefined
  /**
   * The environment it was started with, `A=1\0B=2\0`; undefined if it cannot be read or does not matter; empty if it cannot be
   * read at the moment, as in the middle of an `execve`.
   */
  readonly environ: (entry: ProcessEntry) => string | undefined
  /** Some processes exited while the last list was read; what they started meanwhile may be missing from it. */
  readonly hasMissed?: () => boolean
  /** How long a list is good enough, in ms; on a busy machine, twice as long as reading it took. */
  readonly reuseMs: number
}

interface Carried {
  readonly started: string
  readonly marker: string
}

/** The variable that every agent gets and all its processes inherit, even those that leave its process group. */
export const markerVariable = "AI_RELAY_SESSION"

export class ProcessTree {
  private entries: ReadonlyMap<number, ProcessEntry> = new Map()
  private byMarker: ReadonlyMap<string, ReadonlyArray<ProcessEntry>> | undefined
  /** Markers of processes in this list that were read once, now or for an earlier list: a process keeps its marker. */
  private carried = new Map<number, Carried>()
  private isUnclear = true
  private byParent: ReadonlyMap<number, ReadonlyArray<ProcessEntry>> | undefined
  private goodUntil = -Infinity
  private isOfThisTurn = false
  /** When reading the list began, in ms of `performance.now()`. */
  readAt = -Infinity

  constructor(private readonly source: ProcessSource) {}

  /**
   * All living processes by pid: as of `now`, in this turn of the event loop, or as of `lately`, which is cheaper; in both cases
   * not from before `since`, in the time of `performance.now()`.
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

  /** All descendants of these processes. */
  descendants(pids: Iterable<number>): ReadonlySet<ProcessEntry> {
    const entries = this.all()
    const children = this.byParent ??= groupBy(entries.values(), (entry) => entry.ppid)
    const found = new Set(Array.from(pids).flatMap((pid) => children.get(pid) ?? []))
    for (const { pid } of found) children.get(pid)?.forEach((child) => found.add(child))
    return found
  }

  /** All processes with this marker in their environment. */
  marked(marker: string): ReadonlyArray<ProcessEntry> {
    return this.markers().get(marker) ?? []
  }

  /** All processes with a marker, by marker. */
  markers(): ReadonlyMap<string, ReadonlyArray<ProcessEntry>> {
    const entries = this.all()
    return this.byMarker ??= this.readMarkers(entries)
  }

  /** The last list whose markers were read leaves no doubt: it is complete, and processes without a marker have none. */
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

  /** When this process started; undefined if it is gone, or if that is not cheap to find out. */
  startOf(pid: number): string | undefined {
    return this.source.read?.(pid)?.started
  }

  /** This process, its parent, and so on, at the moment. */
  *ancestors(pid: number): Iterable<ProcessEntry> {
    const { read = (pid) => this.all().get(pid) } = this.source
    const met = new Set<number>()
    for (let entry = read(pid); entry !== undefined && !met.has(entry.pid); entry = read(entry.ppid)) {
      met.add(entry.pid)
      yield entry
    }
  }

  /** Whether exactly this process still runs. */
  isAlive({ pid, started }: ProcessEntry): boolean {
    const now = this.source.read === undefined ? this.all().get(pid) : this.source.read(pid)
    return now?.started === started
  }

  /** Sends a signal if exactly this process still runs. */
  signal(entry: ProcessEntry, signal: NodeJS.Signals): void {
    if (this.isAlive(entry)) sendSignal(entry.pid, signal)
  }
}

/** Sends a signal to a process, or to a group by its negative number. Ignores processes that are gone. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It is gone, or belongs to somebody else.
  }
}

/** Does this process exist, or, for a negative number, any member of that group? A zombie counts. */
export const isAnyone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return !(cause instanceof Error && "code" in cause && cause.code === "ESRCH")
  }
}

/** Parses /proc/<pid>/stat. The name in it may contain spaces and parentheses, so fields count from the last parenthesis. */
export const parseStat = (stat: string): ProcessEntry | undefined => {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const [state = "", ppid, pgid] = fields
  const started = fields[19]
  if (started === undefined || "ZX".includes(state)) return undefined
  return { pid: Number.parseInt(stat), ppid: Number(ppid), pgid: Number(pgid), started }
}

/** Arguments for `ps`, which a caller runs: only one place starts processes. */
export const psArguments = ["-axo", "pid=,ppid=,pgid=,stat=,lstart="]

const psLine = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+([^Z\s]\S*)\s+(\S.*?)\s*$/gm

/** Parses the output of `ps`, without zombies. */
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

/** Reads /proc; environments only of processes that started at `since` or later. */
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
      Number(started) < oldest || (ppid === kernel && pgid === 0)
        ? undefined
        : readIfThere(`/proc/${pid}/environ`),
    reuseMs: 15
  }
}

const readStat = (pid: number | string) => parseStat(readIfThere(`/proc/${pid}/stat`) ?? "")
/** When this process started: older processes cannot be its children. */
const startedAt = () => readStat("self")?.started ?? "0"

/** Undefined if the process has exited or belongs to another user. */
const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** The parent of kernel threads, which have no environment and no group. */
const kernel = 2

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
