/** GitChanges: the changes in a working tree as git sees them. It changes nothing and runs no program of the repository. */
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { ChangedFile, ChangeKind, Changes, FileDiff, UnderWay } from "../../schema/WorkspaceAnswers.js"
import * as FileTree from "./FileTree.js"
import { git, type GitFailed, zeroSeparated } from "./git.js"
import { onCopy } from "./gitIndex.js"
import { commitOf, type GitView, sayFailed } from "./gitView.js"
import { type Inside, isPrivate, partsOf, quoted } from "./insideFolder.js"
import { refuse, type WorkspaceRefused } from "./WorkspaceRefused.js"

const mostTold = 2000
const mostBranches = 200
/** Largest diff, in bytes. */
const longestDiff = 1024 * 1024
const lookMs = 20_000

const noRepository: Changes = { repository: false, branches: [], files: [] }

/** Files left by an unfinished git command. */
const signs: ReadonlyArray<readonly [file: string, what: UnderWay]> = [
  ["rebase-merge", "rebase"],
  ["rebase-apply", "rebase"],
  ["MERGE_HEAD", "merge"],
  ["CHERRY_PICK_HEAD", "cherry-pick"],
  ["REVERT_HEAD", "revert"]
]

export const underWay = ({ repository: { gitDir } }: GitView): UnderWay | undefined =>
  signs.find(([file]) => existsSync(join(gitDir, file)))?.[1]

const kinds: Readonly<Record<string, ChangeKind>> = {
  A: "added",
  M: "changed",
  D: "deleted",
  R: "renamed",
  C: "copied",
  T: "type_changed"
}

interface NamedStatus {
  readonly letter: string
  readonly path: string
  readonly from?: string
}

/** `--name-status -z`: a letter, then one name, or two for a rename. */
const statusesOf = (bytes: Buffer): ReadonlyArray<NamedStatus> => {
  const words = zeroSeparated(bytes).map((word) => word.toString("utf8"))
  const found: Array<NamedStatus> = []
  for (let at = 0; at + 1 < words.length;) {
    const letter = words[at]?.charAt(0) ?? ""
    const first = words[at + 1] ?? ""
    if (letter === "R" || letter === "C") {
      found.push({ letter, from: first, path: words[at + 2] ?? "" })
      at += 3
    } else {
      found.push({ letter, path: first })
      at += 2
    }
  }
  return found
}

