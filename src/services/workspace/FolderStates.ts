/**
 * FolderStates: states of a folder as git trees: its current state, the difference between two states, and restoring one.
 *
 * It uses its own index and never touches the user's; looking at an unchanged folder takes one run of `git ls-files`. Left out,
 * and reported: ignored files, nested repositories and submodules, files above a size limit, unreadable files, and anything that
 * is neither a file nor a link. Steps run one at a time (`alone`).
 */
import { Clock, Effect, Exit, Semaphore } from "effect"
import { accessSync, constants, lstatSync, rmSync, type Stats, statSync } from "node:fs"
import { join } from "node:path"
import { makePause } from "../makePause.js"
import { type Asking, git, GitFailed, updateRef, zeroSeparated } from "./git.js"
import type { Place } from "./place.js"

export type WhyLeftOut = "too_large" | "repository" | "unreadable" | "special"

export interface LeftOut {
  /** From the session's folder. */
  readonly path: string
  readonly why: WhyLeftOut
}

export interface FolderState {
  /** The name of the git tree. */
  readonly tree: string
  readonly left_out: ReadonlyArray<LeftOut>
}

export interface FileChange {
  /** From the session's folder. */
  readonly path: string
  readonly change: "added" | "changed" | "deleted"
  /** Lines; absent if the file is not text. */
  readonly added?: number
  readonly removed?: number
}

/** The same with git's name for it, and its location. */
export interface RawChange extends FileChange {
  readonly name: Buffer
}

