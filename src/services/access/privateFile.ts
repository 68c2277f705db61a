/**
 * privateFile: a small file that only the relay's user can read. It is replaced atomically and durably: readers see the old or
 * the new version, even after a kill.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { messageOf } from "../../schema/messageOf.js"
import { readRegular } from "../disk/regularFile.js"

/** Whether other users can read or write the file; undefined: it does not exist. */
export const isOpenToOthers = (file: string): boolean | undefined => {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat && (stat.mode & 0o077) !== 0
}

/** The text of the file; undefined if there is none. Throws an error text that says what to do, or `orElse` that. */
export const read = (file: string, orElse: string): string | undefined => {
  let isOpen: boolean | undefined
  try {
    isOpen = isOpenToOthers(file)
    if (isOpen === undefined) return undefined
    const text = readRegular(file)
    if (!isOpen) return text
  } catch (cause) {
    throw new Error(`${file} cannot be read (${messageOf(cause)}): correct that, or ${orElse}`, { cause })
  }
  throw new Error(
    `other users can read or write ${file}: check what it contains, then \`chmod 600\` it, or ${orElse}`
  )
}

/** Replaces the file with this JSON; throws the system's error. The folder must exist. */
export const replace = (file: string, content: object): void => {
  const draft = `${file}.${process.pid}.new`
  rmSync(draft, { force: true })
  try {
    const open = openSync(draft, "wx", 0o600)
    try {
      // Unlike `writeSync`, it fails if a full disk takes only a part.
      writeFileSync(open, `${JSON.stringify(content, null, 2)}\n`)
      fsyncSync(open)
    } finally {
      closeSync(open)
    }
    renameSync(draft, file)
  } catch (cause) {
    rmSync(draft, { force: true })
    throw cause
  }
}
