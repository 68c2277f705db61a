/**
 * place: where the states of a session's folder are saved: in its git repository, or in the relay's own objects if there is no
 * repository that may be used.
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readFileSync,
  realpathSync,
  writeFileSync
} from "node:fs"
import { isAbsolute, join, relative, sep } from "node:path"
import { createFolder } from "../disk/createFolder.js"
import {
  attributes,
  configuration,
  environment,
  type Git,
  git,
  GitFailed,
  quickMs,
  withSettingsOf
} from "./git.js"
import { linksOf } from "./gitLinks.js"
import { homes, isInside, whyUnkept } from "./unkept.js"

export interface Place {
  /** Git for the folder, with a directory, an index and a configuration of the relay's own. */
  readonly git: Git
  /** Where refs are stored: the user's repository, or the same as `git`. */
  readonly refs: Git
  /** Git's work tree: the repository's top, or the session's folder. */
  readonly top: string
  /** The session's folder below it, separated by `/`; "" if it is the same. */
  readonly prefix: string
  /** States are stored in the user's repository. */
  readonly inRepository: boolean
  /** The index of the user's repository. */
  readonly userIndex: string | undefined
  /** Arguments of `ls-files` for what to leave out, besides `.gitignore`. */
  readonly excludes: ReadonlyArray<string>
  /** Fails if writing to the repository would change anything outside it: links may appear there at any time. */
  readonly demandOwn: Effect.Effect<void, GitFailed>
  /** Where all of it is stored. */
  readonly own: string
}

/** No states of this folder are saved; a sentence for people. */
export interface Unkept {
  readonly unkept: string
}

export interface Repository {
  readonly gitDir: string
  readonly commonDir: string
  readonly top: string
  readonly objectFormat: string
}

/** The folder's repository; it is only read. */
export const repositoryOf = Effect.fnUntraced(function*(asking: Git, folder: string) {
  const { code, stdout } = yield* git({ ...asking, cwd: folder }, [
    "rev-parse",
    "--is-inside-work-tree",
    "--absolute-git-dir",
    "--show-toplevel",
    "--git-common-dir",
    "--show-object-format"
  ], { codes: [0, 1, 128], timeout_ms: quickMs })
  // A name may contain a newline: then its repository is not used.
  const lines = stdout.toString("utf8").split("\n").slice(0, -1)
  const [inWorkTree, gitDir = "", top = "", common = "", objectFormat = "sha1"] = lines
  if (inWorkTree === "false") return "inside" as const
  if (code !== 0 || lines.length !== 5) return undefined
  const commonDir = isAbsolute(common) ? common : join(folder, common)
  try {
    const repository: Repository = {
      gitDir: realpathSync(gitDir),
      commonDir: realpathSync(commonDir),
      top: realpathSync(top),
      objectFormat
    }
    return repository
  } catch {
    return undefined
  }
})

/** Objects and refs can be written there and are where they seem to be. */
const mayWrite = ({ commonDir }: Repository): boolean =>
  [commonDir, join(commonDir, "objects"), join(commonDir, "refs")].every((folder) => {
    try {
      accessSync(folder, constants.W_OK | constants.X_OK)
      return lstatSync(folder).isDirectory()
    } catch {
      return false
    }
  })

/** A `.gitignore` pattern that matches only this path. */
const patternOf = (path: string) => `/${path.replaceAll(/[\\*?[\]!# ]/g, "\\$&")}`

export interface PlaceOptions {
  /** Absolute, real. */
  readonly folder: string
  readonly state_dir: string
  readonly program: string
  /** Whether a path may be written to; of a repository elsewhere, only its ignore list is used. */
  readonly mayUse: (path: string) => Effect.Effect<boolean>
  /** The user's repository may hold the states. */
  readonly inRepository: boolean
}

/** Writes a file that is missing or has another content. */
export const writeNew = (path: string, text: string) => {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text, { mode: 0o600 })
}

/** A git directory of our own, with these attributes. `git init` would use templates. */
export const prepareOwn = (own: string, objectFormat: string, attributes: string) => {
  for (const folder of ["objects/info", "objects/pack", "refs", "info"]) {
    createFolder(join(own, folder))
  }
  writeNew(join(own, "HEAD"), "ref: refs/heads/none\n")
  writeNew(join(own, "config"), configuration(objectFormat))
  writeNew(join(own, "info/attributes"), attributes)
}

