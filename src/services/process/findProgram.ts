/**
 * findProgram: finds a program before it is started, so that a missing one gets a clear message.
 *
 * It looks where `execvp` would, then in usual places of installers that are often missing from a service's PATH. Relative
 * entries of PATH are skipped: they would run whatever is in the folder the agent works in.
 */
import { accessSync, constants, readdirSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path"
import { fromHome } from "../fromHome.js"
import type { Environment } from "./AgentEnvironment.js"

/** The absolute path of a program, or undefined. A name with a slash is a path relative to `cwd` or to `~`. */
export const findProgram = (command: string, env: Environment, cwd: string): string | undefined =>
  command.includes("/")
    ? [resolve(cwd, fromHome(command))].find(isProgram)
    : [...foldersOf(env), ...usualFolders(env)].map((folder) => join(folder, command)).find(isProgram)

/** The environment with the program's folder in PATH: a script of npm needs the `node` beside it. */
export const withFolderOf = (program: string, env: Environment): Environment => {
  const folder = dirname(program)
  const folders = foldersOf(env)
  return folders.includes(folder) ? env : { ...env, PATH: [...folders, folder].join(delimiter) }
}

const foldersOf = ({ PATH = "/usr/local/bin:/usr/bin:/bin" }: Environment): ReadonlyArray<string> =>
  PATH.split(delimiter).filter(isAbsolute)

const usualFolders = ({ HOME = homedir() }: Environment): ReadonlyArray<string> => {
  const versions = join(HOME, ".nvm/versions/node")
  return [
    join(HOME, ".local/bin"),
    "/usr/local/bin",
    "/opt/homebrew/bin",
    ...newestFirst(filesIn(versions)).map((version) => join(versions, version, "bin"))
  ]
}

const newestFirst = (versions: ReadonlyArray<string>) =>
  versions.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }))

const filesIn = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
