/**
 * OrphanSweep: at the start, ends processes that earlier relays left behind.
 *
 * There are none unless a relay was killed together with its watcher, which otherwise ends them.
 */
import { Effect, Layer } from "effect"
import * as families from "./families.js"

/** Runs in the background once the relay listens, because listing all processes takes a while. */
export const layer = Layer.effectDiscard(
  Effect.forkScoped(Effect.gen(function*() {
    yield* Effect.sleep("300 millis")
    const found = families.sweep()
    if (found > 0) {
      yield* Effect.logWarning(`ending ${found} processes that a dead relay left behind`)
    }
  }))
)
