/**
 * OrphanSweep: when a relay starts, it ends what relays before it left behind.
 *
 * That is nothing, unless one was killed together with its watcher: the watcher takes care of the rest.
 */
import { Effect, Layer } from "effect"
import * as families from "./families.js"

/** Looks beside everything else, so that nobody waits for it. */
export const layer = Layer.scopedDiscard(
  Effect.forkScoped(Effect.gen(function*() {
    const found = families.sweep()
    if (found > 0) {
      yield* Effect.logWarning(`a relay that is dead left ${found} processes behind; they are being ended`)
    }
  }))
)
