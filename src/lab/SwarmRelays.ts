/**
 * SwarmRelays: one service per user, which the swarm runs on any of its nodes and restarts when it ends.
 *
 * The lab's processes must be on the same network to reach the services by name, and the users' folders must
 * be on storage that every node mounts at the same path.
 */
import type { Service } from "dockerode"
import { Effect, Layer, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { awaitReady } from "./awaitReady.js"
import * as spec from "./containerSpec.js"
import { DockerEngine, on, pingTime } from "./DockerEngine.js"
import { LabConfig } from "./LabConfig.js"
import { makeFolder } from "./makeFolder.js"
import * as network from "./network.js"
import { removeEnded } from "./removeEnded.js"
import * as singleFlight from "./singleFlight.js"
import type { User } from "./User.js"
import { RelayUnavailable, type Running, toUnavailable, UserRelays } from "./UserRelays.js"

interface Task {
  readonly CreatedAt: string
  readonly Status: { readonly State: string; readonly Err?: string }
}

const make = Effect.gen(function*() {
  const settings = yield* LabConfig
  const { call } = yield* DockerEngine
  const context = yield* Effect.context<DockerEngine | LabConfig>()
  const once = singleFlight.make<Running, RelayUnavailable>(yield* Effect.scope)
  yield* network.ensure(network.overlay(settings.network))
  yield* network.checkProxies(settings)
  yield* removeEnded(settings)

  const toRunning = (user: User, { ID, Spec }: Service): Running => ({
    id: ID,
    user,
    address: {
      host: spec.nameOf(settings, user),
      port: settings.container_port,
      token: Redacted.make(spec.tokenIn(envOf(Spec)))
    }
  })

  const create = Effect.fn("SwarmRelays.create")(function*(user: User) {
    yield* Effect.provide(makeFolder(user), context)
    const wanted = spec.toService(settings, user, randomBytes(32).toString("base64url"))
    // 409: another process was faster.
    yield* call((docker) => docker.createService(wanted)).pipe(on(409, undefined))
    yield* Effect.logInfo(`created service ${wanted.Name} for ${user.id}`)
  })

  const find = Effect.fnUntraced(function*(user: User) {
    const name = spec.nameOf(settings, user)
    const found: Service | undefined = yield* call((docker) => docker.getService(name).inspect()).pipe(
      on(404, undefined)
    )
    if (found !== undefined && spec.ownerOf(settings, found.Spec?.Labels)?.id !== user.id) {
      return yield* new RelayUnavailable({
        reason: `the service ${name} does not belong to this lab: remove it, or set another LAB_NETWORK`
      })
    }
    return found
  })

  /** The swarm's report about the last attempt to run it. */
  const trouble = (user: User) =>
    call((docker): Promise<Array<Task>> =>
      docker.listTasks({ filters: { service: [spec.nameOf(settings, user)] } })
    ).pipe(
      Effect.map((tasks) => tasks.toSorted((a, b) => b.CreatedAt.localeCompare(a.CreatedAt))[0]?.Status),
      Effect.map((status) => status === undefined ? "" : `: ${status.State}, ${status.Err ?? "no error"}`)
    )

  const bringUp = Effect.fn("SwarmRelays.bringUp")(function*(user: User) {
    const found = (yield* find(user)) ?? (yield* Effect.andThen(create(user), find(user)))
    if (found === undefined) {
      return yield* new RelayUnavailable({ reason: "the service was removed: try again" })
    }
    const relay = toRunning(user, found)
    yield* awaitReady(relay.address, settings).pipe(
      Effect.catch((error) =>
        Effect.flatMap(trouble(user), (why) => new RelayUnavailable({ reason: error.reason + why }))
      )
    )
    return relay
  })

  const running = call((docker): Promise<Array<Service>> =>
    docker.listServices({ filters: spec.filterOf(settings) })
  ).pipe(
    Effect.map((found) =>
      found.flatMap((service) => {
        const user = spec.ownerOf(settings, service.Spec?.Labels)
        return user === undefined ? [] : [toRunning(user, service)]
      })
    ),
    toUnavailable
  )

  return UserRelays.of({
    reach: (user) => once(user.name, toUnavailable(bringUp(user))),
    running,
    stop: ({ id }) =>
      toUnavailable(call((docker) => docker.getService(id).remove()).pipe(on(404, undefined))),
    check: toUnavailable(call((docker) => docker.swarmInspect(), pingTime))
  })
})

const envOf = (service: Service["Spec"]): ReadonlyArray<string> | undefined => {
  const template = service?.TaskTemplate
  return template !== undefined && "ContainerSpec" in template ? template.ContainerSpec?.Env : undefined
}

export const layer = Layer.effect(UserRelays, make)
