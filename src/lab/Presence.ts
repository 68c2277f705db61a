/**
 * Presence: which users have a connection open at this process of the lab, and how many: one user's must not take the places
 * of all others.
 */
import { Context, Effect, Layer, Schema, type Scope } from "effect"
import { ServerConfig } from "../server/ServerConfig.js"
import type { User } from "./User.js"

/** The user has as many connections as one user may have. */
export class TooManyConnections extends Schema.TaggedError<TooManyConnections>()("TooManyConnections", {
  most: Schema.Number
}) {
  override get message() {
    return `you already have ${this.most} connections: close some, or have the lab started with a higher --max-connections-per-peer`
  }
}

export class Presence extends Context.Service<Presence, {
  /** The user counts as present until the scope ends. */
  readonly enter: (user: User) => Effect.Effect<void, TooManyConnections, Scope.Scope>
  readonly has: (user: User) => boolean
}>()("ai-relay/lab/Presence") {
  static readonly layer = Layer.effect(
    this,
    Effect.map(ServerConfig, ({ max_connections_per_peer: most }) => {
      const here = new Map<string, number>()
      const change = (name: string, by: number) => {
        const now = (here.get(name) ?? 0) + by
        if (now === 0) here.delete(name)
        else here.set(name, now)
      }
      const add = (name: string) =>
        Effect.suspend(() => {
          if ((here.get(name) ?? 0) >= most) return Effect.fail(new TooManyConnections({ most }))
          change(name, 1)
          return Effect.void
        })
      return Presence.of({
        enter: ({ name }) => Effect.acquireRelease(add(name), () => Effect.sync(() => change(name, -1))),
        has: ({ name }) => here.has(name)
      })
    })
  )
}
