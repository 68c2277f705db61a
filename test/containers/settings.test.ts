/** Every setting of the lab, changed once and seen to act: here on a real engine, or where `elsewhere` says. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { labSettings } from "../../src/lab/labVariables.js"
import { connect } from "../support/client.js"
import {
  clear,
  containersOf,
  docker,
  image,
  type Lab,
  makePlace,
  openShell,
  type Place,
  untilTrue,
  whyNoEngine,
  within
} from "./lab.js"

const network = "other-network"

interface Row {
  readonly value: string
  /** What is seen of it, in a shell of the user or on the engine. */
  readonly seen: () => Promise<unknown>
  readonly expected: unknown
}

/** Of the kernel's files on limits, the one there is: cgroups of version 2, or 1. */
const limit = (two: string, one: string) => `cat /sys/fs/cgroup/${two} /sys/fs/cgroup/${one} 2> /dev/null`

describe.skipIf(whyNoEngine !== undefined)("a setting of the lab", () => {
  let place: Place
  let shell: Awaited<ReturnType<typeof openShell>>
  let lab: Lab
  let workspaces = ""

  const found = async () => {
    const [container] = await containersOf(network)
    return docker.getContainer(container?.Id ?? "").inspect()
  }

  const rows: Readonly<Record<string, Row>> = {
    LAB_MODE: {
      value: "multi",
      seen: async () => (await containersOf(network)).length,
      expected: 1
    },
    LAB_NETWORK: {
      value: network,
      seen: async () => Object.keys((await found()).NetworkSettings.Networks),
      expected: [network]
    },
    LAB_WORKSPACE_ROOT: {
      value: "elsewhere",
      seen: async () => (await found()).Mounts.map(({ Source }) => Source === join(workspaces, "ada")),
      expected: [true]
    },
    LAB_IMAGE: {
      value: "other:image",
      seen: async () => (await found()).Config.Image,
      expected: "other:image"
    },
    LAB_CONTAINER_PORT: {
      value: "9123",
      seen: async () => {
        const { IPAddress } = (await found()).NetworkSettings.Networks[network] ?? {}
        return (await fetch(`http://${IPAddress}:9123/healthz`)).status
      },
      expected: 200
    },
    LAB_CONTAINER_USER: { value: "nobody", seen: () => shell.run("id -un"), expected: /^nobody\r?$/m },
    LAB_CONTAINER_HOME: {
      value: "/srv/home",
      seen: () => shell.run("echo $PWD ~"),
      expected: /^\/srv\/home \/srv\/home\r?$/m
    },
    LAB_CONTAINER_MEMORY: {
      value: "512m",
      seen: () => shell.run(limit("memory.max", "memory/memory.limit_in_bytes")),
      expected: /^536870912\r?$/m
    },
    LAB_CONTAINER_CPUS: {
      value: "0.5",
      seen: () => shell.run(limit("cpu.max", "cpu/cpu.cfs_quota_us")),
      expected: /^50000( 100000)?\r?$/m
    },
    LAB_CONTAINER_PIDS: {
      value: "200",
      seen: () => shell.run(limit("pids.max", "pids/pids.max")),
      expected: /^200\r?$/m
    },
    LAB_CONTAINER_ENV: {
      value: "GREETING",
      seen: () => shell.run("echo $GREETING to you"),
      expected: /^hello to you\r?$/m
    },
    LAB_IDLE_TIMEOUT_SECS: {
      value: "4",
      seen: async () => {
        shell.send({ type: "end" })
        await shell.closed
        await untilTrue(async () => (await containersOf(network)).length === 0)
        return lab.output()
      },
      expected: /nobody has needed the relay of ada for 4 s/
    }
  }

  /** Where the others are seen to act. */
  const elsewhere: Readonly<Record<string, string>> = {
    LAB_CONTAINER_STARTUP_DELAY: "./settings.test.ts",
    LAB_CONTAINER_WS_TIMEOUT: "./settings.test.ts",
    LAB_ENGINE: "./swarm.test.ts",
    LAB_TOKENS_FILE: "../lab/door.ts",
    LAB_JWT_SECRET: "../lab/LabServer.test.ts",
    LAB_JWT_SECRET_FILE: "../lab/LabServer.test.ts",
    LAB_JWT_JWKS: "../lab/LabServer.test.ts",
    LAB_JWT_ISSUER: "../lab/LabServer.test.ts",
    LAB_JWT_AUDIENCE: "../lab/LabServer.test.ts",
    LAB_JWT_CLAIM: "../lab/LabServer.test.ts",
    LAB_USER_HEADER: "../lab/LabServer.test.ts",
    LAB_TRUSTED_PROXIES: "../lab/LabServer.test.ts"
  }

  beforeAll(async () => {
    place = makePlace()
    workspaces = join(place.folder, "elsewhere")
    await docker.getImage(image).tag({ repo: "other", tag: "image" })
    const settings = Object.entries(rows).map(([name, { value }]) => [name, value] as const)
    lab = await place.start({
      ...Object.fromEntries(settings),
      LAB_WORKSPACE_ROOT: workspaces,
      GREETING: "hello"
    })
    shell = await openShell(lab.url, place.token("ada"))
  })
  afterAll(async () => {
    await lab.kill()
    await clear(network)
    place.remove()
  })

  // In this order: the last one ends the relay.
  it.each(Object.entries(rows))("acts: %s", async (_, { expected, seen }) => {
    const fact = await seen()
    if (expected instanceof RegExp) expect(fact).toMatch(expected)
    else expect(fact).toEqual(expected)
  })

  it("is in this table, or is tested where the table says", () => {
    expect([...Object.keys(rows), ...Object.keys(elsewhere)].toSorted()).toEqual(
      labSettings.map(({ name }) => name).toSorted()
    )
    const missing = Object.entries(elsewhere).filter(([name, file]) =>
      !new RegExp(`\\b${name}:`).test(readFileSync(new URL(file, import.meta.url), "utf8"))
    )
    expect(missing).toEqual([])
  })
})

