/**
 * home: makes sure there is a home folder. A container may run as a user without HOME and without an entry in `/etc/passwd`;
 * Node throws wherever such a user's home is asked for. A folder below the temporary one then serves as home for this program
 * and the agents it starts, if it belongs to this user.
 */
import { lstatSync, mkdirSync, mkdtempSync } from "node:fs"
import { homedir, tmpdir, userInfo } from "node:os"
import { isAbsolute, join, resolve } from "node:path"

const quietly = (read: () => string): string | undefined => {
  try {
    const folder = read()
    return isAbsolute(folder) ? folder : undefined
  } catch {
    return undefined
  }
}

/** Whether this folder is there and this user's. `closed`: the rights that others must not have; by default, all. */
export const isOurs = (folder: string, closed = 0o77): boolean => {
  const { mode, uid } = lstatSync(folder, { throwIfNoEntry: false }) ?? {}
  return uid === process.getuid?.() && mode !== undefined && (mode & closed) === 0
}

/** The same folder at each start, so that sessions are found again; a fresh one if another user has taken the name. */
const temporaryHome = (): string => {
  const temporary = resolve(tmpdir())
  const folder = join(temporary, `ai-relay-${process.getuid?.() ?? "home"}`)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch {
    // It exists, or cannot be created.
  }
  return isOurs(folder) ? folder : mkdtempSync(join(temporary, "ai-relay-"))
}

const ownFolders = {
  XDG_STATE_HOME: ".local/state",
  XDG_CONFIG_HOME: ".config",
  XDG_CACHE_HOME: ".cache"
} as const

/** Where this user keeps such things. A variable that is relative counts for nothing, as those who made it up say. */
export const ownFolder = (
  name: keyof typeof ownFolders,
  env: Readonly<Record<string, string | undefined>> = process.env
): string => {
  const given = env[name] ?? ""
  return isAbsolute(given) ? given : join(homedir(), ownFolders[name])
}

/** The user this runs as: by name, or by number where there is none of that number. */
export const userName = (known: () => string = () => userInfo().username): string => {
  try {
    return known()
  } catch {
    return String(process.getuid?.() ?? "")
  }
}

/** Sets HOME if it is missing, empty or relative. Gives a warning to print, if there is one. */
export const settleHome = (
  env: Record<string, string | undefined> = process.env,
  known: ReadonlyArray<() => string> = [homedir, () => userInfo().homedir]
): string | undefined => {
  if (env["HOME"] !== undefined && isAbsolute(env["HOME"])) return undefined
  // Node would accept an empty HOME.
  delete env["HOME"]
  const home = known.map(quietly).find((folder) => folder !== undefined)
  env["HOME"] = home ?? temporaryHome()
  return home === undefined
    ? `this user has no home folder, so ${env["HOME"]} is used: set HOME, or choose a folder with --state-dir`
    : undefined
}

/** Whether the current folder exists and its path can be read. */
export const isSomewhere = (): boolean => {
  try {
    return process.cwd() !== ""
  } catch {
    return false
  }
}