export interface FolderStates {
  readonly place: Place
  /** The current state of the folder. */
  readonly look: Effect.Effect<FolderState, GitFailed>
  /** The changes from one tree to another. */
  readonly difference: (from: string, to: string) => Effect.Effect<ReadonlyArray<RawChange>, GitFailed>
  /**
   * Changes the folder from its current state, as last given by `look`, to another. Fails if files were changed since, or,
   * without `force`, if something is in the way; then nothing was changed, or not everything if the disk fails.
   */
  readonly change: (from: string, to: string, force: boolean) => Effect.Effect<void, GitFailed>
  /** Adds refs for trees, so that they stay, and removes others. */
  readonly name: (
    names: ReadonlyArray<readonly [ref: string, tree: string]>,
    forgotten?: ReadonlyArray<string>
  ) => Effect.Effect<void, GitFailed>
  /** Those of these changes that would remove something not saved in any state. */
  readonly inTheWay: (changes: ReadonlyArray<RawChange>) => Effect.Effect<ReadonlyArray<RawChange>, GitFailed>
  readonly alone: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

export interface Bounds {
  /** Largest file saved, in bytes. */
  readonly file_bytes: number
  /** Limits on files new or changed at once: their number, and their total bytes. */
  readonly changed_files: number
  readonly changed_bytes: number
  /** Time limit for reading the folder, in ms. */
  readonly look_ms: number
}

export const usualBounds: Bounds = {
  file_bytes: 10 * 1024 * 1024,
  changed_files: 50_000,
  changed_bytes: 512 * 1024 * 1024,
  look_ms: 30_000
}

interface Found {
  /** Relative to the top. */
  readonly name: Buffer
  /** The index contains it. */
  readonly held: boolean
  /** And considers it unchanged. */
  readonly again?: true
}

/** Left-out files reported by name. */
const mostTold = 200
/** After this long, an index lock counts as left behind by a killed relay. */
const staleMs = 60_000

const slash = 0x2f
/** How `ls-files -t` marks files that are not in the index. */
const other = 0x3f
const namesRepository = /(?:^|\/)\.git(?:\/|$)/i

export const open = (place: Place, bounds: Bounds = usualBounds): FolderStates => {
  const { prefix } = place
  const inside = prefix === "" ? "" : `${prefix}/`
  const pathspec = prefix === "" ? [] : ["--", prefix]
  const turnstile = Semaphore.makeUnsafe(1)
  const naming = Semaphore.makeUnsafe(1)
  const top = Buffer.from(`${place.top}/`)
  /** The index's contents as a tree; undefined while unknown. */
  let tree: string | undefined
  let userIndexSeen: string | undefined
  /**
   * Git compares change times by the second: a file changed again within the second in which it was recorded,
   * to the same size and modification time, would look unchanged. Such files are checked once more: name, and
   * change time in ms.
   */
  let fresh = new Map<string, number>()

  const ask = (args: ReadonlyArray<string>, asking?: Asking) => git(place.git, args, asking)
  const lock = join(place.own, "index.lock")
  /** Runs a command that changes the index; if interrupted, it leaves its lock. */
  const change = (args: ReadonlyArray<string>, asking: Asking) =>
    ask(args, asking).pipe(
      Effect.onExit((exit) =>
        Exit.isSuccess(exit) ? Effect.void : Effect.sync(() => rmSync(lock, { force: true }))
      )
    )
  const absolute = (name: Buffer) => Buffer.concat([top, name])
  /** As reported: relative to the session's folder. */
  const told = (name: Buffer): string => {
    const text = name.toString("utf8")
    return text.startsWith(inside) ? text.slice(inside.length) : text
  }

  const statOf = (path: Buffer): Stats | undefined => {
    try {
      return lstatSync(path)
    } catch {
      return undefined
    }
  }

  /** Checks whether a folder above a name is in fact a link or a file. */
  const makeBeyond = () => {
    const known = new Map<string, boolean>()
    const isFolder = (name: string): boolean => {
      const found = known.get(name)
      if (found !== undefined) return found
      const cut = name.lastIndexOf("/")
      const above = cut === -1 ? true : isFolder(name.slice(0, cut))
      const is = above && statOf(absolute(Buffer.from(name, "latin1")))?.isDirectory() === true
      known.set(name, is)
      return is
    }
    return (name: Buffer) => {
      const cut = name.lastIndexOf(slash)
      return cut !== -1 && !isFolder(name.toString("latin1", 0, cut))
    }
  }

  const isReadable = (path: Buffer): boolean => {
    try {
      accessSync(path, constants.R_OK)
      return true
    } catch {
      return false
    }
  }

  const whyNot = (name: Buffer, stats: Stats): WhyLeftOut | undefined => {
    if (name.at(-1) === slash || stats.isDirectory() || namesRepository.test(name.toString("latin1"))) {
      return "repository"
    }
    if (stats.isSymbolicLink()) return undefined
    if (!stats.isFile()) return "special"
    if (stats.size > bounds.file_bytes) return "too_large"
    return isReadable(absolute(name)) ? undefined : "unreadable"
  }

  /** Ignored files that the user has added to git: looked up when the user's index has changed. */
  const addedThoughIgnored = Effect.gen(function*() {
    const { userIndex } = place
    if (userIndex === undefined) return []
    let stamp: string
    try {
      const { ino, mtimeMs, size } = statSync(userIndex)
      stamp = `${ino} ${mtimeMs} ${size}`
    } catch {
      return []
    }
    if (stamp === userIndexSeen) return []
    const { code, stdout } = yield* git(
      { ...place.git, env: { ...place.git.env, GIT_INDEX_FILE: userIndex } },
      ["ls-files", "-z", "-i", "-c", "--exclude-standard", ...place.excludes, ...pathspec],
      { codes: [0, 1, 128], timeout_ms: bounds.look_ms }
    )
    userIndexSeen = stamp
    return code === 0 ? zeroSeparated(stdout) : []
  })

  const tooMany = (what: string) =>
    new GitFailed({
      why: "too_much",
      reason: `${what} in ${place.top}: more than can be saved before each turn`
    })

  /** Sorts out files that are new, changed or gone since the index was written, each as it must be recorded there. */
  const sortOut = Effect.fnUntraced(function*(found: ReadonlyArray<Found>) {
    const pause = makePause()
    const isBeyond = makeBeyond()
    const noted: Array<Buffer> = []
    const removed: Array<Buffer> = []
    const left_out: Array<LeftOut> = []
    const second = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    let bytes = 0
    for (const { again, held, name } of found) {
      const stats = isBeyond(name) ? undefined : statOf(absolute(name))
      const why = stats === undefined ? undefined : whyNot(name, stats)
      if (why !== undefined && left_out.length < mostTold) {
        left_out.push({ path: told(name).replace(/\/$/, ""), why })
      }
      if (stats !== undefined && why === undefined) {
        bytes += stats.size
        noted.push(name)
        if (Math.floor(stats.ctimeMs / 1000) >= second - 1) fresh.set(name.toString("latin1"), stats.ctimeMs)
        if (again === true) removed.push(name)
      } else if (held) removed.push(name)
      yield* pause
    }
    if (noted.length > bounds.changed_files) return yield* tooMany(`${noted.length} new or changed files`)
    if (bytes > bounds.changed_bytes) return yield* tooMany(`${bytes} bytes in new or changed files`)
    return { noted, removed, left_out }
  })

  const listed = (names: ReadonlyArray<Buffer>) => ({
    input: Buffer.concat(names.flatMap((name) => [name, Buffer.from([0])])),
    timeout_ms: bounds.look_ms
  })

  /** A lock left by a killed relay would block forever. */
  const unlock = Effect.map(Clock.currentTimeMillis, (now) => {
    const stats = statOf(Buffer.from(lock))
    if (stats !== undefined && now - stats.mtimeMs > staleMs) rmSync(lock, { force: true })
  })

  /** Names of files that differ from the index: those in it, and those that are not. */
  const find = Effect.gen(function*() {
    const second = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const { stdout } = yield* ask(
      ["ls-files", "-z", "-t", "-o", "-m", "--exclude-standard", ...place.excludes, ...pathspec],
      { timeout_ms: bounds.look_ms }
    ).pipe(
      Effect.mapError((failure) =>
        failure.why === "too_slow" || failure.why === "too_much"
          ? tooMany("there are too many files")
          : failure
      )
    )
    const more = yield* addedThoughIgnored
    const known = new Map<string, Found>()
    for (const name of more) known.set(name.toString("latin1"), { name, held: false })
    for (const line of zeroSeparated(stdout)) {
      const name = line.subarray(2)
      known.set(name.toString("latin1"), { name, held: line[0] !== other })
    }
    return [...known.values(), ...changedAgain(known, second)]
  })

  const changedAgain = (known: ReadonlyMap<string, Found>, second: number): ReadonlyArray<Found> => {
    const again = [...fresh].filter(([name, ctime]) =>
      !known.has(name) && statOf(absolute(Buffer.from(name, "latin1")))?.ctimeMs !== ctime
    )
    // Until that second has passed, a file may change once more.
    fresh = new Map([...fresh].filter(([, ctime]) => Math.floor(ctime / 1000) >= second - 1))
    return again.map(([name]) => ({ name: Buffer.from(name, "latin1"), held: true, again: true }))
  }

  const look = Effect.gen(function*() {
    const found = yield* find
    if (found.length === 0 && tree !== undefined) return { tree, left_out: [] }
    const { left_out, noted, removed } = yield* sortOut(found)
    if (removed.length > 0 || noted.length > 0) {
      yield* place.demandOwn
      yield* unlock
      tree = undefined
    }
    if (removed.length > 0) {
      yield* change(["update-index", "-z", "--force-remove", "--stdin"], listed(removed))
    }
    if (noted.length > 0) {
      yield* change(["update-index", "-z", "--add", "--remove", "--replace", "--stdin"], listed(noted))
    }
    if (tree === undefined) {
      const { stdout } = yield* ask(["write-tree"], { timeout_ms: bounds.look_ms })
      tree = stdout.toString("utf8").trim()
    }
    return { tree, left_out }
  })

  const words = { A: "added", D: "deleted", M: "changed", T: "changed" } as const

  const difference = Effect.fnUntraced(function*(from: string, to: string) {
    if (from === to) return []
    const { stdout } = yield* ask([
      "diff-tree",
      "-r",
      "-z",
      "--raw",
      "--numstat",
      "--no-renames",
      "--no-ext-diff",
      "--no-textconv",
      from,
      to
    ])
    const fields = zeroSeparated(stdout)
    const changes = new Map<
      string,
      { name: Buffer; change: FileChange["change"]; lines?: [number, number] }
    >()
    for (let at = 0; at < fields.length; at++) {
      const field = fields[at] ?? Buffer.alloc(0)
      const head = field.toString("latin1")
      if (head.startsWith(":")) {
        const name = fields[++at] ?? Buffer.alloc(0)
        const change = words[head.at(-1) as keyof typeof words] ?? "changed"
        changes.set(name.toString("latin1"), { name, change })
        continue
      }
      const [, added = "", removed = "", name = ""] = /^(-|\d+)\t(-|\d+)\t([^]*)$/.exec(head) ?? []
      const found = changes.get(name)
      if (found !== undefined && added !== "-") found.lines = [Number(added), Number(removed)]
    }
    return [...changes.values()].map(({ change, lines, name }): RawChange => ({
      name,
      path: told(name),
      change,
      ...(lines !== undefined && { added: lines[0], removed: lines[1] })
    }))
  })

  const moveTo = (from: string, to: string, force: boolean) =>
    Effect.gen(function*() {
      if (from === to) return
      yield* unlock
      tree = undefined
      yield* change(force ? ["read-tree", "--reset", "-u", to] : ["read-tree", "-m", "-u", from, to], {
        timeout_ms: 10 * 60_000
      })
    })

  /** Files in this folder that are not in the index. */
  const holdsOthers = (name: Buffer) =>
    Effect.map(
      git(place.git, ["ls-files", "-z", "-o", "--", "."], {
        // A name may contain any bytes, an argument may not.
        most_bytes: 64 * 1024 * 1024
      }),
      ({ stdout }) => {
        const inner = Buffer.concat([name, Buffer.from("/")])
        return zeroSeparated(stdout).some((other) => other.subarray(0, inner.length).equals(inner))
      }
    )

  const inTheWay = Effect.fnUntraced(function*(changes: ReadonlyArray<RawChange>) {
    const going = new Set(
      changes.flatMap(({ change, name }) => change === "deleted" ? [name.toString("latin1")] : [])
    )
    /** The nearest existing path above it that is not a folder. */
    const endAbove = (name: Buffer): string | undefined => {
      for (let cut = name.indexOf(slash); cut !== -1; cut = name.indexOf(slash, cut + 1)) {
        const above = name.subarray(0, cut)
        const stats = statOf(absolute(above))
        if (stats?.isDirectory() !== true) return above.toString("latin1")
      }
      return undefined
    }
    const found: Array<RawChange> = []
    for (const change of changes) {
      if (change.change !== "added") continue
      const end = endAbove(change.name)
      if (end !== undefined) {
        const isInNoState = !going.has(end) && statOf(absolute(Buffer.from(end, "latin1"))) !== undefined
        if (isInNoState) found.push(change)
        continue
      }
      const stats = statOf(absolute(change.name))
      if (stats === undefined) continue
      if (!stats.isDirectory() || (yield* holdsOthers(change.name))) found.push(change)
    }
    return found
  })

  const name: FolderStates["name"] = (names, forgotten = []) => {
    if (names.length === 0 && forgotten.length === 0) return Effect.void
    const lines = [
      ...names.map(([ref, tree]) => `update ${ref}\0${tree}\0\0`),
      ...forgotten.map((ref) => `delete ${ref}\0\0`)
    ]
    return naming.withPermits(1)(
      Effect.andThen(
        place.demandOwn,
        Effect.asVoid(
          updateRef(place.refs, ["update-ref", "-z", "--stdin"], { input: Buffer.from(lines.join("")) })
        )
      )
    )
  }

  return {
    place,
    look: Effect.tapError(look, () => Effect.sync(() => void (tree = undefined))),
    difference,
    change: moveTo,
    name,
    inTheWay,
    alone: turnstile.withPermits(1)
  }
}
