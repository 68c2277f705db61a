/** gitIndex: copies of a repository's index, so that the user's own is not written. */
import { Effect } from "effect"
import {
  closeSync,
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  utimesSync
} from "node:fs"
import { join } from "node:path"
import { pipeline } from "node:stream"
import type { Git } from "./git.js"
import type { GitView } from "./gitView.js"
import { refuse, type WorkspaceRefused } from "./WorkspaceRefused.js"

/** With an index of its own, deleted afterwards. */
export const withIndex = <A, E>(seen: GitView, use: (where: Git, index: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(seen.view.env["GIT_DIR"] ?? "", "commit-"))),
    (folder) => {
      const index = join(folder, "index")
      return use({ ...seen.view, env: { ...seen.view.env, GIT_INDEX_FILE: index } }, index)
    },
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

/** Largest index, in bytes: a million files have about 100 MB. */
const longestIndex = 512 * 1024 * 1024

const unreadable = refuse(
  "conflict",
  "the repository's `index` cannot be read as an ordinary file: use git in a terminal"
)

/** Copies in pieces: an index may be large, and others wait for nothing. */
const copyFrom = (fd: number, to: string) =>
  Effect.callback<void, WorkspaceRefused>((resume) => {
    const from = createReadStream("", { fd, autoClose: false, start: 0, end: longestIndex })
    const copying = pipeline(
      from,
      createWriteStream(to, { mode: 0o600 }),
      (error) => resume(error ? Effect.fail(unreadable) : Effect.void)
    )
    return Effect.sync(() => void copying.destroy())
  })

/** A copy of what is staged. A pipe or a device of that name is neither waited for nor read. */
export const copyIndex = ({ view }: GitView, to: string): Effect.Effect<void, WorkspaceRefused> => {
  const from = view.env["GIT_INDEX_FILE"] ?? ""
  return Effect.suspend(() =>
    !existsSync(from) ? Effect.void : Effect.acquireUseRelease(
      Effect.try({
        try: () =>
          openSync(realpathSync(from), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW),
        catch: () => unreadable
      }),
      Effect.fnUntraced(function*(fd) {
        const stat = fstatSync(fd)
        const head = Buffer.alloc(signature.length)
        if (!stat.isFile() || stat.size > longestIndex) return yield* unreadable
        if (
          stat.size > 0 && readSync(fd, head, 0, head.length, 0) > 0 && !head.equals(signature)
        ) return yield* unreadable
        yield* copyFrom(fd, to)
        // Git rereads files that are as new as the index: a copy that is newer would make it miss changes.
        yield* Effect.sync(() => utimesSync(to, stat.atime, new Date(Math.floor(stat.mtimeMs))))
      }),
      (fd) => Effect.sync(() => closeSync(fd))
    )
  )
}

/** What every index begins with. */
const signature = Buffer.from("DIRC")

/** For reading: `git diff` refreshes the index now and then, even without optional locks, so it gets a copy. */
export const onCopy = <A, E>(seen: GitView, look: (seen: GitView) => Effect.Effect<A, E>) =>
  withIndex(seen, (view, index) => Effect.andThen(copyIndex(seen, index), look({ ...seen, view })))
