/** network: the lab's network is there. An operator's own is taken as it is. */
import type { NetworkCreateOptions } from "dockerode"
import { Effect } from "effect"
import { DockerEngine, on } from "./DockerEngine.js"

/** Of users' containers on one machine none reaches another; the machine itself reaches all. */
export const bridge = (name: string): NetworkCreateOptions => ({
  Name: name,
  Driver: "bridge",
  CheckDuplicate: true,
  Options: { "com.docker.network.bridge.enable_icc": "false" }
})

/** Spans the nodes of a swarm; the lab's own containers join it to reach the users'. */
export const overlay = (name: string): NetworkCreateOptions => ({
  Name: name,
  Driver: "overlay",
  Attachable: true,
  CheckDuplicate: true
})

export const ensure = Effect.fn("network.ensure")(function*(wanted: NetworkCreateOptions) {
  const { call } = yield* DockerEngine
  const found = yield* call((docker) => docker.getNetwork(wanted.Name).inspect()).pipe(on(404, undefined))
  if (found !== undefined) return
  // 409: another process of the lab was faster.
  yield* call((docker) => docker.createNetwork(wanted)).pipe(on(409, undefined))
})
