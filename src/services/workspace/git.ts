/**
 * git: runs git so that neither the folder nor anybody's settings decide what it runs.
 *
 * It uses a git directory of the relay with its own configuration: no hooks, filters, fsmonitor, signing or pager, no user or
 * system configuration, and no `GIT_` variables of the relay. Files are taken byte by byte: line endings, encodings, `$Id$` and
 * large-file pointers are not converted (`attributes`).
 */
import { Effect, Schema } from "effect"
import { ownPath, type Ran, runProgram } from "../process/runProgram.js"

/** Git failed; `reason` says why. */
export class GitFailed extends Schema.TaggedError<GitFailed>()("GitFailed", {
  why: Schema.Literals(["not_started", "too_much", "too_slow", "refused"]),
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

export interface Git {
  /** The program's absolute path. */
  readonly program: string
  /** Its working folder. */
  readonly cwd: string
  /** In addition to the common ones. */
  readonly env: Readonly<Record<string, string>>
}

/** For what takes milliseconds, unless a repository's settings include a pipe that nobody writes to. */
export const quickMs = 5000

export interface Asking {
  readonly input?: Buffer
  readonly most_bytes?: number
  readonly timeout_ms?: number
  /** Exit codes that count as an answer; default 0. */
  readonly codes?: ReadonlyArray<number>
}

/** Overrides every `.gitattributes` in the folder: files are taken unchanged. */
export const attributes = "* -text !eol -filter -ident !working-tree-encoding !diff !merge\n"

/** The configuration of our own git directory. */
export const configuration = (objectFormat: string) =>
  `[core]
	repositoryformatversion = ${objectFormat === "sha1" ? 0 : 1}
	bare = false
	filemode = true
	symlinks = true
	ignorecase = false
	precomposeunicode = false
	protectNTFS = false
	protectHFS = false
	autocrlf = false
	safecrlf = false
	fsmonitor = false
	untrackedCache = false
	hooksPath = /dev/null
	logAllRefUpdates = false
[gc]
	auto = 0
[index]
	version = 2
${objectFormat === "sha1" ? "" : `[extensions]\n\tobjectFormat = ${objectFormat}\n`}`

/** The same for all commands. `home` contains no configuration. */
export const environment = (home: string): Readonly<Record<string, string>> => ({
  PATH: ownPath(),
  HOME: home,
  XDG_CONFIG_HOME: home,
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_LITERAL_PATHSPECS: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_NO_LAZY_FETCH: "1",
  // Blocks fetching in versions that do not know the line above too: a remote's settings may name a program.
  GIT_ALLOW_PROTOCOL: "none",
  GIT_PAGER: "cat",
  GIT_ADVICE: "0"
})

/** The same place with the configuration of the user whose home this is, for reading their settings. */
export const withSettingsOf = (home: string | undefined, where: Git): Git => {
  const { GIT_CONFIG_GLOBAL: _, HOME: __, XDG_CONFIG_HOME: ___, ...rest } = where.env
  return { ...where, env: { ...rest, ...(home !== undefined && { HOME: home }) } }
}

/** Settings that a repository's own configuration must not decide. */
const overrides = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.logAllRefUpdates", "false"],
  ["core.alternateRefsCommand", "true"],
  ["gc.auto", "0"],
  ["safe.directory", "*"],
  // Hooks can be settings since git 2.54; an event is switched off since 2.55, before that only each hook by its name.
  ["hook.reference-transaction.enabled", "false"]
].flatMap(([name, value]) => ["-c", `${name}=${value}`])

/** Run git; fails with its error message. */
export const git = (
  where: Git,
  args: ReadonlyArray<string>,
  { codes = [0], input, most_bytes = 16 * 1024 * 1024, timeout_ms = 30_000 }: Asking = {}
): Effect.Effect<Ran, GitFailed> =>
  runProgram({
    program: where.program,
    args: [...overrides, ...args],
    cwd: where.cwd,
    env: where.env,
    input,
    most_bytes,
    timeout_ms
  }).pipe(
    Effect.mapError(({ reason, why }) => new GitFailed({ why, reason })),
    Effect.flatMap((ran) =>
      codes.includes(ran.code) ? Effect.succeed(ran) : new GitFailed({
        why: "refused",
        reason: `git ${args[0] ?? ""} failed: ${ran.stderr || `exit code ${ran.code}`}`
      })
    )
  )

/** Variables that set git's configuration. */
export const configured = (
  settings: ReadonlyArray<readonly [string, string]>
): Readonly<Record<string, string>> => ({
  GIT_CONFIG_COUNT: String(settings.length),
  ...Object.fromEntries(settings.flatMap(([name, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, name],
    [`GIT_CONFIG_VALUE_${index}`, value]
  ]))
})

/** A hook in the settings: its own name, and a setting of it. */
export interface HookSetting {
  readonly hook: string
  readonly name: "command" | "enabled" | "event"
  readonly value: string
}

/** Arguments that list the settings of hooks, and how to read the answer. */
export const listHooks = ["config", "-z", "--get-regexp", "^hook\\..*\\.(command|enabled|event)$"]
export const hooksIn = (bytes: Buffer): ReadonlyArray<HookSetting> =>
  zeroSeparated(bytes).flatMap((line) => {
    const [, hook, name, value = "true"] =
      /^hook\.([^]*?)\.(command|enabled|event)(?:\n([^]*))?$/.exec(line.toString("utf8")) ?? []
    return hook === undefined ? [] : [{ hook, name: name as HookSetting["name"], value }]
  })

/** Changes refs, by `update-ref`, without running any hook. */
export const updateRef = Effect.fnUntraced(
  function*(where: Git, args: ReadonlyArray<string>, asking?: Asking) {
    const hooks = hooksIn((yield* git(where, listHooks, { codes: [0, 1] })).stdout)
    // Such a name cannot be passed on, so the hook could not be switched off.
    const unreadable = hooks.find(({ hook }) => hook.includes("\uFFFD"))
    if (unreadable !== undefined) {
      return yield* new GitFailed({
        why: "refused",
        reason: `the hook ${unreadable.hook} has a name that is not UTF-8`
      })
    }
    const off = [...new Set(hooks.map(({ hook }) => hook))].map((hook) =>
      [`hook.${hook}.enabled`, "false"] as const
    )
    return yield* git({ ...where, env: { ...where.env, ...configured(off) } }, args, asking)
  }
)

/** The texts between zero bytes; names may contain any bytes. */
export const zeroSeparated = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const found: Array<Buffer> = []
  let from = 0
  for (let to = bytes.indexOf(0); to !== -1; to = bytes.indexOf(0, from)) {
    if (to > from) found.push(bytes.subarray(from, to))
    from = to + 1
  }
  return found
}
