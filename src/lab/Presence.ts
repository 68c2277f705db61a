/**
 * Presence: which users have a connection open at this process of the lab.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import type { User } from "./User.js"

export class Presence extends Context.Service<Presence, {
  /** The user counts as present until the scope ends. */
  readonly enter: (user: User) => Effect.Effect<void, never, Scope.Scope>
  readonly has: (user: User) => boolean
}>()("ai-relay/lab/Presence") {
  static readonly layer = Layer.sync(this, () => {
    const here = new Map<string, number>()
    const change = (name: string, by: number) =>
      Effect.sync(() => {
        const now = (here.get(name) ?? 0) + by
        if (now === 0) here.delete(name)
        else here.set(name, now)
      })
    return {
      enter: ({ name }) => Effect.acquireRelease(change(name, 1), () => change(name, -1)),
      has: ({ name }) => here.has(name)
    }
  })
}
