/**
 * FileFinder: finds files in a folder by words in their names. In a repository these are the files git knows or would add;
 * elsewhere all except those created by tools (such as `node_modules`).
 *
 * The list is cached, and renewed in the background if it is used when no longer fresh, so only the first search waits for it.
 */
import { Clock, Deferred, Effect, Exit, type Scope } from "effect"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import type { FoundFiles } from "../../schema/WorkspaceAnswers.js"
import { makePause } from "../makePause.js"
import { prepare, search, type Searchable } from "./fuzzy.js"
import { git, type GitFailed, zeroSeparated } from "./git.js"
import type { GitView } from "./gitView.js"
import { type Inside, isPrivate } from "./insideFolder.js"
import type { WorkspaceRefused } from "./WorkspaceRefused.js"

/** Files remembered per folder, and folders remembered. */
const mostFiles = 200_000
const mostFolders = 8
/** How long a list is fresh, in ms, or as a multiple of the time it took to make. */
const freshMs = 2000
const freshTimes = 10
/** An older list is not used. */
const staleMs = 10 * 60_000

/** Folders made by tools, never by hand. */
const passedOver = new Set([
  ".git",
  ".hg",
  ".svn",
  ".jj",
  "node_modules",
  "bower_components",
  ".venv",
  "venv",
  "__pycache__",
  ".tox",
  ".mypy_cache",
  ".pytest_cache",
  ".gradle",
  ".terraform",
  ".next",
  ".nuxt",
  ".cache",
  "target",
  "dist"
])

interface List {
  readonly at: number
  /** How long it took to make, in ms. */
  readonly took: number
  readonly files: Searchable
  readonly complete: boolean
}

/** Files git knows or would add, without deleted ones. */
const fromGit = Effect.fnUntraced(function*({ inside, view }: GitView) {
  const { stdout } = yield* git(view, [
    "ls-files",
    "-z",
    "-t",
    "--cached",
    "--others",
    "--deleted",
    "--exclude-standard",
    ...inside === "" ? [] : ["--", inside]
  ], { most_bytes: 64 * 1024 * 1024 })
  const there = new Set<string>()
  const gone = new Set<string>()
  for (const line of zeroSeparated(stdout)) {
    const name = line.toString("utf8", 2)
    // A nested repository is listed as a folder.
    if (name.endsWith("/")) continue
    if (line[0] === 0x52) gone.add(name)
    else there.add(name)
  }
  const paths = [...there].filter((name) => !gone.has(name)).map((name) => name.slice(inside.length))
  return { paths: paths.slice(0, mostFiles), complete: paths.length <= mostFiles }
})

const fromDisk = Effect.fnUntraced(function*(inside: Inside) {
  const pause = makePause()
  const paths: Array<string> = []
  const waiting = [""]
  for (let folder = waiting.shift(); folder !== undefined; folder = waiting.shift()) {
    const base = folder === "" ? "" : `${folder}/`
    try {
      for (const entry of readdirSync(join(inside.folder, folder), { withFileTypes: true })) {
        if (entry.isDirectory()) {
          if (!passedOver.has(entry.name)) waiting.push(base + entry.name)
        } else if (entry.isFile() || entry.isSymbolicLink()) paths.push(base + entry.name)
      }
    } catch {
      // Not readable, or gone.
    }
    if (paths.length > mostFiles || waiting.length > mostFiles) break
    yield* pause
  }
  return { paths: paths.slice(0, mostFiles), complete: waiting.length === 0 && paths.length <= mostFiles }
})

export const make = (scope: Scope.Scope) => {
  const lists = new Map<string, List>()
  const making = new Map<string, Deferred.Deferred<List, WorkspaceRefused | GitFailed>>()

  const keep = (folder: string, list: List) => {
    lists.delete(folder)
    lists.set(folder, list)
    for (const old of [...lists.keys()].slice(0, Math.max(0, lists.size - mostFolders))) lists.delete(old)
  }

  type Look = Effect.Effect<GitView | undefined, WorkspaceRefused | GitFailed>
  const makeList = Effect.fnUntraced(function*(inside: Inside, look: Look) {
    const begun = yield* Clock.currentTimeMillis
    const view = yield* look
    const { complete, paths } = view === undefined ? yield* fromDisk(inside) : yield* fromGit(view)
    const shown = paths.filter((path) => !isPrivate(inside, join(inside.folder, path)))
    const files = prepare(shown)
    const at = yield* Clock.currentTimeMillis
    const list: List = { at, took: at - begun, files, complete }
    keep(inside.folder, list)
    return list
  })

  /** One at a time per folder; continues if nobody waits. */
  const renew = Effect.fnUntraced(function*(inside: Inside, look: Look) {
    const running = making.get(inside.folder)
    if (running !== undefined) return running
    const made = Deferred.makeUnsafe<List, WorkspaceRefused | GitFailed>()
    making.set(inside.folder, made)
    yield* makeList(inside, look).pipe(
      Effect.onExit((exit) => {
        making.delete(inside.folder)
        return Exit.isSuccess(exit)
          ? Deferred.succeed(made, exit.value)
          : Deferred.failCause(made, exit.cause)
      }),
      Effect.exit,
      Effect.forkIn(scope)
    )
    return made
  })

  const find = Effect.fn("FileFinder.find")(
    function*(inside: Inside, look: Look, query: string, limit: number) {
      const now = yield* Clock.currentTimeMillis
      const known = lists.get(inside.folder)
      const age = known === undefined ? Infinity : now - known.at
      const isFresh = known !== undefined && age <= Math.max(freshMs, freshTimes * known.took)
      const renewed = !isFresh ? yield* renew(inside, look) : undefined
      const list = known !== undefined && age < staleMs
        ? known
        : renewed === undefined
        ? undefined
        : yield* Deferred.await(renewed)
      const found: FoundFiles = list === undefined
        ? { files: [], complete: false }
        : { files: search(list.files, query, limit), complete: list.complete }
      return found
    }
  )
  return { find }
}
