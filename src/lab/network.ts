/**
 * network: makes sure that the lab's network exists. An operator's own network is used as it is.
 */
import type { NetworkCreateOptions } from "dockerode"
import { Effect } from "effect"
import { isIP } from "node:net"
import * as TrustedProxies from "../services/access/TrustedProxies.js"
import { DockerEngine, on } from "./DockerEngine.js"
import { BadLabSetting, type LabSettings } from "./LabConfig.js"

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

const baseOf = (network: string) => network.split("/", 1).join("")
const isOneAddress = (entry: string) => isIP(entry) !== 0

/**
 * Whether some of the network's addresses are among the trusted ones. Single addresses are meant as they are: a proxy may have one
 * there.
 */
export const overlap = (trusted: ReadonlyArray<string>, subnet: string): boolean => {
  const ranges = trusted.filter((entry) => !isOneAddress(entry))
  const isInside = TrustedProxies.make([subnet]).isTrusted
  return TrustedProxies.make(ranges).isTrusted(baseOf(subnet)) ||
    ranges.some((entry) => isInside(baseOf(entry)))
}

/** A trusted proxy says who somebody is. Users' containers reach the lab, too, so none of them may count as one. */
export const checkProxies = Effect.fn("network.checkProxies")(function*(settings: LabSettings) {
  const { call } = yield* DockerEngine
  const { IPAM } = yield* call((docker) => docker.getNetwork(settings.network).inspect())
  for (const { Subnet } of IPAM?.Config ?? []) {
    if (Subnet === undefined || !overlap(settings.trusted_proxies, Subnet)) continue
    return yield* new BadLabSetting({
      name: "LAB_TRUSTED_PROXIES",
      problem:
        `includes ${Subnet}, where users' containers are (${settings.network}): they could say that they are other users. Name the `
        + "address of the proxy itself"
    })
  }
})
