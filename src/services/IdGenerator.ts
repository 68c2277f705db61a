/** IdGenerator: makes unique ids. It is a service, so that replays and tests get the same ones every time. */
import { Context, Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"

export class IdGenerator extends Context.Service<IdGenerator, {
  readonly uuid: Effect.Effect<string>
}>()("ai-relay/services/IdGenerator") {
  static readonly layer = Layer.succeed(this, { uuid: Effect.sync(() => randomUUID()) })

  /** Counts: `00000000-0000-4000-8000-000000000001`, … */
  static readonly layerTest = Layer.sync(this, () => {
    let last = 0
    return { uuid: Effect.sync(() => `00000000-0000-4000-8000-${String(++last).padStart(12, "0")}`) }
  })
}
