/** regularFile: reads a file of the state folder, unless something else stands in its place: reading a pipe would never end. */
import { readFileSync, statSync } from "node:fs"

/** Throws the system's error, or one that says that it is no regular file. */
export const readRegularBytes = (path: string): Buffer => {
  if (!statSync(path).isFile()) throw new Error(`${path} is not a regular file`)
  return readFileSync(path)
}

export const readRegular = (path: string): string => readRegularBytes(path).toString("utf8")
