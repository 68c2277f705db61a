/**
 * OutputSentinel: tells when everything was read that a program printed on its terminal before it exited.
 *
 * Node reports the end of a terminal as soon as nobody has it open, and drops unread output. So the relay keeps the program's
 * side open, too. When the program has exited, the relay prints a marker there; everything before the marker is the output.
 */
import { Predicate } from "effect"
import { randomInt } from "node:crypto"
import { closeSync, constants, openSync, writeSync } from "node:fs"

/** How often a full terminal is tried again, in ms. */
const retryMs = 5

export interface OutputSentinel {
  /** Prints the marker; calls `onFailure` if that is not possible. */
  readonly print: (onFailure: () => void) => void
  /** How many bytes come before the marker; undefined if it has not been read yet. */
  readonly placeIn: (read: Buffer) => number | undefined
  readonly close: () => void
}

/** `terminal`: the path of the program's side. Call it at the moment the program starts. */
export const open = (terminal: string): OutputSentinel => {
  const fd = openSync(terminal, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  // Digits, because no terminal setting changes these.
  const mark = Buffer.from(Array.from({ length: 8 }, () => randomInt(1e6, 1e7)).join(""))
  let left = mark
  let retry: NodeJS.Timeout | undefined

  const print = (onFailure: () => void): void => {
    try {
      while (left.length > 0) left = left.subarray(writeSync(fd, left))
    } catch (error) {
      if (!Predicate.hasProperty(error, "code") || error.code !== "EAGAIN") return onFailure()
      retry = setTimeout(() => print(onFailure), retryMs)
    }
  }

  return {
    print,
    placeIn: (read) => {
      const place = read.indexOf(mark)
      return place === -1 ? undefined : place
    },
    close: () => {
      clearTimeout(retry)
      closeSync(fd)
    }
  }
}
