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
  ["safe.directory", "*"]
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
