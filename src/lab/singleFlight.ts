/** singleFlight: work that is asked for again while it goes on is done once, and all who asked get what came of it. */
import { Deferred, Effect, type Scope } from "effect"

/**
 * `work` by `key`, at most once at a time. It goes on when one who asked is gone, because others may wait for it; the
 * scope's end ends it.
 */
export const make = <A, E>(scope: Scope.Scope) => {
  const going = new Map<string, Deferred.Deferred<A, E>>()
  return (key: string, work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const found = going.get(key)
      if (found !== undefined) return Deferred.await(found)
      const done = Deferred.makeUnsafe<A, E>()
      going.set(key, done)
      return work.pipe(
        Effect.onExit((exit) => {
          going.delete(key)
          return Deferred.done(done, exit)
        }),
        Effect.forkIn(scope),
        Effect.andThen(Deferred.await(done))
      )
    })
}
