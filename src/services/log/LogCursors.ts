/**
 * LogCursors: the readers of a session's log: how far each has read, and which one is cut off. A reader is used directly or
 * as a Stream.
 */
import { Cause, Deferred, Effect, Stream } from "effect"
import { doneSoon } from "../../adapters/doneSoon.js"
import type { Batch } from "./frames.js"

/** One reader's position in the log. */
export interface LogCursor {
  /** The next unread batch, if any. Taking it moves the cursor. */
  readonly next: () => Batch | undefined
  /** Set if the log no longer holds everything that was asked for: the first `seq` it could give. */
  readonly gap: number | undefined
  /** Whether this reader fell too far behind and was cut off; it must follow again from where it was. */
  readonly overrun: () => boolean
  /** Whether the log is closed and everything was read. */
  readonly done: () => boolean
  readonly detach: () => void
}

/** A cursor's batches until the log is closed. `follow` gets the function to call when there is something new. */
export const streamOf = (follow: (wake: () => void) => LogCursor): Stream.Stream<Batch> =>
  Stream.unwrap(Effect.gen(function*() {
    let news = Deferred.makeUnsafe<void>()
    const cursor = yield* Effect.acquireRelease(
      Effect.sync(() => follow(() => doneSoon(news, Effect.void))),
      (cursor) => Effect.sync(cursor.detach)
    )
    const pull: Effect.Effect<Batch, Cause.Done> = Effect.suspend(() => {
      const batch = cursor.next()
      if (batch !== undefined) return Effect.succeed(batch)
      if (cursor.overrun()) {
        return Effect.die(new Error("the log was read too slowly; follow again after the last seq"))
      }
      if (cursor.done()) return Effect.fail(Cause.Done())
      news = Deferred.makeUnsafe()
      return Effect.andThen(Deferred.await(news), pull)
    })
    return Stream.fromEffectRepeat(pull)
  }))

/** A reader as the log sees it. */
export interface Place {
  /** `seq` of the last frame taken. */
  seq: number
  overrun: boolean
  readonly wake: () => void
}

export interface LogCursors {
  /** Adds a reader that has everything up to `seq`. */
  readonly add: (seq: number, wake: () => void) => Place
  readonly remove: (reader: Place) => void
  readonly wake: () => void
  /** The last `seq` that all readers have. */
  readonly needed: () => number
  /** If a reader has reached `seq`, cuts off the slowest, unless that has everything before `newest`. False: none was cut off. */
  readonly cutOffSlowest: (seq: number, newest: number) => boolean
}

export const make = (): LogCursors => {
  const readers = new Set<Place>()

  const needed = () => {
    let needed = Number.POSITIVE_INFINITY
    for (const reader of readers) needed = Math.min(needed, reader.seq)
    return needed
  }

  return {
    add: (seq, wake) => {
      const reader: Place = { seq, overrun: false, wake }
      readers.add(reader)
      return reader
    },
    remove: (reader) => void readers.delete(reader),
    wake: () => {
      // A reader that leaves meanwhile is not woken any more; one that comes is woken once more, which does no harm.
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
