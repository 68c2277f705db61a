/**
 * marker: the value of the variable that tells whose a process is: its relay, then its session.
 *
 * A relay is named by its pid and start time, because pids are used again, and by its pid namespace, because a machine
 * also sees the processes of its containers, under other numbers: of a relay in another namespace nobody can say whether
 * it is alive. Where no start times can be had cheaply (macOS), no marker can be read either, and none names a relay.
 */
import { randomUUID } from "node:crypto"
import { readlinkSync } from "node:fs"
import type { ProcessTree } from "./ProcessTree.js"

const readNamespace = (): string => {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? ""
  } catch {
    return ""
  }
}

export const namespaceHere = readNamespace()

/** The name of the relay that has this pid, here and now. */
export const nameOf = (tree: ProcessTree, pid: number): string =>
  `${namespaceHere}.${pid}.${tree.startOf(pid) ?? ""}`

/** What everything a new agent starts will carry. */
export const newMarker = (relay: string): string => `${relay}.${randomUUID()}`

interface Relay {
  readonly name: string
  readonly namespace: string
  readonly pid: number
}

const pattern = /^((\d+)\.(\d+)\.\d+)\.[0-9a-f-]{36}$/

/** The relay a marker names, if it is one of ours. */
export const relayOf = (marker: string): Relay | undefined => {
  const [, name, namespace, pid] = pattern.exec(marker) ?? []
  return name === undefined || namespace === undefined ? undefined : { name, namespace, pid: Number(pid) }
}
