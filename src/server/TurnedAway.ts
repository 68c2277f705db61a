/**
 * TurnedAway: logs refused connections as one line per minute with their number, so that strangers cannot fill the log.
 */
import { Clock, Effect } from "effect"

export interface TurnedAway {
  /** Counts one more, from this address. */
  readonly tell: (address: string | undefined) => Effect.Effect<void>
}

/** In ms. */
const every = 60_000

export const make = (): TurnedAway => {
  let untold = 0
  let toldAt = Number.NEGATIVE_INFINITY
  return {
    tell: (address) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        untold += 1
        if (now - toldAt < every) return Effect.void
        const count = untold
        untold = 0
        toldAt = now
        return Effect.logInfo(
          count === 1
            ? `a connection from ${address} was not let in`
            : `${count} connections were not let in, the last from ${address}`
        )
      })
  }
}
