/** gitIndex: copies of a repository's index, so that the user's own is not written. */
import { Effect } from "effect"
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
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
const longestIndex = 1024 * 1024 * 1024
/** A copy of what is staged. A pipe or a device of that name is neither waited for nor read. */
export const copyIndex = ({ view }: GitView, to: string): Effect.Effect<void, WorkspaceRefused> =>
  Effect.suspend(() => {
    const from = view.env["GIT_INDEX_FILE"] ?? ""
    let fd: number | undefined
    try {
      if (!existsSync(from)) return Effect.void
      fd = openSync(realpathSync(from), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
      const stat = fstatSync(fd)
      if (stat.isFile() && stat.size <= longestIndex) {
        writeFileSync(to, readFileSync(fd), { mode: 0o600 })
        // Git rereads files that are as new as the index: a copy that is newer would make it miss changes.
        utimesSync(to, stat.atime, new Date(Math.floor(stat.mtimeMs)))
        return Effect.void
      }
    } catch {
      // Reported below.
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
    return Effect.fail(
      refuse("conflict", "the repository's `index` cannot be read as an ordinary file: use git in a terminal")
    )
  })

/** For reading: `git diff` refreshes the index now and then, even without optional locks, so it gets a copy. */
export const onCopy = <A, E>(seen: GitView, look: (seen: GitView) => Effect.Effect<A, E>) =>
  withIndex(seen, (view, index) => Effect.andThen(copyIndex(seen, index), look({ ...seen, view })))
