/**
 * gitCommit: stages files, and commits chosen files or what is staged.
 *
 * If `git commit` would run no programs of the repository (hooks, filters, signing), or none may run, the commit is made with
 * git's plumbing commands, so that nothing in the repository decides what runs. Otherwise it is `git commit` itself, for clients
 * that may run programs.
 */
import { Effect } from "effect"
import { accessSync, constants, readdirSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import type { Commit } from "../../schema/WorkspaceAnswers.js"
import { programEnvironment } from "../process/programEnvironment.js"
import { runProgram } from "../process/runProgram.js"
import {
  type Git,
  git,
  type GitFailed,
  type HookSetting,
  hooksIn,
  listHooks,
  quickMs,
  updateRef,
  zeroSeparated
} from "./git.js"
import { pathspecOf, underWay } from "./GitChanges.js"
import { copyIndex, withIndex } from "./gitIndex.js"
import { type GitView, sayFailed } from "./gitView.js"
import { type Inside, quoted } from "./insideFolder.js"
import { refuse, type WorkspaceRefused } from "./WorkspaceRefused.js"

export interface CommitWanted {
  readonly message: string
  /** Relative to the session's folder, as they are on disk; absent: what is staged. */
  readonly files?: ReadonlyArray<string> | undefined
  /** Run the programs that `git commit` runs. Absent: if there are any, it must be allowed. */
  readonly hooks?: boolean | undefined
  /** The requesting principal may run programs. */
  readonly mayRun: boolean
  /** Why nobody may run a repository's programs here. */
  readonly neverRun?: string | undefined
}

const longestOutput = 1024 * 1024
/** Hooks may run tests. */
const commitMs = 5 * 60_000

/** Hooks that `git commit` looks for. */
const hookNames = new Set([
  "pre-commit",
  "prepare-commit-msg",
  "commit-msg",
  "post-commit",
  "post-index-change",
  "reference-transaction"
])

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Git with the user's own configuration, to read it and for results as in a terminal. */
const asUser = (
  seen: GitView,
  args: ReadonlyArray<string>,
  more: { readonly input?: Buffer; readonly timeout_ms?: number } = {}
) =>
  runProgram({
    program: seen.refs.program,
    args,
    cwd: seen.repository.top,
    env: {
      ...programEnvironment(),
      GIT_TERMINAL_PROMPT: "0",
      GIT_EDITOR: "true",
      GIT_LITERAL_PATHSPECS: "1",
      LC_ALL: "C"
    },
    input: more.input,
    most_bytes: longestOutput,
    timeout_ms: more.timeout_ms ?? quickMs
  }).pipe(Effect.mapError(({ reason }) =>
    refuse("conflict", `${reason}: commit in a terminal on the relay's machine`)
  ))

const settingOf = (seen: GitView, ...args: ReadonlyArray<string>) =>
  Effect.map(
    asUser(seen, ["config", ...args]),
    ({ code, stdout }) => code === 0 ? stdout.toString("utf8").trim() : ""
  )

/** The hooks that settings add to those in the folder (git 2.54); the last value counts. */
const eventsOf = (settings: ReadonlyArray<HookSetting>): ReadonlyArray<string> => {
  const isOff = new Map(
    settings.flatMap(({ hook, name, value }) =>
      name === "enabled" ? [[hook, /^(?:false|no|off|0)$/i.test(value)]] : []
    )
  )
  return settings.flatMap(({ hook, name, value }) =>
    name === "event" && hookNames.has(value) && isOff.get(hook) !== true ? [value] : []
  )
}

/** Programs `git commit` would run for these files, one word each. */
const programsOf = Effect.fnUntraced(function*(seen: GitView, names: ReadonlyArray<string>) {
  const { configured, filters, hooksPath, signs, monitor } = yield* Effect.all({
    configured: Effect.map(asUser(seen, listHooks), ({ stdout }) => hooksIn(stdout)),
    hooksPath: settingOf(seen, "--type=path", "--get", "core.hooksPath"),
    signs: settingOf(seen, "--type=bool", "--get", "commit.gpgSign"),
    monitor: settingOf(seen, "--get", "core.fsmonitor"),
    filters: filtersOf(seen, names)
  }, { concurrency: "unbounded" })
  const hooks = hooksPath === ""
    ? join(seen.repository.commonDir, "hooks")
    : resolve(seen.repository.top, hooksPath)
  let found: ReadonlyArray<string> = []
  try {
    found = readdirSync(hooks).filter((name) => hookNames.has(name) && isExecutable(join(hooks, name)))
  } catch {
    // There are none.
  }
  return {
    filters,
    all: [
      ...[...new Set([...found, ...eventsOf(configured)])].map((name) => `the hook ${name}`),
      ...filters.map((name) => `the filter ${name}`),
      ...signs === "true" ? ["signing"] : [],
      ...monitor !== "" && !/^(true|false|yes|no|on|off|0|1)$/i.test(monitor)
        ? ["the file-system monitor"]
        : []
    ]
  }
})

/** Configured filters that apply to these files. */
const filtersOf = Effect.fnUntraced(function*(seen: GitView, names: ReadonlyArray<string>) {
  if (names.length === 0) return []
  // Not as the user: it reads the index, which would run a file-system monitor.
  const { stdout } = yield* git(seen.refs, ["check-attr", "-z", "--stdin", "filter"], {
    input: Buffer.from(names.join("\0") + "\0")
  }).pipe(Effect.mapError(sayFailed))
  const words = zeroSeparated(stdout).map((word) => word.toString("utf8"))
  const named = new Set(
    words.filter((word, index) => index % 3 === 2 && !["unspecified", "unset", "set"].includes(word))
  )
  const found = yield* Effect.forEach([...named], (name) =>
    Effect.map(
      Effect.all([
        settingOf(seen, "--get", `filter.${name}.clean`),
        settingOf(seen, "--get", `filter.${name}.process`)
      ]),
      (commands) => commands.some((command) => command !== "") ? [name] : []
    ))
  return found.flat()
})

/** The committer as git has it: `Name <email>` and the time. */
const identityOf = Effect.fnUntraced(function*(seen: GitView) {
  const found = yield* Effect.all({
    AUTHOR: asUser(seen, ["-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT"]),
    COMMITTER: asUser(seen, ["-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT"])
  })
  const env: Record<string, string> = {}
  for (const [role, { code, stdout }] of Object.entries(found)) {
    const [, name, email, date] = /^(.*) <(.*)> (\d+ [+-]\d+)$/m.exec(stdout.toString("utf8")) ?? []
    if (code !== 0 || name === undefined || email === undefined || date === undefined) {
      return yield* refuse(
        "conflict",
        "git does not know who commits here: set `git config user.name` and `git config user.email` on the relay's machine"
      )
    }
    env[`GIT_${role}_NAME`] = name
    env[`GIT_${role}_EMAIL`] = email
    env[`GIT_${role}_DATE`] = date
  }
  return env
})

/** Without blank lines at either end. */
const tidied = (message: string): string =>
  message.replaceAll("\r\n", "\n").replaceAll(/[^\S\n]+$/gm, "").replace(/^\n+/, "").trimEnd() + "\n"

const sayConflict = (what: string) =>
  refuse(
    "conflict",
    `a ${what} is in progress in this repository: finish it first, in a terminal or by asking the agent`
  )

const nothing = refuse(
  "conflict",
  "there is nothing to commit: choose files that differ from the last commit"
)

/** Entries as listed by git, `mode … TAB name`; names without an entry are removed from the index. */
const setEntries = Effect.fnUntraced(
  function*({ repository, view }: GitView, names: ReadonlyArray<string>, entries: Buffer) {
    const noObject = "0".repeat(repository.objectFormat === "sha256" ? 64 : 40)
    const there = new Set(
      zeroSeparated(entries).map((line) => line.subarray(line.indexOf(0x09) + 1).toString("utf8"))
    )
    const gone = names.filter((name) => !there.has(name)).map((name) => `0 ${noObject}\t${name}\0`)
    yield* git(view, ["update-index", "-z", "--index-info"], {
      input: Buffer.concat([Buffer.from(gone.join("")), entries])
    })
    yield* git(view, ["update-index", "-q", "--refresh"], { codes: [0, 1] })
  }
)

const lines = (bytes: Buffer) => bytes.toString("utf8").trim()

/** Names that differ between two trees, for the whole repository. */
const changedNames = (where: Git, from: string, to: string) =>
  Effect.map(
    git(where, ["diff-tree", "-r", "-z", "--name-only", "--no-renames", from, to]),
    ({ stdout }) => zeroSeparated(stdout).map((name) => name.toString("utf8"))
  )

/** Uses git's plumbing, so that no program of the repository runs. */
const withoutPrograms = Effect.fnUntraced(
  function*(seen: GitView, message: string, names: ReadonlyArray<string> | undefined) {
    const { emptyTree, head, refs, repository } = seen
    const noObject = "0".repeat(repository.objectFormat === "sha256" ? 64 : 40)
    const who = yield* identityOf(seen)
    const made = yield* withIndex(seen, (where, index) =>
      Effect.gen(function*() {
        if (names === undefined) {
          yield* copyIndex(seen, index)
        } else {
          yield* git(where, ["read-tree", head ?? emptyTree])
          yield* git(where, ["update-index", "--add", "--remove", "-z", "--stdin"], {
            input: Buffer.from(names.join("\0") + "\0")
          })
        }
        const tree = lines((yield* git(where, ["write-tree"])).stdout)
        const changed = yield* changedNames(where, head === undefined ? emptyTree : `${head}^{tree}`, tree)
        if (changed.length === 0) return yield* nothing
        const outside = names === undefined
          ? changed.find((name) => !name.startsWith(seen.inside))
          : undefined
        if (outside !== undefined) {
          return yield* refuse(
            "conflict",
            "files outside the session's folder are staged, too: choose files, or commit in a terminal"
          )
        }
        if (names !== undefined) {
          // Staged as `git add` does, exactly as committed.
          const entries = yield* git(where, ["ls-files", "-s", "-z", "--", ...names])
          yield* setEntries(seen, names, entries.stdout)
        }
        const commit = lines(
          (yield* git({ ...where, env: { ...where.env, ...who } }, [
            "commit-tree",
            tree,
            ...head === undefined ? [] : ["-p", head]
          ], { input: Buffer.from(message) })).stdout
        )
        return { commit, files: changed.length }
      }))
    yield* updateRef({ ...refs, env: { ...refs.env, ...who } }, [
      "-c",
      "core.logAllRefUpdates=true",
      "update-ref",
      "-m",
      `commit${head === undefined ? " (initial)" : ""}: ${message.split("\n", 1)[0] ?? ""}`,
      "HEAD",
      made.commit,
      head ?? noObject
    ])
    return made
  }
)

/** `git add` and `git commit`, as in a terminal. */
const asInTerminal = Effect.fnUntraced(
  function*(seen: GitView, message: string, names: ReadonlyArray<string> | undefined) {
    const paths = ["--pathspec-from-file=-", "--pathspec-file-nul"]
    const input = Buffer.from((names ?? []).join("\0") + "\0")
    const succeed = Effect.fnUntraced(function*(args: ReadonlyArray<string>, input?: Buffer) {
      const { code, stderr, stdout } = yield* asUser(seen, args, {
        timeout_ms: commitMs,
        ...(input !== undefined && { input })
      })
      if (code === 0) return
      const said = [stderr, lines(stdout)].filter((text) => text !== "").join("\n").slice(0, 4000)
      return yield* refuse("conflict", `git ${args[0]} refused: ${said || `exit code ${code}`}`)
    })
    if (names !== undefined) yield* succeed(["add", "--all", ...paths], input)
    yield* names === undefined
      ? succeed(["commit", `--message=${message}`])
      : succeed(["commit", "--only", `--message=${message}`, ...paths], input)
    const commit = lines((yield* git(seen.refs, ["rev-parse", "--verify", "HEAD^{commit}"])).stdout)
    const changed = yield* changedNames(seen.view, seen.head ?? seen.emptyTree, commit)
    return { commit, files: changed.length }
  }
)

const noRepository = refuse(
  "conflict",
  "this folder is not in a git repository: create one with `git init`"
)

/** Git follows links in its folder, so that what it writes may end up anywhere. */
const demandNoLinks = ({ link }: GitView): Effect.Effect<void, WorkspaceRefused> =>
  link === undefined ? Effect.void : Effect.fail(refuse(
    "conflict",
    `git would write through ${
      quoted(link)
    }, a link that leads out of the repository's own files: replace it by what it leads to, or use git in a terminal`
  ))

/** Like `git add` and `git restore --staged`, without running any program of the repository. */
export const stage = Effect.fn("gitCommit.stage")(
  function*(
    inside: Inside,
    seen: GitView | undefined,
    files: ReadonlyArray<string>,
    staged: boolean
  ): Effect.fn.Return<void, WorkspaceRefused> {
    if (seen === undefined) return yield* noRepository
    yield* demandNoLinks(seen)
    const names = yield* Effect.forEach(files, (path) => pathspecOf(inside, seen, path))
    if (names.length === 0) return
    const filters = staged ? yield* filtersOf(seen, names) : []
    if (filters.length > 0) {
      return yield* refuse(
        "conflict",
        `these files go through the filter ${
          filters.join(", ")
        }, which is a program, and would be staged wrongly without it: commit them with hooks, or stage them in a terminal`
      )
    }
    const { head, view } = seen
    const done = staged
      ? git(view, ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"], {
        input: Buffer.from(names.join("\0") + "\0")
      })
      : Effect.flatMap(
        head === undefined
          ? Effect.succeed(Buffer.alloc(0))
          : Effect.map(
            git(view, ["ls-tree", "-r", "-z", "--full-tree", head, "--", ...names]),
            ({ stdout }) => stdout
          ),
        (entries) => setEntries(seen, names, entries)
      )
    yield* Effect.catchTag(done, "GitFailed", (failed: GitFailed) => Effect.fail(sayFailed(failed)))
  }
)

