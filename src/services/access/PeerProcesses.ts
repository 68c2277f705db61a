/**
 * PeerProcesses: whose process is at the other end of a connection from this machine?
 *
 * A program that an agent started is no person's client: it could answer its own agent's permission requests. The
 * system's table of sockets (/proc/net/tcp) tells the socket at the other end, the open files of processes tell who has
 * it, and the tree of processes whose they are.
 *
 * Cheap for all others: nothing is read before there is an agent; connections that come together are looked up together,
 * at most a third of the time goes into that; and a client's process is remembered. Linux only: elsewhere every process
 * counts as a person's.
 */
import { Effect, Semaphore } from "effect"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { readFile } from "node:fs/promises"
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
 * `agent`: an agent started it, or who was started by one. `unknown`: perhaps; it hides what it has open. `other`: no
 * agent did, or it is on another machine.
 */
export type Whose = "agent" | "unknown" | "other"

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

/** The other end is on this machine: connections to an address of its own come from that address. */
const isLocal = ({ localAddress, remoteAddress }: Ends) =>
  isLoopback(remoteAddress) || (remoteAddress !== undefined && remoteAddress === localAddress)

/** As the table spells it: an IPv4 address is one little-endian number. */
const hexOf4 = (address: string) =>
  address.split(".").toReversed().map((part) => Number(part).toString(16).padStart(2, "0")).join("")
    .toUpperCase()

/** IPv6: four little-endian numbers. */
const hexOf6 = (address: string): string => {
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? []
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
  const [remote, local] = [remoteAddress, localAddress].map((address) =>
    address.replace(/^::ffff:(?=\d+\.)/i, "")
  ) as [string, string]
  const spell = (hex: (address: string) => string) =>
    `${hex(remote)}:${port(remotePort)} ${hex(local)}:${port(localPort)} `
  if (!remote.includes(".")) return [spell(hexOf6)]
  return [spell(hexOf4), spell((address) => `0000000000000000FFFF0000${hexOf4(address)}`)]
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}

/** A table of sockets; empty where there is none. The system takes milliseconds to write it, in another thread. */
const readTable = (name: "tcp" | "tcp6") =>
  Effect.promise(() => readFile(`/proc/net/${name}`, "latin1").catch(() => ""))

/** The socket at the other end, in a table as it was just now. */
const find = (keys: ReadonlyArray<string>, table: string): Socket | undefined => {
  for (const key of keys) {
    const at = table.indexOf(`: ${key}`)
    if (at === -1) continue
    // sl local remote st tx:rx tr:when retrnsmt uid timeout inode
    const fields = table.slice(at + 2, table.indexOf("\n", at)).split(/\s+/)
    const [uid, inode] = [Number(fields[6]), fields[8] ?? "0"]
    if (inode !== "0") return { inode, uid }
  }
  return undefined
}

/** The sockets a process has, newest first; undefined if it may not be known. */
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

/** How long others may wait while processes are looked at, in ms. */
const sliceMs = 5
const clientsRemembered = 1000

export const make = (): PeerProcesses => {
  if (process.platform !== "linux") return { whose: () => Effect.succeed("other") }
  const source = procSource("0")
  const uid = process.getuid?.() ?? -1
  /** Processes that are no agent's, by pid: when they started. */
  const clients = new Map<number, string>()
  let waiting: ReadonlyArray<Asked> = []
  const one = Semaphore.makeUnsafe(1)
  /** When the next look may begin, as `performance.now()` tells it. */
  let notBefore = 0

  /** Whose a process is, by what it inherited and by those who started it. */
  const classify = (
    entry: ProcessEntry,
    everyone: ReadonlyMap<number, ProcessEntry>,
    first: number
  ): Whose => {
    const met = new Set<number>()
    for (let next: ProcessEntry | undefined = entry; next !== undefined; next = everyone.get(next.ppid)) {
      // Who started before the first agent was started by none.
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

  /** Look who has these sockets, clients that are known first. Answers whose each is; others may run meanwhile. */
  const ownersOf = Effect.fnUntraced(function*(wanted: ReadonlySet<string>) {
    const found = new Map<string, Whose | "hidden">()
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
        // Who hides its files may hold what nobody else has.
        if (whose !== "other") found.set("hidden", "hidden")
      }
      return hasOne
    }
    for (const [pid, started] of [...clients].toReversed()) {
      const entry = source.read?.(pid)
      if (entry?.started !== started) clients.delete(pid)
      else look(entry, "other")
      if (left.size === 0) return found
      yield* pause
    }
    const everyone = new Map(source.list().map((entry) => [entry.pid, entry]))
    const first = firstAgentStarted() ?? Infinity
    const others: Array<ProcessEntry> = []
    for (const entry of everyone.values()) {
      const whose = classify(entry, everyone, first)
      if (whose === "other") others.push(entry)
      else look(entry, whose)
      if (left.size === 0) return found
      yield* pause
    }
    for (const entry of others) {
      if (look(entry, "other")) remember(entry)
      if (left.size === 0) return found
      yield* pause
    }
    return found
  })

  /** Answer all who wait now. */
  const lookUp = Effect.gen(function*() {
    const pause = notBefore - performance.now()
    if (pause > 0) yield* Effect.sleep(pause)
    const asked = waiting
    const begun = performance.now()
    const keys = asked.map(({ ends }) => keysOf(ends))
    const table = yield* readTable("tcp")
    const found = keys.map((some) => find(some, table))
    const table6 = found.includes(undefined) ? yield* readTable("tcp6") : ""
    const sockets = found.map((socket, index) => socket ?? find(keys[index] ?? [], table6))
    const owners = yield* ownersOf(new Set(sockets.flatMap((socket) => socket?.inode ?? [])))
    asked.forEach((request, index) => {
      const socket = sockets[index]
      const whose = socket === undefined ? undefined : owners.get(socket.inode)
      // Another user's process may not be looked at; one of ours that cannot be found hides.
      const isForeign = socket !== undefined && uid !== 0 && socket.uid !== uid && !owners.has("hidden")
      request.answer = whose !== undefined && whose !== "hidden" ? whose : isForeign ? "other" : "unknown"
    })
    waiting = waiting.filter(({ answer }) => answer === undefined)
    const now = performance.now()
    // Those who come meanwhile are looked up together.
    notBefore = now + 2 * (now - begun)
  })

  return {
    whose: (ends) =>
      Effect.suspend(() => {
        if (firstAgentStarted() === undefined || !isLocal(ends)) return Effect.succeed("other" as const)
        const asked: Asked = { ends }
        waiting = [...waiting, asked]
        const answer = Effect.suspend(() => asked.answer === undefined ? lookUp : Effect.void)
        return Effect.map(one.withPermit(answer), () => asked.answer ?? "unknown")
      })
  }
}
