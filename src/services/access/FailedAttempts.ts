/**
 * FailedAttempts: slows down addresses that send wrong tokens.
 *
 * The first few mistakes are free; each further one doubles the wait, up to half a minute. A right token or a quiet period
 * clears them. Only the latest peers are remembered.
 */
import { peerOf } from "./peers.js"

export interface FailedAttempts {
  /** How long this address must still wait, in ms; 0 if its token may be checked. */
  readonly waitOf: (address: string | undefined, now: number) => number
  /** The same as an error text; undefined if the token may be checked. */
  readonly refusalOf: (address: string | undefined, now: number) => string | undefined
  readonly failed: (address: string | undefined, now: number) => void
  readonly succeeded: (address: string | undefined) => void
  /** How many peers are remembered. */
  readonly size: () => number
}

interface Record {
  readonly failures: number
  /** When the next attempt is allowed, and when its mistakes are forgotten; in ms. */
  readonly until: number
  readonly forgottenAt: number
}

const free = 5
const firstWaitMs = 1000
const longestWaitMs = 30_000
const forgetAfterMs = 10 * 60_000
const remembered = 10_000

export const make = (): FailedAttempts => {
  // In the order of their last failure.
  const records = new Map<string, Record>()

  const find = (address: string | undefined, now: number): Record | undefined => {
    const record = records.get(peerOf(address))
    return record !== undefined && now < record.forgottenAt ? record : undefined
  }

  const failed = (address: string | undefined, now: number) => {
    const peer = peerOf(address)
    const failures = (find(address, now)?.failures ?? 0) + 1
    const wait = failures < free ? 0 : Math.min(firstWaitMs * 2 ** (failures - free), longestWaitMs)
    records.delete(peer)
    records.set(peer, { failures, until: now + wait, forgottenAt: now + forgetAfterMs })
    for (const oldest of records.keys()) {
      if (records.size <= remembered) break
      records.delete(oldest)
    }
  }

  const waitOf = (address: string | undefined, now: number) =>
    Math.max(0, (find(address, now)?.until ?? 0) - now)

  const refusalOf = (address: string | undefined, now: number) => {
    const seconds = Math.ceil(waitOf(address, now) / 1000)
    return seconds === 0
      ? undefined
      : `too many wrong tokens came from your address: wait ${seconds} s, then send the right one`
  }

  return {
    waitOf,
    refusalOf,
    failed,
    succeeded: (address) => void records.delete(peerOf(address)),
    size: () => records.size
  }
}
