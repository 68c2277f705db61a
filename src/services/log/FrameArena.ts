/**
 * FrameArena: memory for a session's frames, used again.
 *
 * A busy session makes and forgets hundreds of megabytes a second. Taking that from the system costs ten times what
 * writing into it does (every page is cleared, and faults when it is touched first), so memory is taken in slabs, and a
 * slab whose batches are all forgotten is written anew: at the earliest in the next turn of the event loop, so that
 * bytes given out in this turn may be used to its end, and no longer.
 */

/** An idle session uses the first pages of one. */
const slabBytes = 1024 * 1024
/** Slabs that are kept for later, when nothing is in them. */
const keptSlabs = 4

interface Slab {
  readonly bytes: Buffer
  /** Where the free part begins. */
  at: number
  /** Pieces in use. */
  uses: number
}

export interface FrameArena {
  /** Memory with anything in it. */
  readonly take: (size: number) => Buffer
  /** It is not needed any more; given as it was taken. */
  readonly release: (bytes: Buffer) => void
}

export const make = (): FrameArena => {
  let current: Slab | undefined
  let free: Array<Slab> = []
  let resting: Array<Slab> = []
  const owners = new Map<Buffer, Slab>()

  const rest = (slab: Slab) => {
    if (free.length + resting.length >= keptSlabs) return
    if (resting.length === 0) setImmediate(wake)
    resting.push(slab)
  }
  const wake = () => {
    free = [...free, ...resting]
    resting = []
  }

  const next = (): Slab => {
    const slab = free.pop() ?? { bytes: Buffer.allocUnsafeSlow(slabBytes), at: 0, uses: 0 }
    slab.at = 0
    return slab
  }

  const take = (size: number): Buffer => {
    // It would waste more of a slab than it is worth.
    if (size > slabBytes / 2) return Buffer.allocUnsafeSlow(size)
    if (current === undefined || current.at + size > slabBytes) {
      const full = current
      current = next()
      if (full?.uses === 0) rest(full)
    }
    const bytes = current.bytes.subarray(current.at, current.at + size)
    current.at += size
    current.uses += 1
    owners.set(bytes, current)
    return bytes
  }

  const release = (bytes: Buffer): void => {
    const slab = owners.get(bytes)
    if (slab === undefined) return
    owners.delete(bytes)
    slab.uses -= 1
    if (slab.uses === 0 && slab !== current) rest(slab)
  }

  return { take, release }
}
