/**
 * SingleRelays: every user's relay in this process, each with its own folder and a port whose token only the
 * lab knows.
 *
 * Users' agents act as this process's user: their sessions are separate, their rights are not. For people who
 * do not trust each other there is `multi`.
 */
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect"
import { randomBytes, randomUUID } from "node:crypto"
import { chmodSync, lstatSync } from "node:fs"
import { join } from "node:path"
import { RelayServer } from "../server/RelayServer.js"
import { createFolder } from "../services/disk/createFolder.js"
import { LabConfig } from "./LabConfig.js"
import * as singleFlight from "./singleFlight.js"
import type { User } from "./User.js"
import { RelayUnavailable, type Running, toUnavailable, UserRelays } from "./UserRelays.js"

export interface SingleRelay {
  readonly folder: string
  readonly host: string
  readonly token: Redacted.Redacted
}

/** How to create a relay: every client must show the token, including those on this machine. */
export type RelayOf<E> = (options: SingleRelay) => Layer.Layer<RelayServer, E>

interface Started {
  readonly relay: Running
  readonly scope: Scope.Closeable
}

const loopback = "127.0.0.1"

const folderFor = (root: string, { name }: User) =>
  Effect.try({
    try: () => {
      const folder = join(root, name)
      createFolder(folder)
      if (!lstatSync(folder).isDirectory()) throw new Error(`${folder} is no folder`)
      chmodSync(folder, 0o700)
      return folder
    },
    catch: (cause) =>
      new RelayUnavailable({
        reason: `cannot create a folder under LAB_WORKSPACE_ROOT: ${(cause as Error).message}`
      })
  })

const make = <E extends { readonly message: string }>(relayOf: RelayOf<E>) =>
  Effect.gen(function*() {
    const { workspace_root } = yield* LabConfig
    const life = yield* Effect.scope
    const once = singleFlight.make<Running, RelayUnavailable>(life)
    const relays = new Map<string, Started>()

    const start = Effect.fn("SingleRelays.start")(function*(user: User) {
      const token = Redacted.make(randomBytes(32).toString("base64url"))
      const folder = yield* folderFor(workspace_root, user)
      const scope = yield* Scope.fork(life)
      // Fresh: layers of one user's relay are never shared with another's.
      const own = Layer.fresh(relayOf({ folder, host: loopback, token }))
      const context = yield* Layer.buildWithScope(own, scope).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      const { address: { port } } = Context.get(context, RelayServer)
      const relay: Running = { id: randomUUID(), user, address: { host: loopback, port, token } }
      relays.set(user.name, { relay, scope })
      return relay
    }, toUnavailable)

    const reach = (user: User) =>
      once(
        user.name,
        Effect.suspend(() => {
          const found = relays.get(user.name)
          return found === undefined ? start(user) : Effect.succeed(found.relay)
        })
      )

    const stop = ({ id, user }: Running) =>
      Effect.suspend(() => {
        const found = relays.get(user.name)
        if (found?.relay.id !== id) return Effect.void
        relays.delete(user.name)
        return Scope.close(found.scope, Exit.void)
      })

    return UserRelays.of({
      reach,
      running: Effect.sync(() => [...relays.values()].map(({ relay }) => relay)),
      stop,
      check: Effect.void
    })
  })

export const layer = <E extends { readonly message: string }>(relayOf: RelayOf<E>) =>
  Layer.effect(UserRelays, make(relayOf))
