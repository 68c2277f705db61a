/**
 * createFolder: creates a folder with all above it, unless it is there. Node's own way to do this never ends where the system lets
 * nobody create anything, as in `/proc`: it takes the error for a missing parent.
 */
import { existsSync, mkdirSync, statSync } from "node:fs"
import { dirname } from "node:path"

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** Only its user can use what is created. Throws the system's error. */
export const createFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (cause) {
    if (isFolder(folder)) return
    const above = dirname(folder)
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT" || existsSync(above)) throw cause
    createFolder(above)
    createFolder(folder)
  }
}
