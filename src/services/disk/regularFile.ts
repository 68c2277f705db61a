/**
 * regularFile: reads a file of the state folder, unless something else stands in its place: reading a pipe would never end, and
 * everybody would wait for a file as large as a disk.
 */
import { readFileSync, statSync } from "node:fs"

/** Far above what a relay writes to any of these. */
const mostBytes = 64 * 1024 * 1024

/** Throws the system's error, or one that says that it is no regular file, or too large. */
export const readRegularBytes = (path: string): Buffer => {
  const stat = statSync(path)
  if (!stat.isFile()) throw new Error(`${path} is not a regular file`)
  if (stat.size > mostBytes) throw new Error(`${path} has more than ${mostBytes / 1024 / 1024} MB`)
  return readFileSync(path)
}

export const readRegular = (path: string): string => readRegularBytes(path).toString("utf8")
