/**
 * FsyncSchedule: when pieces are made durable, of all sessions on a disk.
 *
 * An `fsync` is a disk's dearest work, and each file needs its own. A few sessions' pieces are synced within a second; of
 * many that stream at once each has to wait longer, so that a hundred cost the disk no more than twenty do.
 */

/** In ms. */
const standard = { soonest: 1000, latest: 5000, apart: 50 }

export interface FsyncSchedule {
  /** The next time that is free; ms, as `performance.now()` tells them. */
  readonly take: (now: number) => number
}

export const make = ({ apart, latest, soonest } = standard): FsyncSchedule => {
  let last = Number.NEGATIVE_INFINITY
  return {
    take: (now) => last = Math.min(now + latest, Math.max(now + soonest, last + apart))
  }
}
