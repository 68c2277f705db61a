/**
 * UnfinishedFrames: the memory of frames that have begun to come and are not whole yet, over all connections. A frame may
 * be large; a hundred that never end must not fill the machine.
 */

export interface UnfinishedFrames {
  /** A connection holds so many bytes more, or less; false if that is too much in all. */
  readonly add: (bytes: number) => boolean
}

/** Smaller ones are not counted: they are bounded by the number of connections. */
export const uncounted = 64 * 1024

export const make = (most: number): UnfinishedFrames => {
  let held = 0
  return {
    add: (bytes) => {
      held += bytes
      return bytes <= 0 || held <= most
    }
  }
}
