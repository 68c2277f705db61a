/**
 * DockerRelays: one container per user.
 *
 * All state is in the engine: names and labels say which container belongs to whom, so any number of
 * processes can serve the same users. The first to create a container wins, and the others use it. A
 * container that has ended, has lost its network or answers neither the lab nor its own health check is replaced.
 */
import type { ContainerInspectInfo } from "dockerode"
import { Duration, Effect, Layer, Redacted, Schedule, Schema, Semaphore } from "effect"
import { randomBytes } from "node:crypto"
import { awaitReady } from "./awaitReady.js"
import * as spec from "./containerSpec.js"
import { DockerEngine, on, pingTime, toText } from "./DockerEngine.js"
import { LabConfig } from "./LabConfig.js"
import { makeFolder } from "./makeFolder.js"
import * as network from "./network.js"
import { removeEnded } from "./removeEnded.js"
import * as singleFlight from "./singleFlight.js"
import type { User } from "./User.js"
import { RelayUnavailable, type Running, toUnavailable, UserRelays } from "./UserRelays.js"

/** The container ended while its relay was starting, or had to be removed. */
class RelayEnded extends Schema.TaggedError<RelayEnded>()("RelayEnded", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/** It was just created, started or removed, here or by another process: the next look tells more. */
class NotYet extends Schema.TaggedError<NotYet>()("NotYet", {}) {}

const looks = Schedule.max([
  Schedule.exponential("5 millis").pipe(
    Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.millis(200))))
  ),
  Schedule.recurs(100)
])
/** Relays that start at the same time, per CPU of the engine: if all did, after a restart, none would be ready in time. */
const startsPerCpu = 2
/** How long a relay may take to end its sessions, in seconds. */
const stopTime = 20

