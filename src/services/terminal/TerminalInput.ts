/**
 * TerminalInput: types into a terminal.
 *
 * node-pty's own `write` blocks the whole relay while a program does not read; here, what does not fit waits in memory, up to a
 * limit. `writeSync` does not block on the descriptor that node-pty opens. Nothing is written after `close`, when the descriptor
 * may belong to another file.
 */
import { Predicate } from "effect"
import { writeSync } from "node:fs"

/** How often a full terminal is tried again, in ms. */
const retryMs = 5
/** Most waiting bytes. */
const maxWaiting = 1024 * 1024

export interface TerminalInput {
  /** Types data; false if too much is already waiting. */
  readonly write: (data: string) => boolean
  /** Drops waiting input and types Ctrl-C. */
  readonly interrupt: () => void
  readonly close: () => void
}

/** `writeTo` gives how many bytes the terminal took, and throws `EAGAIN` while it takes none. */
export const open = (
  fd: number,
  writeTo: (fd: number, bytes: Buffer) => number = writeSync
): TerminalInput => {
  let waiting: Array<Buffer> = []
  let size = 0
  let retry: NodeJS.Timeout | undefined

  const close = () => {
    clearTimeout(retry)
    retry = undefined
    waiting = []
    size = 0
  }

  const push = (): void => {
    retry = undefined
    try {
      for (let [first] = waiting; first !== undefined; [first] = waiting) {
        const written = writeTo(fd, first)
        size -= written
        if (written < first.length) waiting[0] = first.subarray(written)
        else waiting.shift()
      }
    } catch (error) {
      if (Predicate.hasProperty(error, "code") && error.code === "EAGAIN") retry = setTimeout(push, retryMs)
      else close()
    }
  }

  const write = (data: string): boolean => {
    if (size > maxWaiting) return false
    const bytes = Buffer.from(data)
    waiting.push(bytes)
    size += bytes.length
    if (retry === undefined) push()
    return true
  }

  const interrupt = () => {
    close()
    write("\x03")
  }

  return { write, interrupt, close }
}
