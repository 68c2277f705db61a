/**
 * UnfinishedFrames: limits the memory of incomplete frames over all connections. One frame may be large, but a hundred that
 * never end must not fill the machine's memory.
 */

export interface UnfinishedFrames {
  /** A connection holds this many bytes more, or fewer if negative; false if the total would be too large. */
  readonly add: (bytes: number) => boolean
}

/** Bytes per connection that are not counted, since the number of connections bounds them. */
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