/** An image whose relay begins with this. */
const imageThatFirst = (name: string, does: string) => {
  const code = `data:text/javascript,${encodeURIComponent(does)}`
  execFileSync("docker", ["build", "--tag", name, "-"], {
    env: { ...process.env, DOCKER_BUILDKIT: "0" },
    input: `FROM ${image}\nENV NODE_OPTIONS=--import=${code}\n`,
    stdio: ["pipe", "ignore", "ignore"]
  })
}

describe.skipIf(whyNoEngine !== undefined)("a relay that is slow to start", () => {
  const slow = "slow-network"
  let place: Place

  beforeAll(() => {
    place = makePlace()
  })
  afterAll(async () => {
    await clear(slow)
    place.remove()
  })

  const start = (settings: Readonly<Record<string, string>>) =>
    place.start({ LAB_MODE: "multi", LAB_NETWORK: slow, ...settings })

  it("is looked at as often as LAB_CONTAINER_STARTUP_DELAY says", async () => {
    imageThatFirst(
      "slow:image",
      `import { createServer } from "node:net"
      const began = performance.now()
      await new Promise((opened) => {
        let knocks = 0
        const door = createServer((socket) => {
          socket.destroy()
          if (++knocks === 13) door.close(opened)
        }).listen(9000)
      })
      console.log("took: " + (performance.now() - began))`
    )
    const lab = await start({ LAB_IMAGE: "slow:image", LAB_CONTAINER_STARTUP_DELAY: "0.1" })
    const shell = await openShell(lab.url, place.token("ada"))
    const [container] = await containersOf(slow)
    const log = execFileSync("docker", ["logs", container?.Id ?? ""], { encoding: "utf8" })
    // With pauses that grow to more than a second, no more than 11 fit into 4 s.
    expect(Number(/took: ([\d.]+)/.exec(log)?.[1])).toBeLessThan(4000)
    await shell.close()
    await lab.kill()
  })

  it("is given up after LAB_CONTAINER_WS_TIMEOUT, and its client is told", async () => {
    imageThatFirst("silent:image", "await new Promise(() => setInterval(() => {}, 1000))")
    const lab = await start({ LAB_IMAGE: "silent:image", LAB_CONTAINER_WS_TIMEOUT: "2" })
    const client = await connect(lab.url, { token: place.token("bob"), tool: "generic" })
    const error = await client.waitFor("error", { within })
    expect(error.text).toContain("the relay did not answer within 2 s. Connect again later")
    expect(await client.closed).toBe(1013)
    await lab.kill()
  })
})