const comparing = ["diff", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty"]
const below = ({ inside }: GitView): ReadonlyArray<string> => inside === "" ? [] : ["--", inside]

const compare = (seen: GitView, args: ReadonlyArray<string>) =>
  Effect.map(
    git(seen.view, [...comparing, "-M", "--name-status", "-z", ...args, ...below(seen)], {
      timeout_ms: lookMs
    }),
    ({ stdout }) => statusesOf(stdout)
  )

const untrackedIn = (seen: GitView) =>
  Effect.map(
    git(seen.view, ["ls-files", "-z", "--others", "--exclude-standard", ...below(seen)], {
      timeout_ms: lookMs
    }),
    ({ stdout }) =>
      zeroSeparated(stdout).map((name) => name.toString("utf8")).filter((name) => !name.endsWith("/"))
  )

const branchesIn = ({ refs }: GitView) =>
  Effect.map(
    git(refs, [
      "for-each-ref",
      `--count=${mostBranches}`,
      "--sort=-committerdate",
      "--format=%(refname:short)",
      "refs/heads",
      "refs/remotes"
    ]),
    ({ stdout }) => stdout.toString("utf8").split("\n").filter((name) => name !== "")
  )

/** The differences: from the last commit through the index, or from a given commit. */
export const list = Effect.fn("GitChanges.list")(
  function*(
    inside: Inside,
    seen: GitView | undefined,
    against?: string
  ): Effect.fn.Return<Changes, WorkspaceRefused> {
    if (seen === undefined) return noRepository
    return yield* onCopy(
      seen,
      Effect.fnUntraced(function*(seen) {
        const other = against === undefined ? undefined : yield* commitOf(seen, against)
        const { branches, staged, unstaged, untracked } = yield* Effect.all({
          staged: other === undefined
            ? compare(seen, ["--cached", seen.head ?? seen.emptyTree])
            : Effect.succeed([]),
          unstaged: compare(seen, other === undefined ? [] : [other]),
          untracked: untrackedIn(seen),
          branches: branchesIn(seen)
        }, { concurrency: "unbounded" })
        const files = new Map<string, ChangedFile>()
        const add = (path: string, fields: Partial<ChangedFile>) => {
          if (path.startsWith(seen.inside)) {
            const name = path.slice(seen.inside.length)
            files.set(name, { ...files.get(name), path: name, ...fields })
          }
        }
        for (const [field, statuses] of [["staged", staged], ["unstaged", unstaged]] as const) {
          for (const { from, letter, path } of statuses) {
            const kind = kinds[letter]
            if (letter === "U") add(path, { conflict: true })
            else if (kind !== undefined) {
              const before = from?.startsWith(seen.inside) === true
                ? from.slice(seen.inside.length)
                : undefined
              add(path, { [field]: kind, ...(before !== undefined && { from: before }) })
            }
          }
        }
        for (const path of untracked) add(path, { untracked: true })
        const shown = [...files.values()]
          .filter(({ path }) => !isPrivate(inside, join(inside.folder, path)))
          .toSorted((left, right) => left.path < right.path ? -1 : 1)
        const begun = underWay(seen)
        const changes: Changes = {
          repository: true,
          ...(seen.head !== undefined && { head: seen.head }),
          ...(seen.branch !== undefined && { branch: seen.branch }),
          ...(begun !== undefined && { under_way: begun }),
          ...(other !== undefined && { against: other }),
          branches,
          files: shown.slice(0, mostTold),
          ...(shown.length > mostTold && { truncated: true })
        }
        return changes
      })
    ).pipe(Effect.catchTag("GitFailed", (failed: GitFailed) => Effect.fail(sayFailed(failed))))
  }
)

/** A path in the session's folder as git's pathspec. It need not exist: it may have been deleted. */
export const pathspecOf = (
  inside: Inside,
  seen: GitView,
  path: string
): Effect.Effect<string, WorkspaceRefused> => {
  const parts = partsOf(path)
  if (parts === undefined || parts.length === 0) {
    return Effect.fail(
      refuse("wrong", `${quoted(path)} is not a file in the session's folder: send a path from /changes`)
    )
  }
  return isPrivate(inside, join(inside.folder, ...parts))
    ? Effect.fail(
      refuse("forbidden", `${quoted(path)} belongs to git or the relay and is not shown: choose another file`)
    )
    : Effect.succeed(seen.inside + parts.join("/"))
}

/** A new file as a diff: every line was added. */
const asAdded = (path: string, text: string): string => {
  const lines = text.split("\n")
  const isWhole = lines.at(-1) === ""
  if (isWhole) lines.pop()
  const name = /[\n\r\t"\\]/.test(path) ? JSON.stringify(path) : path
  return [
    `--- /dev/null`,
    `+++ b/${name}`,
    `@@ -0,0 +1,${lines.length} @@`,
    ...lines.map((line) => `+${line}`),
    ...isWhole || lines.length === 0 ? [] : ["\\ No newline at end of file"],
    ""
  ].join("\n")
}

export type Against = { readonly kind: "staged" | "unstaged" } | {
  readonly kind: "commit"
  readonly name: string
}

/** A file's diff: the index against the last commit, the disk against the index, or the disk against a commit. */
export const diff = Effect.fn("GitChanges.diff")(
  function*(
    inside: Inside,
    seen: GitView | undefined,
    path: string,
    against: Against,
    from?: string
  ): Effect.fn.Return<FileDiff, WorkspaceRefused> {
    if (seen === undefined) {
      return yield* refuse("conflict", "this folder is not in a git repository: create one with `git init`")
    }
    return yield* onCopy(
      seen,
      Effect.fnUntraced(function*(seen) {
        const name = yield* pathspecOf(inside, seen, path)
        const before = from === undefined ? [] : [yield* pathspecOf(inside, seen, from)]
        const known = yield* git(seen.view, ["ls-files", "-z", "-s", "--", name])
        const isKnown = known.stdout.length > 0
        if (!isKnown && against.kind !== "staged") {
          // In the commit compared with, it may be a deleted file.
          const other = against.kind === "commit" ? yield* commitOf(seen, against.name) : undefined
          const there = other === undefined
            ? undefined
            : yield* git(seen.view, ["ls-tree", "-z", other, "--", name])
          if (there === undefined || there.stdout.length === 0) return yield* newFile(inside, path)
        }
        // Both sides of a merge in one diff: shown against the last commit.
        const isConflict = isKnown &&
          known.stdout.toString("latin1", 0, 64).split("\t")[0]?.endsWith(" 0") === false
        const base = seen.head ?? seen.emptyTree
        const which = against.kind === "staged"
          ? ["--cached", base]
          : against.kind === "commit"
          ? [yield* commitOf(seen, against.name)]
          : isConflict
          ? [base]
          : []
        const ran = yield* git(
          seen.view,
          [...comparing, "-M", ...which, "--", name, ...before],
          { timeout_ms: lookMs, most_bytes: longestDiff }
        ).pipe(
          Effect.catch((failed) =>
            failed.why === "too_much" || failed.why === "too_slow"
              ? Effect.succeed(undefined)
              : Effect.fail(failed)
          )
        )
        const told: FileDiff = ran === undefined
          ? { path, diff: "", too_large: true }
          : /^Binary files .* differ$/m.test(ran.stdout.toString("utf8").split("\n@@")[0] ?? "")
          ? { path, diff: "", binary: true }
          : { path, diff: ran.stdout.toString("utf8") }
        return told
      })
    ).pipe(Effect.catchTag("GitFailed", (failed: GitFailed) => Effect.fail(sayFailed(failed))))
  }
)

const newFile = Effect.fnUntraced(function*(inside: Inside, path: string) {
  const { binary, next_offset, text = "" } = yield* FileTree.read(inside, path, 0, FileTree.partBytes.most)
  const told: FileDiff = binary === true
    ? { path, diff: "", binary }
    : next_offset !== undefined
    ? { path, diff: "", too_large: true }
    : { path, diff: asAdded(path, text) }
  return told
})
