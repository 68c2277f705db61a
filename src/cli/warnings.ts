/** warnings: unsafe or pointless settings that the operator should know about. */
import { Redacted } from "effect"
import { statSync } from "node:fs"

export interface Started {
  readonly token: Redacted.Redacted
  /** The token is among the arguments of the process. */
  readonly isTokenArgument: boolean
  readonly token_file: string | undefined
  readonly state_dir: string | undefined
  readonly allow_origin: ReadonlyArray<string>
  readonly roots: ReadonlyArray<string>
  readonly sandbox_read?: ReadonlyArray<string>
  readonly sandbox_write?: ReadonlyArray<string>
  /** Names of `--tools` that are no agent's. */
  readonly unknown_tools?: ReadonlyArray<string>
  /** In a container nobody else has an account, and the platform decides the modes of files. */
  readonly isContainer: boolean
}

/** A generated token has 43; sixteen random characters cannot be guessed. */
const fewestLetters = 16

/** Undefined if there is nothing, or if this user may not look. */
const statOf = (path: string) => {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

/** The file's mode; undefined if there is no file. */
const modeOf = (path: string | undefined): number | undefined =>
  path === undefined ? undefined : statOf(path)?.mode

const isFor = (path: string | undefined, mask: number): boolean => ((modeOf(path) ?? 0) & mask) !== 0

/** Warnings, each saying what is wrong and what to do. */
export const warningsOf = (
  {
    allow_origin,
    isContainer,
    isTokenArgument,
    roots,
    sandbox_read = [],
    sandbox_write = [],
    state_dir,
    token,
    token_file,
    unknown_tools = []
  }: Started
): ReadonlyArray<string> => {
  const found: ReadonlyArray<readonly [boolean, string]> = [
    [
      Redacted.value(token).length < fewestLetters,
      `the access token has fewer than ${fewestLetters} characters, so it can be guessed: make one with `
      + "`openssl rand -hex 32`"
    ],
    [
      isTokenArgument,
      "--token shows the token to everyone who can list this machine's processes: use --token-file or AI_RELAY_TOKEN"
    ],
    [
      !isContainer && isFor(token_file, 0o077),
      `other users can read the token in ${token_file}: \`chmod 600 ${token_file}\``
    ],
    [
      !isContainer && isFor(state_dir, 0o022),
      `other users can write to ${state_dir} and so change sessions: \`chmod go-w ${state_dir}\``
    ],
    [
      allow_origin.includes("*"),
      "--allow-origin '*' lets every page on the web use this relay: name the pages that may use it"
    ]
  ]
  const use: ReadonlyArray<readonly [flag: string, paths: ReadonlyArray<string>, lost: string]> = [
    ["--root", roots, "no session can work in it"],
    ["--sandbox-read", sandbox_read, "it has no effect"],
    ["--sandbox-write", sandbox_write, "it has no effect"]
  ]
  const missing = use.flatMap(([flag, paths, lost]) =>
    paths.flatMap((path) => {
      const found = statOf(path)
      if (found === undefined) {
        return [`${flag} ${path} does not exist, so ${lost}: create it or correct the path`]
      }
      return flag === "--root" && !found.isDirectory()
        ? [`${flag} ${path} is not a folder, so ${lost}: name a folder`]
        : []
    })
  )
  return [
    ...found.flatMap(([isSo, sentence]) => isSo ? [sentence] : []),
    ...missing,
    ...unknown_tools.map((tool) =>
      `--tools ${tool} is not the name of an agent: see the column TOOL of ai-relay doctor`
    )
  ]
}
