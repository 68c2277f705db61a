/** unkept: folders that are not projects, so their states are not saved; decided without reading them. */
import { realpathSync } from "node:fs"
import { homedir } from "node:os"
import { isAbsolute, parse, relative, sep } from "node:path"

export const isInside = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/** The home of the relay's user, if there is one. */
export const homes = (): ReadonlyArray<string> => {
  try {
    return [realpathSync(homedir())]
  } catch {
    return []
  }
}

/** Whether it is a home folder, or contains homes or the whole machine; a sentence for people. */
export const whyUnkept = (folder: string): string | undefined =>
  folder === parse(folder).root || homes().some((home) => isInside(home, folder))
    ? `${folder} is a home folder, or contains one: to have file states saved, open the session in a project's folder`
    : undefined
