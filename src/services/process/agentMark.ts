/**
 * agentMark: a mark that all processes of an agent inherit, whatever happens to their environment, group or parents.
 *
 * On Linux a process passes its core dump filter on to its children. Two of the filter's bits are about memory that does not
 * occur here (DAX); they hold how deeply relays are nested. It is not secret, and a process that knows it can remove it: it
 * finds processes that merely left their parents, as daemons do.
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
    // Some container sandboxes have no such file; then nothing is marked.
  }
}

/** Starts a program that is marked from the beginning: everything this process starts while `start` runs is. */
export const marking = <A>(start: () => A): A => {
  if (own === undefined || ofAgents === undefined) return start()
  write((own & ~bits) | ofAgents)
  try {
    return start()
  } finally {
    write(own)
  }
}

/** Whether a process was started by an agent of a relay at this depth. */
export const isMarked = (pid: number): boolean => {
  const filter = ofAgents === undefined ? undefined : read(pid)
  return filter !== undefined && (filter & bits) === ofAgents
}
