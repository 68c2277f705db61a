/**
 * gitView: a read-only view of a repository: its objects, index and files through a git directory of the relay with its own
 * configuration. So reading runs no filter, external diff, text conversion, file-system monitor, pager, alias or hook, whatever
 * the repository's configuration says.
 *
 * A repository with files outside the allowed folders (a `.git` that leads elsewhere, links in it, borrowed objects) is not read.
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, realpathSync } from "node:fs"
import { join, relative, resolve, sep } from "node:path"
import { configured, environment, type Git, git, type GitFailed, quickMs, withSettingsOf } from "./git.js"
import { linksOf } from "./gitLinks.js"
import { quoted } from "./insideFolder.js"
import { excludeFiles, prepareOwn, type Repository, repositoryOf, writeNew } from "./place.js"
import { homes, isInside } from "./unkept.js"
import { refuse, type WorkspaceRefused } from "./WorkspaceRefused.js"

export interface GitView {
  /** Uses our own git directory: nothing in the repository decides what runs. */
  readonly view: Git
  /** Uses the repository itself; only for commands that read names and run nothing. */
  readonly refs: Git
  readonly repository: Repository
  /** A link in the git folder that leads out of it: nothing may be written. */
  readonly link: string | undefined
  /** The session's folder below the top, followed by `/`; "" if it is the same. */
  readonly inside: string
  /** The commit that is checked out; undefined: there is none yet. */
  readonly head: string | undefined
  /** Absent if no branch is checked out. */
  readonly branch: string | undefined
  /** What to compare with if there is no commit. */
  readonly emptyTree: string
}

export interface ViewOptions {
  /** Absolute, real. */
  readonly folder: string
  readonly program: string
  /** A folder of our own. */
  readonly base: string
  readonly mayUse: (path: string) => Effect.Effect<boolean>
}

const emptyTrees: Readonly<Record<string, string>> = {
  sha1: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  sha256: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
}

/** Filters are programs; line endings are not. */
const attributes = "* -filter\n"
const longestFile = 256 * 1024