/** Creates the commit; reports which programs of the repository ran. */
export const commit = Effect.fn("gitCommit.commit")(
  function*(
    inside: Inside,
    seen: GitView | undefined,
    wanted: CommitWanted
  ): Effect.fn.Return<Commit, WorkspaceRefused> {
    if (seen === undefined) return yield* noRepository
    yield* demandNoLinks(seen)
    const message = tidied(wanted.message)
    if (message.trim() === "") {
      return yield* refuse("wrong", "the message is empty: describe what the commit does")
    }
    const begun = underWay(seen)
    if (begun !== undefined) return yield* sayConflict(begun)
    const names = wanted.files === undefined
      ? undefined
      : yield* Effect.forEach(wanted.files, (path) => pathspecOf(inside, seen, path))
    if (names?.length === 0) return yield* nothing
    const programs = yield* programsOf(seen, names ?? [])
    const runs = wanted.hooks !== false && programs.all.length > 0
    const listed = programs.all.join(", ")
    if (runs && wanted.neverRun !== undefined) {
      return yield* refuse(
        "conflict",
        `this commit would run ${listed}, and ${wanted.neverRun}: commit without hooks (\`hooks\`: false)`
      )
    }
    if (runs && !wanted.mayRun) {
      return yield* refuse(
        "forbidden",
        `this commit would run ${listed}, which are programs: use a token with the scope \`terminal\`, or commit without hooks (\`hooks\`: false)`
      )
    }
    if (!runs && programs.filters.length > 0) {
      return yield* refuse(
        "conflict",
        `these files go through the filter ${
          programs.filters.join(", ")
        }, which is a program, and would be committed wrongly without it: commit with hooks, or in a terminal`
      )
    }
    return yield* (runs ? asInTerminal(seen, message, names) : withoutPrograms(seen, message, names)).pipe(
      Effect.map(({ commit, files }): Commit => ({
        commit,
        ...(seen.branch !== undefined && { branch: seen.branch }),
        files,
        ran: runs ? programs.all : []
      })),
      Effect.catchTag("GitFailed", (failed: GitFailed) => Effect.fail(sayFailed(failed)))
    )
  }
)
