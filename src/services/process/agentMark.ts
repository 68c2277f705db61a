/**
 * agentMark: a mark that everything an agent starts inherits, whatever it does to its environment, its group or its
 * parents.
 *
 * Linux hands a process's filter of core dumps on to all it starts. Two of its bits speak of memory that no program has
 * here (DAX): in them stands how many relays are one inside of another. It is no secret, and who knows of it can take it
 * off: it finds those who only went away from their parents, as daemons do.
 */
import { readFileSync, writeFileSync } from "node:fs"

const bits = 0x180
const level = 0x80

const read = (pid: number | "self"): number | undefined => {
  try {
    const filter = Number.parseInt(readFileSync(`/proc/${pid}/coredump_filter`, "latin1"), 16)
    return Number.isNaN(filter) ? undefined : filter
  } catch {
    return undefined
  }
}

const own = process.platform === "linux" ? read("self") : undefined
const ofAgents = own === undefined ? undefined : ((own & bits) + level) & bits

const write = (filter: number): void => {
  try {
    writeFileSync("/proc/self/coredump_filter", `0x${filter.toString(16)}`)
  } catch {
    // Some sandboxes for containers have no such file: then nothing is marked.
  }
}

/** Start a program, marked from its first moment on: while `start` runs, whatever this process starts is. */
export const marking = <A>(start: () => A): A => {
  if (own === undefined || ofAgents === undefined) return start()
  write((own & ~bits) | ofAgents)
  try {
    return start()
  } finally {
    write(own)
  }
}

/** Was it started by an agent of a relay as deep as this one? */
export const isMarked = (pid: number): boolean => {
  const filter = ofAgents === undefined ? undefined : read(pid)
  return filter !== undefined && (filter & bits) === ofAgents
}
