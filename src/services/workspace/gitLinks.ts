/**
 * gitLinks: links in a repository's git folder. Git follows them, so they can show another repository's commits, write another's
 * index, or append to any file that takes the place of a log.
 */
import { Effect } from "effect"
import { lstatSync, realpathSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { Repository } from "./place.js"
import { isInside } from "./unkept.js"

export interface GitLinks {
  /** A link out of the git folder: whatever is written may end up elsewhere. */
  readonly out?: string
  /** A link to a place that may not be used, or does not exist. */
  readonly forbidden?: string
}

/** What git does not open for the relay: other worktrees, submodules, and what only its own programs read. */
const unread = new Set(["worktrees", "modules", "hooks", "lfs", "annex"])
/** More files and folders than this are not looked through: hardly any repository has as many. */
const mostEntries = 500_000

/** The folder of a real path, or the path itself if it is one. */
const folderOf = (real: string): string => lstatSync(real).isDirectory() ? real : dirname(real)

const targetOf = (link: string): string | undefined => {
  try {
    return realpathSync(link)
  } catch {
    return undefined
  }
}

/** Looks through the git folder, as far as git reads it. */
export const linksOf = Effect.fn("gitLinks.linksOf")(function*(
  { commonDir, gitDir }: Repository,
  mayUse: (path: string) => Effect.Effect<boolean>
) {
  const own = [...new Set([commonDir, gitDir])]
  const folders = own.map((path) => ({ path, isTop: true }))
  let out: string | undefined
  let entries = 0
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const { isTop, path: folder } = next
    const found = yield* Effect.orElseSucceed(
      Effect.tryPromise(() => readdir(folder, { withFileTypes: true })),
      () => []
    )
    entries += found.length
    if (entries > mostEntries) return { out: folder, forbidden: folder } satisfies GitLinks
    for (const entry of found) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && !(isTop && unread.has(entry.name))) folders.push({ path, isTop: false })
      if (!entry.isSymbolicLink() || (isTop && unread.has(entry.name))) continue
      const real = targetOf(path)
      if (real !== undefined && own.some((inner) => isInside(real, inner))) continue
      out ??= path
      if (real === undefined || !(yield* mayUse(folderOf(real)))) {
        return { out, forbidden: path } satisfies GitLinks
      }
    }
  }
  const links: GitLinks = out === undefined ? {} : { out }
  return links
})
