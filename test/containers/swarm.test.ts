/** `ai-relay lab` on a swarm of one node: the lab itself is a container of the image, on the network of the relays. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  docker,
  image,
  isReady,
  makePlace,
  openShell,
  type Place,
  untilTrue,
  whyNoEngine,
  within
} from "./lab.js"

const network = "swarm-network"
const port = 9000

describe.skipIf(whyNoEngine !== undefined)("a lab on a swarm", () => {
  let place: Place
  const labs: Array<string> = []

  beforeAll(async () => {
    place = makePlace()
    await docker.swarmInit({
      ListenAddr: "127.0.0.1:2377",
      AdvertiseAddr: "127.0.0.1",
      ForceNewCluster: false
    })
    await docker.createNetwork({ Name: network, Driver: "overlay", Attachable: true })
  }, within)
  afterAll(async () => {
    for (const id of labs) await docker.getContainer(id).remove({ force: true }).catch(() => undefined)
    for (const { ID } of await docker.listServices()) await docker.getService(ID).remove()
    await untilTrue(async () => (await docker.listContainers({ filters: { name: [network] } })).length === 0)
    await docker.swarmLeave({ force: true })
    place.remove()
  }, within)

  const socket = process.env["DOCKER_HOST"]?.replace("unix://", "") ?? ""

  const startLab = async (settings: Readonly<Record<string, string>> = {}) => {
    const env = {
      LAB_MODE: "multi",
      LAB_ENGINE: "swarm",
      LAB_NETWORK: network,
      LAB_TOKENS_FILE: place.env.LAB_TOKENS_FILE,
      LAB_WORKSPACE_ROOT: place.env.LAB_WORKSPACE_ROOT,
      LAB_CONTAINER_WS_TIMEOUT: "80",
      ...settings
    }
    const container = await docker.createContainer({
      Image: image,
      Cmd: ["ai-relay", "lab", "--port", String(port)],
      User: "0:0",
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      HostConfig: {
        Binds: [`${place.folder}:${place.folder}`, `${socket}:/var/run/docker.sock`]
      }
    })
    labs.push(container.id)
    await docker.getNetwork(network).connect({ Container: container.id })
    await container.start()
    const { NetworkSettings } = await container.inspect()
    const address = NetworkSettings.Networks["bridge"]?.IPAddress ?? ""
    await untilTrue(() => isReady(`${address}:${port}`))
    return { url: `ws://${address}:${port}`, container }
  }

  const services = () => docker.listServices({ filters: { label: [`ai-relay.lab=${network}`] } })

  it(
    "runs a user's relay as a service, whichever process of the lab is asked, and stops it when nobody needs it",
    async () => {
      const token = place.token("ada")
      const first = await startLab()
      const before = await openShell(first.url, token)
      expect(await before.run("kept=41; pwd; id -un")).toMatch(/\/home\/labuser\s+labuser/)
      const seen = before.events.at(-1)?.seq ?? 0
      expect(await services()).toMatchObject([{
        Spec: {
          Name: `${network}-ada`,
          TaskTemplate: {
            ContainerSpec: { CapabilityDrop: ["ALL"] },
            Resources: { Limits: { NanoCPUs: 2e9, MemoryBytes: 4 * 1024 ** 3, Pids: 1024 } }
          },
          EndpointSpec: { Mode: "dnsrr" }
        }
      }])
      await first.container.kill()

      const second = await startLab({ LAB_IDLE_TIMEOUT_SECS: "8" })
      const after = await openShell(second.url, token, { after_seq: seen })
      expect(await after.run("echo value-$((kept + 1))")).toContain("value-42")
      expect(await services()).toHaveLength(1)
      after.send({ type: "end" })
      await after.closed
      await untilTrue(async () => (await services()).length === 0)
    },
    4 * within
  )
})
