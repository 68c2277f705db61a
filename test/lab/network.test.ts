import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { checkProxies } from "../../src/lab/network.js"
import { engine } from "./engine.js"
import { settings } from "./settings.js"

/** What is said about these proxies of a lab whose containers are in these networks. */
const check = (trusted_proxies: ReadonlyArray<string>, ...subnets: ReadonlyArray<string>) => {
  const Config = subnets.map((Subnet) => ({ Subnet }))
  const docker = { getNetwork: () => ({ inspect: async () => ({ IPAM: { Config } }) }) }
  return checkProxies(settings({ trusted_proxies })).pipe(
    Effect.match({ onFailure: ({ message }) => message, onSuccess: () => "fine" }),
    Effect.provide(engine(docker))
  )
}

describe("trusted proxies", () => {
  it.effect.each(
    [
      [["172.16.0.0/12"], "172.18.0.0/16"],
      [["10.0.0.7", "172.18.4.0/24"], "172.18.0.0/16"],
      [["0.0.0.0/0"], "172.18.0.0/16"],
      [["fd00::/8"], "172.18.0.0/16", "fd12:3456::/64"]
    ] as const
  )(
    "among which users' containers would be are refused: %j",
    ([trusted, ...subnets]) =>
      Effect.map(check(trusted, ...subnets), (said) => {
        assert.match(said, /^LAB_TRUSTED_PROXIES includes .* Name the address of the proxy itself$/)
        assert.include(said, `${subnets.at(-1)}, where users' containers are (lab-network)`)
      })
  )

  it.effect.each(
    [
      [["172.17.0.0/16", "10.0.0.0/8", "::1"], "172.18.0.0/16", "fd00::/64"],
      // A proxy that is on the network itself.
      [["172.18.0.9"], "172.18.0.0/16"],
      [[], "172.18.0.0/16"],
      [["172.16.0.0/12"]]
    ] as const
  )(
    "elsewhere are fine: %j",
    ([trusted, ...subnets]) =>
      Effect.map(check(trusted, ...subnets), (said) => assert.strictEqual(said, "fine"))
  )
})
