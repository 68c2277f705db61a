/**
 * home: the folder of the user this runs as. A container may run as somebody of whom nobody has heard: no HOME, and no
 * entry in `/etc/passwd`, which Node answers with an exception wherever a home is asked for. Then a folder below the
 * temporary one is home, for this program and for the agents it starts; whose folder it is is looked at first.
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

const isOurs = (folder: string): boolean => {
  const { mode, uid } = lstatSync(folder, { throwIfNoEntry: false }) ?? {}
  return uid === process.getuid?.() && mode !== undefined && (mode & 0o77) === 0
}

/** The same at each start, so that sessions are found again; another one where somebody else has taken its name. */
const temporaryHome = (): string => {
  const temporary = resolve(tmpdir())
  const folder = join(temporary, `ai-relay-${process.getuid?.() ?? "home"}`)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch {
    // It is there, or cannot be made.
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

/** Set HOME where it is missing, empty or relative. What to tell people, if they should know. */
export const settleHome = (
  env: Record<string, string | undefined> = process.env,
  known: ReadonlyArray<() => string> = [homedir, () => userInfo().homedir]
): string | undefined => {
  if (env["HOME"] !== undefined && isAbsolute(env["HOME"])) return undefined
  // Else Node would take an empty one for an answer.
  delete env["HOME"]
  const home = known.map(quietly).find((folder) => folder !== undefined)
  env["HOME"] = home ?? temporaryHome()
  return home === undefined
    ? `this user has no home folder, so ${env["HOME"]} is used: set HOME, or choose a folder with --state-dir`
    : undefined
}
