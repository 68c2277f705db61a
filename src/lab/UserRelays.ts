/**
 * UserRelays: where each user's relay runs. A user has only one, whichever process of the lab is asked.
 *
 * `single`: in this process. `docker`: a container. `swarm`: a service. The rest of the lab sees only an
 * address.
 */
import { Context, Effect, type Redacted, Schema } from "effect"
import type { User } from "./User.js"

/** The user's relay is not available now. */
export class RelayUnavailable extends Schema.TaggedError<RelayUnavailable>()("RelayUnavailable", {
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

/** Where a relay listens, and its token. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly token: Redacted.Redacted
}

/** A running relay. Another one of the same user has another `id`. */
export interface Running {
  readonly id: string
  readonly user: User
  readonly address: Address
}

export class UserRelays extends Context.Service<UserRelays, {
  /** The user's relay, ready to use: started if it is not running, replaced if it has crashed. */
  readonly reach: (user: User) => Effect.Effect<Running, RelayUnavailable>
  /** All running relays, including those that other lab processes started. */
  readonly running: Effect.Effect<ReadonlyArray<Running>, RelayUnavailable>
  /** Stop this relay: its sessions close properly and stay on disk. */
  readonly stop: (relay: Running) => Effect.Effect<void, RelayUnavailable>
  /** Fails if no relay could be started. */
  readonly check: Effect.Effect<void, RelayUnavailable>
}>()("ai-relay/lab/UserRelays") {}

export const toUnavailable = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.mapError(
    effect,
    (error: E | RelayUnavailable) =>
      error instanceof RelayUnavailable ? error : new RelayUnavailable({ reason: error.message })
  )