/** A small regular file as text; "" if it is not one. */
const textOf = (path: string): string => {
  let fd: number | undefined
  try {
    fd = openSync(realpathSync(path), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    const stat = fstatSync(fd)
    return stat.isFile() && stat.size <= longestFile ? readFileSync(fd, "utf8") : ""
  } catch {
    return ""
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** Object folders a repository borrows from. */
const borrowed = (objects: string, depth = 0): ReadonlyArray<string> =>
  depth > 4 ? [] : textOf(join(objects, "info/alternates")).split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => resolve(objects, line))
    .flatMap((other) => [other, ...borrowed(other, depth + 1)])

const isRealFolder = (path: string): boolean => {
  try {
    return lstatSync(path).isDirectory()
  } catch {
    return false
  }
}

const elsewhere = (what: string) =>
  refuse(
    "forbidden",
    `${what} of this repository is outside the allowed folders: start the relay with a --root that contains the whole repository`
  )

/** How the user wants files compared; values that only say yes, no or which line ending. */
const settingsOf = Effect.fnUntraced(function*(refs: Git) {
  const { stdout } = yield* git(withSettingsOf(homes()[0], refs), [
    "config",
    "-z",
    "--get-regexp",
    "^core\\.(autocrlf|eol|filemode|ignorecase|symlinks|precomposeunicode)$"
  ], { codes: [0, 1, 128], timeout_ms: quickMs })
  return stdout.toString("utf8").split("\0").flatMap((line) => {
    const [name = "", value = ""] = line.split("\n", 2)
    return /^(true|false|yes|no|on|off|input|lf|crlf|native|1|0)$/i.test(value)
      ? [[name, value] as const]
      : []
  })
})

/** For clients: what git could not do. */
export const sayFailed = ({ reason, why }: GitFailed): WorkspaceRefused =>
  why === "too_much" || why === "too_slow"
    ? refuse("too_large", `${reason}: look at it with git on the relay's machine`)
    : refuse("conflict", `${reason}: fix it with git on the relay's machine`)

/** Undefined: the folder is in no repository. */
export const open = Effect.fn("gitView.open")(
  function*(
    { base, folder, mayUse, program }: ViewOptions
  ): Effect.fn.Return<GitView | undefined, WorkspaceRefused | GitFailed> {
    const env = environment(base)
    const repository = yield* repositoryOf({ program, cwd: folder, env }, folder)
    if (repository === undefined || repository === "inside") return undefined
    const { commonDir, gitDir, objectFormat, top } = repository
    if (!isInside(folder, top)) return yield* elsewhere("The work tree")
    for (const path of [gitDir, commonDir]) {
      if (!(yield* mayUse(path))) return yield* elsewhere("The `.git` folder")
    }
    const objects = join(commonDir, "objects")
    if (!isRealFolder(objects)) return yield* elsewhere("The objects folder")
    for (const path of borrowed(objects)) {
      if (!(yield* mayUse(path))) return yield* elsewhere("A borrowed objects folder")
    }
    const { forbidden, out } = yield* linksOf(repository, mayUse)
    if (forbidden !== undefined) return yield* elsewhere(`What ${quoted(forbidden)} leads to`)
    const own = join(
      base,
      createHash("sha256").update([top, commonDir, gitDir].join("\0")).digest("hex").slice(0, 32)
    )
    prepareOwn(own, objectFormat, attributes)
    const refs: Git = { program, cwd: top, env: { ...env, GIT_DIR: gitDir, GIT_WORK_TREE: top } }
    const { branch, excludes, head, settings } = yield* Effect.all({
      settings: settingsOf(refs),
      excludes: excludeFiles({ program, cwd: folder, env }, repository),
      head: nameOf(refs, ["rev-parse", "-q", "--verify", "HEAD^{commit}"]),
      branch: nameOf(refs, ["symbolic-ref", "-q", "--short", "HEAD"])
    }, { concurrency: "unbounded" })
    writeNew(
      join(own, "info/exclude"),
      excludes.map((flag) => textOf(flag.replace(/^--exclude-from=/, ""))).join("\n")
    )
    const prefix = relative(top, folder).split(sep).join("/")
    const view: Git = {
      program,
      cwd: top,
      env: {
        ...env,
        GIT_DIR: own,
        GIT_WORK_TREE: top,
        GIT_INDEX_FILE: join(gitDir, "index"),
        GIT_OBJECT_DIRECTORY: objects,
        ...configured([
          // Larger files are compared as binary, not line by line.
          ["core.bigFileThreshold", "8m"],
          ["core.quotePath", "false"],
          ...settings
        ])
      }
    }
    return {
      view,
      refs,
      repository,
      link: out,
      inside: prefix === "" ? "" : `${prefix}/`,
      head,
      branch,
      emptyTree: emptyTrees[objectFormat] ?? ""
    }
  }
)

/** One line; undefined if there is none. */
const nameOf = (where: Git, args: ReadonlyArray<string>) =>
  Effect.map(
    git(where, args, { codes: [0, 1, 128], timeout_ms: quickMs }),
    ({ code, stdout }) => code === 0 ? stdout.toString("utf8").trim() || undefined : undefined
  )

/** The commit a name stands for: a branch, a tag, an id, `HEAD~2`. */
export const commitOf = Effect.fnUntraced(function*({ refs }: GitView, name: string) {
  // A name that begins with a dash would be an option.
  const isName = name.length <= 250 && /^[^-\s:][^\s:\p{Cc}]*$/u.test(name)
  const commit = isName ? yield* nameOf(refs, ["rev-parse", "-q", "--verify", `${name}^{commit}`]) : undefined
  return commit ?? (yield* refuse(
    "missing",
    `git knows no commit ${JSON.stringify(name)} here: name a branch, a tag or a commit of this repository`
  ))
})
