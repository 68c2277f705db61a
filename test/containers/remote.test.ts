/** `ai-relay lab` with an engine it reaches over the network, with TLS and without. */
import { type AddressInfo, connect as dial, createServer, type Server, type Socket } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { clear, containersOf, makePlace, openShell, type Place, whyNoEngine } from "./lab.js"

const network = "remote-network"
const local = process.env["DOCKER_HOST"]?.replace("unix://", "") ?? ""

describe.skipIf(whyNoEngine !== undefined)("a lab whose engine is remote", () => {
  let place: Place
  /** The engine as it is without TLS: on a port that leads to its socket. */
  let plain: Server
  const passing = new Set<Socket>()

  beforeAll(async () => {
    place = makePlace()
    plain = createServer((client) => {
      const engine = dial(local)
      for (const socket of [client, engine]) {
        passing.add(socket)
        socket.on("error", () => socket.destroy())
      }
      client.pipe(engine).pipe(client)
    })
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve))
  })
  afterAll(async () => {
    for (const socket of passing) socket.destroy()
    plain.close()
    await clear(network)
    place.remove()
  })

  const address = () => `tcp://127.0.0.1:${(plain.address() as AddressInfo).port}`

  /** What a user gets of a lab with this engine. */
  const greet = async (engine: Readonly<Record<string, string>>) => {
    const lab = await place.start({ LAB_MODE: "multi", LAB_NETWORK: network, ...engine })
    try {
      expect((await fetch(`${lab.url.replace("ws", "http")}/readyz`)).status).toBe(200)
      const shell = await openShell(lab.url, place.token("ada"))
      const said = await shell.run("echo here is $(id -un)")
      await shell.close()
      return said
    } finally {
      await lab.kill()
    }
  }

  it("uses it over TCP", async () => {
    expect(await greet({ DOCKER_HOST: address() })).toContain("here is labuser")
    expect(passing.size).toBeGreaterThan(0)
    expect(await containersOf(network)).toHaveLength(1)
  })

  const { AI_RELAY_ENGINE_CERTS: certificates = "", AI_RELAY_ENGINE_TLS: tls = "" } = process.env

  it("uses it over TLS, with certificates of both", async () => {
    const trusting = { DOCKER_HOST: tls, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates }
    expect(await greet(trusting)).toContain("here is labuser")
  })

  it("says why, when the engine is not the one it trusts, or is not there", async () => {
    const untrusted = place.start({ LAB_MODE: "multi", DOCKER_HOST: tls, DOCKER_TLS_VERIFY: "1" })
    await expect(untrusted).rejects.toThrow(/the Docker engine cannot be reached \(.*certificate/)
    const nowhere = place.start({ LAB_MODE: "multi", DOCKER_HOST: "tcp://127.0.0.1:1" })
    await expect(nowhere).rejects.toThrow(
      /cannot be reached \(.*ECONNREFUSED.*check that it runs, and DOCKER_HOST/
    )
  })
})
