/**
 * marker: the value of the variable that tells which relay and session a process belongs to.
 *
 * A relay is named by its pid and start time, because pids are reused, and by its pid namespace, because a machine also sees
 * the processes of its containers under other pids, and cannot tell whether a relay in another namespace is alive. Where start
 * times are expensive to get (macOS), markers cannot be read either, and name no relay.
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

/** The name of the relay that has this pid now. */
export const nameOf = (tree: ProcessTree, pid: number): string =>
  `${namespaceHere}.${pid}.${tree.startOf(pid) ?? ""}`

/** A marker for a new agent of this relay. */
export const newMarker = (relay: string): string => `${relay}.${randomUUID()}`

interface Relay {
  readonly name: string
  readonly namespace: string
  readonly pid: number
}

const pattern = /^((\d+)\.(\d+)\.\d+)\.[0-9a-f-]{36}$/

/** The relay in a marker; undefined if it is not one of our markers. */
export const relayOf = (marker: string): Relay | undefined => {
  const [, name, namespace, pid] = pattern.exec(marker) ?? []
  return name === undefined || namespace === undefined ? undefined : { name, namespace, pid: Number(pid) }
}