const make = Effect.gen(function*() {
  const settings = yield* LabConfig
  const { call } = yield* DockerEngine
  const context = yield* Effect.context<DockerEngine | LabConfig>()
  const once = singleFlight.make<Running, RelayUnavailable>(yield* Effect.scope)
  yield* network.ensure(network.bridge(settings.network))
  yield* network.checkProxies(settings)
  yield* removeEnded(settings)
  const { NCPU } = yield* call((docker): Promise<{ readonly NCPU: number }> => docker.info())
  const starts = yield* Semaphore.make(startsPerCpu * NCPU)

  /** Undefined if it has no address on the lab's network: an empty one would mean this machine itself. */
  const toRunning = (user: User, found: ContainerInspectInfo): Running | undefined => {
    const host = found.NetworkSettings.Networks[settings.network]?.IPAddress
    if (!found.State.Running || host === undefined || host === "") return undefined
    const token = Redacted.make(spec.tokenIn(found.Config.Env))
    return { id: found.Id, user, address: { host, port: settings.container_port, token } }
  }

  const inspect = (id: string) => call((docker) => docker.getContainer(id).inspect()).pipe(on(404, undefined))

  /** By id, so that another's new container is never removed. One that is gone or going is fine too. */
  const remove = (id: string) =>
    call((docker) => docker.getContainer(id).remove({ force: true })).pipe(
      on(404, undefined),
      on(409, undefined)
    )

  const start = (id: string) =>
    call((docker) => docker.getContainer(id).start()).pipe(
      // Another process has started or removed it: the next look tells.
      on(304, undefined),
      on(404, undefined),
      Effect.tapError(() => Effect.ignore(remove(id)))
    )

  const create = Effect.fn("DockerRelays.create")(function*(user: User) {
    yield* Effect.provide(makeFolder(user), context)
    const wanted = spec.toContainer(settings, user, randomBytes(32).toString("base64url"))
    // 409: another process was faster.
    const created = yield* call((docker) => docker.createContainer(wanted)).pipe(on(409, undefined))
    if (created === undefined) return
    yield* Effect.logInfo(`created container ${created.id.slice(0, 12)} for ${user.id}`)
    yield* start(created.id)
  })

  /** Looks at the user's container once and, if necessary, takes one step towards a running one. */
  const look = Effect.fn("DockerRelays.look")(function*(user: User) {
    const name = spec.nameOf(settings, user)
    const found = yield* inspect(name)
    if (found === undefined) yield* create(user)
    else if (!isOf(user, found)) return yield* foreign(name)
    else if (found.State.Status === "created") yield* start(found.Id)
    else {
      const running = toRunning(user, found)
      if (running !== undefined) return running
      const { ExitCode, Running } = found.State
      const why = Running ? "is no longer on the lab's network" : `ended with ${ExitCode}`
      yield* Effect.logInfo(`replacing the container of ${user.id}, which ${why}`)
      yield* remove(found.Id)
    }
    return yield* new NotYet()
  })

  const isOf = (user: User, found: ContainerInspectInfo) =>
    spec.ownerOf(settings, found.Config.Labels)?.id === user.id

  const bringUp = (user: User) =>
    look(user).pipe(
      Effect.retry({ schedule: looks, while: ({ _tag }) => _tag === "NotYet" }),
      Effect.catchTag(
        "NotYet",
        () =>
          new RelayUnavailable({
            reason: `the container of ${user.id} did not start: see \`docker ps --all\``
          })
      )
    )

  /** Fails when the container ends. */
  const ended = Effect.fnUntraced(function*({ id, user }: Running) {
    const { StatusCode } = yield* call(
      (docker, abortSignal) => docker.getContainer(id).wait({ abortSignal }),
      Duration.infinity
    )
    const said = yield* call((docker) =>
      docker.getContainer(id).logs({ stdout: true, stderr: true, tail: 3 })
    ).pipe(
      // It may be gone by then, with what it said.
      Effect.catch(() => Effect.succeed(Buffer.alloc(0)))
    )
    return yield* new RelayEnded({
      reason: `the relay of ${user.id} ended with ${StatusCode}: ${toText(said)}`
    })
  })

  /** A relay that hangs would never end by itself, and its user has no other way to end it. */
  const removeHung = Effect.fnUntraced(function*({ id, user }: Running) {
    if ((yield* inspect(id))?.State.Health?.Status !== "unhealthy") return
    yield* Effect.logWarning(`removing the container of ${user.id}, which does not answer and is unhealthy`)
    yield* remove(id)
    return yield* new RelayEnded({ reason: `the relay of ${user.id} did not answer` })
  })

  const answers = (relay: Running) =>
    awaitReady(relay.address, settings).pipe(Effect.tapError(() => removeHung(relay)))

  /** Does not wait behind those that start if it runs. */
  const inTurn = (user: User) => <A, E, R>(attempt: Effect.Effect<A, E, R>) =>
    Effect.flatMap(
      inspect(spec.nameOf(settings, user)),
      (found) => found?.State.Running === true ? attempt : starts.withPermits(1)(attempt)
    )

  const reach = (user: User) =>
    once(
      user.name,
      bringUp(user).pipe(
        Effect.tap((relay) => Effect.raceFirst(answers(relay), ended(relay))),
        // It may have ended just when it was needed.
        Effect.retry({ times: 1, while: ({ _tag }) => _tag === "RelayEnded" }),
        inTurn(user),
        toUnavailable
      )
    )

  const listed = call((docker) => docker.listContainers({ filters: spec.filterOf(settings) }))
  const running = listed.pipe(
    Effect.flatMap((found) => Effect.forEach(found, ({ Id }) => inspect(Id), { concurrency: 8 })),
    Effect.map((found) =>
      found.flatMap((container) => {
        const user = spec.ownerOf(settings, container?.Config.Labels)
        return container !== undefined && user !== undefined ? toRunning(user, container) ?? [] : []
      })
    ),
    toUnavailable
  )

  const stop = Effect.fn("DockerRelays.stop")(function*({ id }: Running) {
    yield* call((docker) => docker.getContainer(id).stop({ t: stopTime })).pipe(
      on(304, undefined),
      on(404, undefined)
    )
    yield* remove(id)
  }, toUnavailable)

  return UserRelays.of({
    reach,
    running,
    stop,
    check: toUnavailable(call((docker) => docker.ping(), pingTime))
  })
})

const foreign = (name: string) =>
  new RelayUnavailable({
    reason: `the container ${name} does not belong to this lab: remove it, or set another LAB_NETWORK`
  })

export const layer = Layer.effect(UserRelays, make)
