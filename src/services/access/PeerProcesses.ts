/**
 * PeerProcesses: finds out whether an agent's process is at the other end of a connection from this machine.
 *
 * A program that an agent started must not be a client: it could answer its own agent's permission requests. The system's
 * table of sockets (/proc/net/tcp) gives the socket at the other end, the open files of processes tell who has it, and the
 * process tree tells whose process that is.
 *
 * It is cheap for others: nothing is read before there is an agent, connections that arrive together are looked up together,
 * lookups take at most a third of the time, and clients' processes are remembered. Linux only: elsewhere no process counts as
 * an agent's.
 */
import { Effect, Semaphore } from "effect"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { networkInterfaces } from "node:os"
import { firstAgentStarted, isAgents } from "../process/families.js"
import { type ProcessEntry, procSource } from "../process/ProcessTree.js"
import { isLoopback } from "./peers.js"

/** The two ends of a connection, as the relay sees them. */
export interface Ends {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
}

/**
 * `agent`: an agent started it, directly or not. `gone`: it has closed the connection, so nobody can tell any more. `unknown`:
 * perhaps; it hides its open files. `other`: no agent started it, or it is on another machine.
 */
export type Whose = "agent" | "gone" | "unknown" | "other"

export interface PeerProcesses {
  readonly whose: (ends: Ends) => Effect.Effect<Whose>
}

interface Asked {
  readonly ends: Ends
  answer?: Whose
}

interface Socket {
  readonly inode: string
  readonly uid: number
}

const plain = (address = "") => address.replace(/^::ffff:(?=\d+\.)/i, "").split("%", 1)[0] ?? ""

/** A process that does not show its open files. */
interface Hiding {
  readonly uid: number
  readonly whose: Whose
}

/** Whether the other end is on this machine. A program may connect from any of its addresses to any other. */
const isLocal = ({ localAddress, remoteAddress }: Ends) =>
  isLoopback(remoteAddress) || isLoopback(localAddress) || remoteAddress === localAddress
  || Object.values(networkInterfaces()).flatMap((addresses = []) => addresses)
    .some(({ address }) => address === plain(remoteAddress))

/** As the table spells it: an IPv4 address is one little-endian number. */
const hexOf4 = (address: string) =>
  address.split(".").toReversed().map((part) => Number(part).toString(16).padStart(2, "0")).join("")
    .toUpperCase()

/** IPv6: four little-endian numbers. */
const hexOf6 = (address: string): string => {
  const [head = "", tail] = address.split("::")
  const groupsOf = (text: string) => text === "" ? [] : text.split(":")
  const [left, right] = [groupsOf(head), groupsOf(tail ?? "")]
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill("0"), ...right]
  const bytes = groups.flatMap((group) => {
    const text = group.padStart(4, "0").toUpperCase()
    return [text.slice(0, 2), text.slice(2)]
  })
  return [0, 4, 8, 12].map((at) => bytes.slice(at, at + 4).toReversed().join("")).join("")
}

const port = (number: number | undefined) => (number ?? 0).toString(16).padStart(4, "0").toUpperCase()

/** What a line of the tables begins with for this connection, at its other end; an IPv4 one may be in both tables. */
export const keysOf = (
  { localAddress = "", localPort, remoteAddress = "", remotePort }: Ends
): ReadonlyArray<string> => {
  const [remote, local] = [plain(remoteAddress), plain(localAddress)]
  const spell = (hex: (address: string) => string) =>
    `${hex(remote)}:${port(remotePort)} ${hex(local)}:${port(localPort)} `
  if (!remote.includes(".")) return [spell(hexOf6)]
  return [spell(hexOf4), spell((address) => `0000000000000000FFFF0000${hexOf4(address)}`)]
}

const otherWayRound = ({ localAddress, localPort, remoteAddress, remotePort }: Ends): Ends => ({
  localAddress: remoteAddress,
  localPort: remotePort,
  remoteAddress: localAddress,
  remotePort: localPort
})

const readText = (path: string): string => {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}

/** Whose rights a process has; undefined if it has exited. */
const uidOf = (pid: number): number | undefined => {
  const [, effective] = /^Uid:\t\d+\t(\d+)/m.exec(readText(`/proc/${pid}/status`)) ?? []
  return effective === undefined ? undefined : Number(effective)
}

