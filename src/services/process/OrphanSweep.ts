/**
 * OrphanSweep: when a relay starts, it ends what relays before it left behind.
 *
 * That is nothing, unless one was killed together with its watcher: the watcher takes care of the rest.
 */
import { Effect, Layer } from "effect"
import * as families from "./families.js"

/** Looks beside everything else, and when the relay listens: to read what runs on a machine takes a while. */
export const layer = Layer.effectDiscard(
  Effect.forkScoped(Effect.gen(function*() {
    yield* Effect.sleep("300 millis")
    const found = families.sweep()
    if (found > 0) {
      yield* Effect.logWarning(`a relay that is dead left ${found} processes behind; they are being ended`)
    }
  }))
)
