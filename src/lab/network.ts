/**
 * network: makes sure that the lab's network exists. An operator's own network is used as it is.
 */
import type { NetworkCreateOptions } from "dockerode"
import { Effect } from "effect"
import { DockerEngine, on } from "./DockerEngine.js"

/** Users' containers on one machine cannot reach each other; the machine itself reaches all. */
export const bridge = (name: string): NetworkCreateOptions => ({
  Name: name,
  Driver: "bridge",
  CheckDuplicate: true,
  Options: { "com.docker.network.bridge.enable_icc": "false" }
})

/** Spans a swarm's nodes; the lab's own containers join it to reach the users'. */
export const overlay = (name: string): NetworkCreateOptions => ({
  Name: name,
  Driver: "overlay",
  Attachable: true,
  CheckDuplicate: true
})

export const ensure = Effect.fn("network.ensure")(function*(wanted: NetworkCreateOptions) {
  const { call } = yield* DockerEngine
  // The filter also matches parts of names.
  const named = call((docker) => docker.listNetworks({ filters: { name: [wanted.Name] } })).pipe(
    Effect.map((found) => found.filter(({ Name }) => Name === wanted.Name))
  )
  if ((yield* named).length > 0) return
  const made = yield* call((docker) => docker.createNetwork(wanted)).pipe(on(409, undefined))
  // The engine lets two processes create the same network at the same moment: the older one stays.
  const [oldest] = (yield* named).toSorted((a, b) => a.Created.localeCompare(b.Created))
  if (made !== undefined && oldest !== undefined && oldest.Id !== made.id) yield* call(() => made.remove())
})
