/** NativeDisk: read-only access to this machine's files and processes for readers of native conversations. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync
} from "node:fs"
import { homedir } from "node:os"
import type { FileStamp, NativeFiles, RunningProgram } from "../../adapters/native/NativeFiles.js"
import { relayEnvironment } from "../process/AgentEnvironment.js"
import { openTree } from "../process/machine.js"

const orElse = <A, B>(attempt: () => A, otherwise: B): A | B => {
  try {
    return attempt()
  } catch {
    return otherwise
  }
}

const nothing = Buffer.alloc(0)
/** How long the system's lists of locks and programs are cached, in ms. */
const goodFor = 50

interface Options {
  /** Default: the home folder of this process's user. */
  readonly home?: string
  readonly variables?: Readonly<Record<string, string | undefined>>
  readonly now?: () => number
}

/** A device in the format of /proc/locks, `fe:00`. */
const deviceName = (dev: number): string => {
  const big = BigInt(dev)
  const major = ((big >> 8n) & 0xfffn) | ((big >> 32n) & ~0xfffn)
  const minor = (big & 0xffn) | ((big >> 12n) & ~0xffn)
  return `${major.toString(16).padStart(2, "0")}:${minor.toString(16).padStart(2, "0")}`
}

const lockLine = /FLOCK\s+\S+\s+\S+\s+(\d+)\s+([0-9a-f]+:[0-9a-f]+):(\d+)/g

export const make = (
  {
    home = homedir(),
    now = () => performance.timeOrigin + performance.now(),
    variables = relayEnvironment()
  }: Options = {}
): NativeFiles => {
  const uid = process.getuid?.()
  const isOwn = (owner: number) => uid === undefined || owner === uid
  const tree = openTree()
  const isLinux = process.platform === "linux"

  const entries: NativeFiles["entries"] = (folder) =>
    orElse(
      () =>
        readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
          entry.isDirectory() || entry.isFile() ? [{ name: entry.name, isFolder: entry.isDirectory() }] : []
        ),
      []
    )

  const stamp = (file: string): FileStamp | undefined =>
    orElse(() => {
      const found = lstatSync(file, { throwIfNoEntry: false })
      return found?.isFile() === true && isOwn(found.uid)
        ? { dev: found.dev, ino: found.ino, size: found.size, mtime: found.mtimeMs }
        : undefined
    }, undefined)

  const read: NativeFiles["read"] = (file, from, length) =>
    orElse(() => {
      // Opening a pipe of that name would block the whole relay.
      const opened = openSync(
        file,
        constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)
      )
      try {
        const found = fstatSync(opened)
        if (!found.isFile() || !isOwn(found.uid)) return nothing
        const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, found.size - from)))
        let done = 0
        while (done < bytes.length) {
          const count = readSync(opened, bytes, done, bytes.length - done, from + done)
          if (count === 0) break
          done += count
        }
        return bytes.subarray(0, done)
      } finally {
        closeSync(opened)
      }
    }, nothing)

  const socket: NativeFiles["socket"] = (path) =>
    orElse(() => {
      const real = realpathSync(path)
      const found = lstatSync(real)
      return found.isSocket() && isOwn(found.uid) ? real : undefined
    }, undefined)

  const startOf: NativeFiles["startOf"] = (pid) => {
    if (isLinux) return tree.startOf(pid)
    return tree.all().has(pid) ? "" : undefined
  }

  const isRelays: NativeFiles["isRelays"] = (pid) => {
    for (const ancestor of tree.ancestors(pid)) {
      if (ancestor.pid === process.pid) return true
    }
    return false
  }

  let locks:
    | { readonly until: number; readonly found: ReadonlyArray<readonly [number, string, number]> }
    | undefined
  const readLocks = () => {
    if (locks !== undefined && performance.now() < locks.until) return locks.found
    const text = isLinux ? orElse(() => readFileSync("/proc/locks", "utf8"), "") : ""
    const found = [...text.matchAll(lockLine)].map(([, pid, device = "", inode]) =>
      [Number(pid), device, Number(inode)] as const
    )
    locks = { until: performance.now() + goodFor, found }
    return found
  }

  /** Some file systems report different devices for a file and for its locks. */
  const hasOpen = (pid: number, { dev, ino }: FileStamp) =>
    orElse(() => readdirSync(`/proc/${pid}/fd`), []).some((name) => {
      const file = orElse(() => statSync(`/proc/${pid}/fd/${name}`), undefined)
      return file?.dev === dev && file.ino === ino
    })

  const lockHolder: NativeFiles["lockHolder"] = (file) =>
    readLocks().find(([pid, device, inode]) =>
      inode === file.ino && (device === deviceName(file.dev) || hasOpen(pid, file))
    )?.[0]

  let running: { readonly until: number; readonly found: ReadonlyArray<RunningProgram> } | undefined
  const programs: NativeFiles["programs"] = () => {
    if (running !== undefined && performance.now() < running.until) return running.found
    const found = (isLinux ? orElse(() => readdirSync("/proc"), []) : []).flatMap(
      (name): ReadonlyArray<RunningProgram> => {
        const pid = Number(name)
        if (!Number.isInteger(pid) || pid === process.pid) return []
        return orElse(() => {
          if (!isOwn(statSync(`/proc/${pid}`).uid)) return []
          const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1)
          return argv.length === 0 ? [] : [{ pid, argv, folder: readlinkSync(`/proc/${pid}/cwd`) }]
        }, [])
      }
    ).filter(({ pid }) => !isRelays(pid))
    running = { until: performance.now() + goodFor, found }
    return found
  }

  return {
    home,
    variable: (name) => {
      const value = variables[name]
      return value === "" ? undefined : value
    },
    entries,
    stamp,
    read,
    socket,
    now,
    startOf,
    isRelays,
    lockHolder,
    programs
  }
}
