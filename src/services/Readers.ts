/** Readers: who follows a session's log, how far each has come, and who is cut off. */

export interface Reader {
  /** `seq` of the last frame taken. */
  seq: number
  overrun: boolean
  readonly wake: () => void
}

export interface Readers {
  /** A new one, which has all up to `seq`. */
  readonly add: (seq: number, wake: () => void) => Reader
  readonly remove: (reader: Reader) => void
  readonly wake: () => void
  /** The last `seq` that all of them have. */
  readonly needed: () => number
  /** If one of them has come as far as `seq`, cut off the slowest, unless it has all before `newest`. False: none was. */
  readonly cutOffSlowest: (seq: number, newest: number) => boolean
}

export const make = (): Readers => {
  const readers = new Set<Reader>()

  const needed = () => {
    let needed = Number.POSITIVE_INFINITY
    for (const reader of readers) needed = Math.min(needed, reader.seq)
    return needed
  }

  return {
    add: (seq, wake) => {
      const reader: Reader = { seq, overrun: false, wake }
      readers.add(reader)
      return reader
    },
    remove: (reader) => void readers.delete(reader),
    wake: () => {
      // Whoever leaves meanwhile is not woken any more; whoever comes is once more, which does no harm.
      for (const reader of readers) reader.wake()
    },
    needed,
    cutOffSlowest: (seq, newest) => {
      const all = [...readers]
      const least = needed()
      const slowest = all.find((reader) => reader.seq === least)
      if (slowest === undefined || least >= newest - 1 || !all.some((reader) => reader.seq === seq)) {
        return false
      }
      slowest.overrun = true
      readers.delete(slowest)
      slowest.wake()
      return true
    }
  }
}
