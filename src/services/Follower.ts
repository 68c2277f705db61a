/** Follower: how one reader goes through a session's log, by itself or as a Stream. */
import { Cause, Deferred, Effect, Stream } from "effect"
import { doneSoon } from "../adapters/doneSoon.js"
import type { Batch } from "./frames.js"

/** A reader's place in the log. */
export interface Follower {
  /** The next unread batch, if there is one; good until the event loop turns. Taking it moves the cursor. */
  readonly next: () => Batch | undefined
  /** The first `seq` the log could give, when it no longer holds all that was asked for. */
  readonly gap: number | undefined
  /** This follower fell too far behind and was cut off; what it has not taken it must ask for again. */
  readonly overrun: () => boolean
  /** The log is closed and everything was taken. */
  readonly done: () => boolean
  readonly detach: () => void
}

/** What a follower takes until the log is closed; `follow` is told what to call when there is something new. */
export const streamOf = (follow: (wake: () => void) => Follower): Stream.Stream<Batch> =>
  Stream.unwrap(Effect.gen(function*() {
    let news = Deferred.makeUnsafe<void>()
    const follower = yield* Effect.acquireRelease(
      Effect.sync(() => follow(() => doneSoon(news, Effect.void))),
      (follower) => Effect.sync(follower.detach)
    )
    const pull: Effect.Effect<Batch, Cause.Done> = Effect.suspend(() => {
      const batch = follower.next()
      // Whoever pulls a stream may do so later than its bytes are good.
      if (batch !== undefined) return Effect.succeed({ ...batch, bytes: Buffer.from(batch.bytes) })
      if (follower.overrun()) {
        return Effect.die(new Error("the log was read too slowly; follow again after the last seq"))
      }
      if (follower.done()) return Effect.fail(Cause.Done())
      news = Deferred.makeUnsafe()
      return Effect.andThen(Deferred.await(news), pull)
    })
    return Stream.fromEffectRepeat(pull)
  }))