/** A table of sockets, read in another thread since that takes milliseconds; empty if there is none. */
const readTable = (name: "tcp" | "tcp6") =>
  Effect.promise(() => readFile(`/proc/net/${name}`, "latin1").catch(() => ""))

/** The socket at the other end, in a table as it was just now; "closed" if no process has it any more. */
const find = (keys: ReadonlyArray<string>, table: string): Socket | "closed" | undefined => {
  for (const key of keys) {
    const at = table.indexOf(`: ${key}`)
    if (at === -1) continue
    // sl local remote st tx:rx tr:when retrnsmt uid timeout inode
    const fields = table.slice(at + 2, table.indexOf("\n", at)).split(/\s+/)
    const [uid, inode] = [Number(fields[6]), fields[8] ?? "0"]
    return inode === "0" ? "closed" : { inode, uid }
  }
  return undefined
}

/** The sockets of a process, newest first. Throws if its files may not be read. */
const socketsOf = function*(pid: number): Generator<string> {
  for (const fd of readdirSync(`/proc/${pid}/fd`).toReversed()) {
    let target = ""
    try {
      target = readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      // It was closed meanwhile.
    }
    if (target.startsWith("socket:[")) yield target.slice(8, -1)
  }
}

/** The sockets at the other ends of these connections, as they are now. */
const findAll = Effect.fnUntraced(function*(asked: ReadonlyArray<Ends>) {
  const findIn = (table: string) => asked.map((ends) => find(keysOf(ends), table))
  const table = yield* readTable("tcp")
  const found = findIn(table)
  if (!found.includes(undefined)) return found
  const table6 = yield* readTable("tcp6")
  const found6 = findIn(table6)
  // Some systems have no such tables. Where they have any line, a connection without its own end was reset.
  const isKept = /\n./.test(table) || /\n./.test(table6)
  const isOver = (ends: Ends) => {
    const own = keysOf(otherWayRound(ends))
    return isKept && find(own, table) === undefined && find(own, table6) === undefined
  }
  return asked.map((ends, index) => found[index] ?? found6[index] ?? (isOver(ends) ? "closed" : undefined))
})

/** Time slice for looking at processes, in ms. */
const sliceMs = 5
const clientsRemembered = 1000

