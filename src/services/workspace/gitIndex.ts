/** gitIndex: what is staged, in files of our own. */
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

/** With an index of its own, gone afterwards. */
export const withIndex = <A, E>(seen: GitView, use: (where: Git, index: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(seen.view.env["GIT_DIR"] ?? "", "commit-"))),
    (folder) => {
      const index = join(folder, "index")
      return use({ ...seen.view, env: { ...seen.view.env, GIT_INDEX_FILE: index } }, index)
    },
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

/** Bytes of an index: a million files have about 100 MB. */
const longestIndex = 1024 * 1024 * 1024
/** What is staged, as a file of ours. A pipe or a device of that name is neither waited for nor read. */
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
        // Files as new as the index are read by git, not believed: not one less because of the copy.
        utimesSync(to, stat.atime, new Date(Math.floor(stat.mtimeMs)))
        return Effect.void
      }
    } catch {
      // Said below.
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
    return Effect.fail(
      refuse("conflict", "the repository's `index` cannot be read as an ordinary file: use git in a terminal")
    )
  })

/** `git diff` writes the index anew, now and then, also where it may take no optional lock: a look is given a copy. */
export const onCopy = <A, E>(seen: GitView, look: (seen: GitView) => Effect.Effect<A, E>) =>
  withIndex(seen, (view, index) => Effect.andThen(copyIndex(seen, index), look({ ...seen, view })))
