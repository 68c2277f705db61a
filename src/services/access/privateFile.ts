/**
 * privateFile: a small file of the relay's own that only its user may read. It is replaced as a whole and lasts: a reader
 * meanwhile, or after a kill, sees the old one or the new one.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs"

/** Whether other users can read or write it; undefined: there is no such file. */
export const isOpenToOthers = (file: string): boolean | undefined => {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat && (stat.mode & 0o077) !== 0
}

/** Put JSON in its place; throws what the system says. Its folder has to be there. */
export const replace = (file: string, content: object): void => {
  const draft = `${file}.${process.pid}.new`
  rmSync(draft, { force: true })
  const open = openSync(draft, "wx", 0o600)
  try {
    writeSync(open, `${JSON.stringify(content, null, 2)}\n`)
    fsyncSync(open)
  } finally {
    closeSync(open)
  }
  renameSync(draft, file)
}
