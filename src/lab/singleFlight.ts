/**
 * singleFlight: shares running work: if it is requested again while it runs, all callers get its one result.
 */
import { Deferred, Effect, type Scope } from "effect"

/**
 * Runs `work` for a `key` at most once at a time. It continues if a caller is gone, because others may be
 * waiting; the end of the scope ends it.
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
