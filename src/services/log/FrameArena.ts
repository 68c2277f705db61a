/**
 * FrameArena: reusable memory for a session's frames.
 *
 * A busy session writes and drops hundreds of megabytes a second. Allocating that costs ten times as much as writing to it
 * (the system clears every page, and each faults on first use). So memory is taken in slabs, and a slab whose batches are all
 * dropped is reused, at the earliest in the next turn of the event loop: bytes given out in this turn stay valid to its end.
 */

/** Size of a slab; an idle session touches only its first pages. */
const slabBytes = 1024 * 1024
/** How many empty slabs are kept for reuse. */
const keptSlabs = 4

interface Slab {
  readonly bytes: Buffer
  /** Offset of the free part. */
  at: number
  /** Pieces in use. */
  uses: number
}

export interface FrameArena {
  /** Memory of this size, not cleared. */
  readonly take: (size: number) => Buffer
  /** Gives back memory exactly as it was taken. */
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
