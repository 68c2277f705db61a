/**
 * FsyncSchedule: when deltas are synced, for all sessions on a disk.
 *
 * `fsync` is the most expensive thing a disk does, and each file needs its own. With few sessions, deltas are synced within a
 * second; if many stream at once each waits longer, so that a hundred cost the disk no more than twenty.
 */

/** In ms. */
const standard = { soonest: 1000, latest: 5000, apart: 50 }

export interface FsyncSchedule {
  /** Takes the next free time, in ms of `performance.now()`. */
  readonly take: (now: number) => number
}

export const make = ({ apart, latest, soonest } = standard): FsyncSchedule => {
  let last = Number.NEGATIVE_INFINITY
  return {
    take: (now) => last = Math.min(now + latest, Math.max(now + soonest, last + apart))
  }
}
