/**
 * followFile: notices changes of a file by looking at it, on every file system and platform.
 *
 * Unlike `fs.watchFile` it compares with what was read, not with a first look of its own, which would be late when Node's few
 * file threads are busy, and would miss what changed until then.
 */
import { stat, type Stats, statSync } from "node:fs"

const missing = new Set(["ENOENT", "ENOTDIR"])

const codeOf = (cause: unknown) => {
  const { code = "" } = cause as NodeJS.ErrnoException
  return missing.has(code) ? "" : code
}

const markOf = ({ ino, mode, mtimeMs, size }: Stats) => `${ino} ${size} ${mtimeMs} ${mode}`

/** Changes whenever the file does; empty if there is none, and the error's code if it cannot be looked at. */
export const fileMark = (file: string): string => {
  try {
    return markOf(statSync(file))
  } catch (cause) {
    return codeOf(cause)
  }
}

/** Until the returned function is called: calls `onChange` every `everyMs` while the file's mark is not the one of `seen`. */
export const followFile = (
  file: string,
  everyMs: number,
  seen: () => string,
  onChange: () => void
): () => void => {
  let isLooking = false
  let isStopped = false
  const look = () => {
    // A network drive may take its time.
    if (isLooking) return
    isLooking = true
    stat(file, (error, found) => {
      isLooking = false
      if (!isStopped && (error === null ? markOf(found) : codeOf(error)) !== seen()) onChange()
    })
  }
  const timer = setInterval(look, everyMs).unref()
  return () => {
    isStopped = true
    clearInterval(timer)
  }
}
