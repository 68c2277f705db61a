/**
 * EventStore: where a session's frames are kept, and the store in memory.
 *
 * The log numbers events and serves readers; a store keeps batches, gives them back from any `seq`, and lets go of the
 * oldest within its bound. No reader is woken for what is not kept yet.
 */
import * as FrameArena from "./FrameArena.js"
import { after, type Batch, lastSeqOf } from "./frames.js"
import type { SessionSummary } from "./SessionSummary.js"

export interface EventStore {
  /** The first `seq` it can give; one more than the last when it holds nothing. */
  readonly firstSeq: () => number
  readonly lastSeq: () => number
  /** Memory for the bytes of a batch that is about to be appended. */
  readonly allocate: (size: number) => Buffer
  /**
   * The batch belongs to the store, which may write over its bytes in a later turn of the event loop. Passing: what it
   * says is said again soon, whole, so that it need not be durable at once.
   */
  readonly append: (batch: Batch, isPreviewOnly?: boolean) => void
  /** What was appended is kept up to this `seq`. A store that takes longer says when there is more. */
  readonly keptSeq: () => number
  readonly onKept: (listener: () => void) => void
  /** So much is not kept yet that the writer should wait. */
  readonly isBehind: () => boolean
  /**
   * The next frames after `seq`, some of them; undefined when there are none. Their bytes are good until the event loop
   * turns: copy them to use them longer.
   */
  readonly read: (seq: number) => Batch | undefined
  /** Let go of the oldest beyond the bound, but of nothing after `needed`. True: it is over its bound all the same. */
  readonly trim: (needed: number) => boolean
  /** What was appended matters to people: make it durable without delay, with what the session is by now. */
  readonly flush: (summary: SessionSummary) => void
  /** Why events are not durable at the moment, if they should be. */
  readonly trouble: () => string | undefined
}

export interface MemoryStore extends EventStore {
  /** Let go of all up to this `seq`. */
  readonly forget: (seq: number) => void
}

/** So many forgotten batches' places at least are removed together. */
const removedAtOnce = 16

/** Keeps about `bytes` of frames in memory, those after `since`. */
export const makeMemory = (bytes: number, since = 0): MemoryStore => {
  const slabs = FrameArena.make()
  /** Those before `first` are forgotten. Their places go many at a time: each time costs what all that stay cost. */
  let batches: Array<Batch | undefined> = []
  let first = 0
  let size = 0
  let last = since

  /** The first batch that holds something after `seq`, by bisection. */
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

  /** Of the oldest up to this `seq`, so many that no more than `bytes` are left. */
  const letGo = (seq: number, bytes: number) => {
    while (size > bytes) {
      const oldest = batches[first]
      if (oldest === undefined || lastSeqOf(oldest) > seq) break
      size -= oldest.bytes.length
      slabs.release(oldest.bytes)
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
    allocate: slabs.take,
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
