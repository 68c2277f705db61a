/**
 * EventStore: the contract for keeping a session's frames, and the store in memory.
 *
 * The log numbers events and serves readers; a store keeps batches, gives them back from any `seq`, and drops the oldest
 * beyond its limit. Readers are woken only for what the store has accepted.
 */
import { after, type Batch, lastSeqOf } from "./frames.js"
import type { SessionSummary } from "./SessionSummary.js"

export interface EventStore {
  /** The first `seq` it can give; if it is empty, the next one to be written. */
  readonly firstSeq: () => number
  readonly lastSeq: () => number
  /** `isPreviewOnly`: deltas whose whole text follows later, so they need not be durable at once. */
  readonly append: (batch: Batch, isPreviewOnly?: boolean) => void
  /** The last `seq` that is kept. A slower store reports when there is more. */
  readonly keptSeq: () => number
  readonly onKept: (listener: () => void) => void
  /** Whether so much is still unwritten that the writer should wait. */
  readonly isBehind: () => boolean
  /** Some of the frames after `seq`; undefined if there are none. */
  readonly read: (seq: number) => Batch | undefined
  /** Drops the oldest frames beyond the limit, but none after `needed`. True: it still is over its limit. */
  readonly trim: (needed: number) => boolean
  /** Makes everything appended durable without delay, together with this summary. */
  readonly flush: (summary: SessionSummary) => void
  /** Why events are not durable at the moment although they should be. */
  readonly trouble: () => string | undefined
}

export interface MemoryStore extends EventStore {
  /** Drops everything up to this `seq`. */
  readonly forget: (seq: number) => void
}

/** How many dropped batches are removed from the list at a time. */
const removedAtOnce = 16

/** A store that keeps about `bytes` of frames in memory. `since`: the `seq` before its first frame. */
export const makeMemory = (bytes: number, since = 0): MemoryStore => {
  /** Batches before `first` are dropped. They are removed many at a time, since each removal copies the list. */
  let batches: Array<Batch | undefined> = []
  let first = 0
  let size = 0
  let last = since

  /** The first batch with something after `seq`, by bisection. */
  const find = (seq: number): Batch | undefined => {
    let low = first
    let high = batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const batch = batches[middle]
      if (batch !== undefined && lastSeqOf(batch) <= seq) low = middle + 1
      else high = middle
    }
    return batches[low]
  }

  /** Drops the oldest batches up to this `seq` until at most `bytes` are left. */
  const letGo = (seq: number, bytes: number) => {
    while (size > bytes) {
      const oldest = batches[first]
      if (oldest === undefined || lastSeqOf(oldest) > seq) break
      size -= oldest.bytes.length
      batches[first] = undefined
      first += 1
    }
    if (first > removedAtOnce && first > batches.length / 4) {
      batches = batches.slice(first)
      first = 0
    }
  }

  return {
    firstSeq: () => batches[first]?.firstSeq ?? last + 1,
    lastSeq: () => last,
    keptSeq: () => last,
    onKept: () => {},
    isBehind: () => false,
    append: (batch) => {
      batches.push(batch)
      size += batch.bytes.length
      last = lastSeqOf(batch)
    },
    read: (seq) => {
      const batch = find(seq)
      return batch === undefined ? undefined : after(batch, seq)
    },
    forget: (seq) => letGo(seq, 0),
    trim: (needed) => {
      letGo(needed, bytes)
      return size > bytes
    },
    flush: () => {},
    trouble: () => undefined
  }
}