export const make = (): PeerProcesses => {
  if (process.platform !== "linux") return { whose: () => Effect.succeed("other") }
  const source = procSource("0")
  const uid = process.getuid?.() ?? -1
  /** Start times of processes that belong to no agent, by pid. */
  const clients = new Map<number, string>()
  let waiting: ReadonlyArray<Asked> = []
  const one = Semaphore.makeUnsafe(1)
  /** When the next lookup may begin, in ms of `performance.now()`. */
  let notBefore = 0

  /** Classifies a process by its inherited marks and its ancestors. */
  const classify = (
    entry: ProcessEntry,
    everyone: ReadonlyMap<number, ProcessEntry>,
    first: number
  ): Whose => {
    const met = new Set<number>()
    for (let next: ProcessEntry | undefined = entry; next !== undefined; next = everyone.get(next.ppid)) {
      // A process older than the first agent was not started by one.
      if (Number(next.started) < first || next.pid === process.pid || met.has(next.pid)) return "other"
      const { pid } = next
      met.add(pid)
      if (isAgents(next, () => readText(`/proc/${pid}/environ`))) return "agent"
    }
    return "other"
  }

  const remember = ({ pid, started }: ProcessEntry) => {
    clients.set(pid, started)
    for (const oldest of clients.keys()) {
      if (clients.size <= clientsRemembered) break
      clients.delete(oldest)
    }
  }

  /** Finds the owners of these sockets, known clients first, yielding to other fibers. */
  const ownersOf = Effect.fnUntraced(function*(wanted: ReadonlySet<string>) {
    const found = new Map<string, Whose>()
    const hiding: Array<Hiding> = []
    const left = new Set(wanted)
    let since = performance.now()
    const pause = Effect.suspend(() => {
      if (performance.now() - since <= sliceMs) return Effect.void
      return Effect.callback<void>((resume) => {
        setImmediate(() => {
          since = performance.now()
          resume(Effect.void)
        })
      })
    })
    const look = (entry: ProcessEntry, whose: Whose): boolean => {
      let hasOne = false
      try {
        for (const inode of socketsOf(entry.pid)) {
          if (left.delete(inode)) {
            found.set(inode, whose)
            hasOne = true
          }
          if (left.size === 0) break
        }
      } catch {
        // A process that hides its files may own a socket that no other process has.
        const uid = uidOf(entry.pid)
        if (uid !== undefined) hiding.push({ uid, whose })
      }
      return hasOne
    }
    for (const [pid, started] of [...clients].toReversed()) {
      const entry = source.read?.(pid)
      if (entry?.started !== started) clients.delete(pid)
      else look(entry, "other")
      if (left.size === 0) return { found, hiding }
      yield* pause
    }
    const everyone = new Map(source.list().map((entry) => [entry.pid, entry]))
    const first = firstAgentStarted() ?? Infinity
    const others: Array<ProcessEntry> = []
    for (const entry of everyone.values()) {
      const whose = classify(entry, everyone, first)
      if (whose === "other") others.push(entry)
      else look(entry, whose)
      if (left.size === 0) return { found, hiding }
      yield* pause
    }
    for (const entry of others) {
      if (look(entry, "other")) remember(entry)
      if (left.size === 0) return { found, hiding }
      yield* pause
    }
    return { found, hiding }
  })

  /** Whose a socket is that no process shows. */
  const guess = (socket: Socket | "closed" | undefined, hiding: ReadonlyArray<Hiding>): Whose => {
    if (typeof socket !== "object") return "unknown"
    const suspects = hiding.filter((suspect) => suspect.uid === socket.uid)
    if (suspects.length > 0 && suspects.every(({ whose }) => whose === "agent")) return "agent"
    // Other users' processes cannot be inspected; one of ours that cannot be found is hiding.
    const isForeign = uid !== 0 && socket.uid !== uid
    return isForeign && hiding.every(({ whose }) => whose === "other") ? "other" : "unknown"
  }

  /** Answers all waiting requests. */
  const lookUp = Effect.gen(function*() {
    const pause = notBefore - performance.now()
    if (pause > 0) yield* Effect.sleep(pause)
    const asked = waiting
    const begun = performance.now()
    const all = asked.map(({ ends }) => ends)
    const sockets = yield* findAll(all)
    const { found: owners, hiding } = yield* ownersOf(
      new Set(sockets.flatMap((socket) => typeof socket === "object" ? socket.inode : []))
    )
    const ownerOf = (socket: Socket | "closed" | undefined) =>
      typeof socket === "object" ? owners.get(socket.inode) : undefined
    // It may have been closed while its owner was looked for.
    const isUnclear = sockets.some((socket) => ownerOf(socket) === undefined)
    const afterwards = isUnclear ? yield* findAll(all) : sockets
    asked.forEach((request, index) => {
      const socket = sockets[index]
      const whose = ownerOf(socket)
      request.answer = whose ?? (afterwards[index] === "closed" ? "gone" : guess(socket, hiding))
    })
    waiting = waiting.filter(({ answer }) => answer === undefined)
    const now = performance.now()
    // Requests that arrive meanwhile are looked up together.
    notBefore = now + 2 * (now - begun)
  })

  return {
    whose: (ends) =>
      Effect.suspend(() => {
        if (firstAgentStarted() === undefined) return Effect.succeed("other" as const)
        // Node forgets the addresses of a connection that was closed.
        const { localAddress, localPort, remoteAddress, remotePort } = ends
        if (remoteAddress === undefined) return Effect.succeed("gone" as const)
        if (!isLocal(ends)) return Effect.succeed("other" as const)
        const asked: Asked = { ends: { localAddress, localPort, remoteAddress, remotePort } }
        waiting = [...waiting, asked]
        const answer = Effect.suspend(() => asked.answer === undefined ? lookUp : Effect.void)
        return Effect.map(one.withPermit(answer), () => asked.answer ?? "unknown")
      })
  }
}