export const find = Effect.fnUntraced(
  function*(options: PlaceOptions): Effect.fn.Return<Place | Unkept, GitFailed> {
    const { folder, inRepository, mayUse, program, state_dir } = options
    const unkept = whyUnkept(folder)
    if (unkept !== undefined) return { unkept }
    const base = join(state_dir, "checkpoints")
    createFolder(base)
    const env = environment(base)
    const asking: Git = { program, cwd: folder, env }
    const repository = yield* repositoryOf(asking, folder)
    if (repository === "inside") {
      return { unkept: `${folder} is inside a git repository's own files, which are not saved` }
    }
    const ignored = repository !== undefined && (yield* isIgnored(asking, repository.top, folder))
    const top = repository === undefined || ignored ? folder : repository.top
    const prefix = relative(top, folder).split(sep).join("/")
    const usesIt = repository !== undefined && inRepository && !ignored && mayWrite(repository)
      && (yield* mayUse(repository.commonDir)) && (yield* linksOf(repository, mayUse)).out === undefined
    // The objects' location determines which index can be used.
    const key = [top, prefix, usesIt ? repository.commonDir : ""].join("\0")
    const own = join(base, "folders", createHash("sha256").update(key).digest("hex").slice(0, 32))
    const objectFormat = usesIt ? repository.objectFormat : "sha1"
    const state = realpathSync(state_dir)
    const excludes = [
      ...isInside(state, folder) && state !== folder
        ? [`--exclude=${patternOf(relative(top, state).split(sep).join("/"))}`]
        : [],
      ...repository === undefined
        ? []
        : yield* excludeFiles(asking, repository)
    ]
    prepareOwn(own, objectFormat, attributes)
    const ours: Git = {
      program,
      cwd: top,
      env: {
        ...env,
        GIT_DIR: own,
        GIT_WORK_TREE: top,
        GIT_INDEX_FILE: join(own, "index"),
        ...(usesIt && { GIT_OBJECT_DIRECTORY: join(repository.commonDir, "objects") })
      }
    }
    return {
      git: ours,
      refs: usesIt
        ? { program, cwd: repository.commonDir, env: { ...env, GIT_DIR: repository.commonDir } }
        : ours,
      top,
      prefix,
      inRepository: usesIt,
      demandOwn: usesIt ? demandNoLinks(repository) : Effect.void,
      userIndex: repository === undefined || ignored ? undefined : join(repository.gitDir, "index"),
      excludes,
      own
    }
  }
)

/** Only links within the git folder. */
const demandNoLinks = (repository: Repository) =>
  Effect.flatMap(
    linksOf(repository, () => Effect.succeed(true)),
    ({ out }) =>
      out === undefined ? Effect.void : new GitFailed({
        why: "refused",
        reason: `${JSON.stringify(out)} leads out of the repository's own files, where states are not written`
      })
  )

const isIgnored = Effect.fnUntraced(function*(asking: Git, top: string, folder: string) {
  if (top === folder) return false
  const { code } = yield* git({ ...asking, cwd: top }, ["check-ignore", "-q", "--", folder], {
    codes: [0, 1, 128],
    timeout_ms: quickMs
  })
  return code === 0
})

/** The user's ignore files outside the work tree: the repository's own, and the global one. */
export const excludeFiles = Effect.fnUntraced(function*(asking: Git, { commonDir }: Repository) {
  const { code, stdout } = yield* git(
    withSettingsOf(homes()[0], asking),
    ["config", "--type=path", "--get", "core.excludesFile"],
    { codes: [0, 1, 128], timeout_ms: quickMs }
  )
  const named = code === 0 ? stdout.toString("utf8").trim() : ""
  const usual = homes().map((home) => join(home, ".config/git/ignore"))
  return [join(commonDir, "info/exclude"), ...named === "" ? usual : [named]]
    .filter((path) => isAbsolute(path) && isFile(path))
    .map((path) => `--exclude-from=${path}`)
})

const isFile = (path: string): boolean => {
  try {
    return lstatSync(realpathSync(path)).isFile()
  } catch {
    return false
  }
}
