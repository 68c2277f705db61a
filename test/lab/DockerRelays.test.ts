import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as DockerRelays from "../../src/lab/DockerRelays.js"
import { LabConfig } from "../../src/lab/LabConfig.js"
import * as User from "../../src/lab/User.js"
import { UserRelays } from "../../src/lab/UserRelays.js"
import { engine } from "./engine.js"
import { settings } from "./settings.js"

interface Wanted {
  readonly name?: string
  readonly Labels: Readonly<Record<string, string>>
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 20))

/** An engine with one CPU, whose containers all are at this machine's address. */
const fakeEngine = () => {
  const containers = new Map<string, { readonly wanted: Wanted; isRunning: boolean }>()
  let starting = 0
  let mostStarting = 0
  const handle = (name: string) => ({
    inspect: async () => {
      const found = containers.get(name)
      if (found === undefined) throw Object.assign(new Error("none"), { statusCode: 404 })
      return {
        Id: name,
        State: { Running: found.isRunning, Status: found.isRunning ? "running" : "created" },
        Config: { Labels: found.wanted.Labels, Env: [] },
        NetworkSettings: { Networks: { "lab-network": { IPAddress: "127.0.0.1" } } }
      }
    },
    start: async () => {
      mostStarting = Math.max(mostStarting, ++starting)
      await pause()
      starting--
      const found = containers.get(name)
      if (found !== undefined) found.isRunning = true
    },
    wait: () => name === "maker" ? Promise.resolve({ StatusCode: 0 }) : new Promise(() => {}),
    remove: async () => {}
  })
  const docker = {
    listNetworks: async () => [{ Name: "lab-network" }],
    getNetwork: () => ({ inspect: async () => ({}) }),
    listContainers: async () => [],
    info: async () => ({ NCPU: 1 }),
    getContainer: handle,
    createContainer: async (wanted: Wanted) => {
      if (wanted.name !== undefined) containers.set(wanted.name, { wanted, isRunning: false })
      return { ...handle(wanted.name ?? "maker"), id: wanted.name ?? "maker" }
    }
  }
  return { docker, mostStarting: () => mostStarting }
}

describe("the relays of many users who come at once", () => {
  it.live("start a few at a time, so that each is ready in time", () =>
    Effect.gen(function*() {
      const server = createServer((_, response) => response.end()).listen(0, "127.0.0.1")
      yield* Effect.promise(() => once(server, "listening"))
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      const { port } = server.address() as AddressInfo
      const { docker, mostStarting } = fakeEngine()
      const relays = DockerRelays.layer.pipe(
        Layer.provide(Layer.merge(
          engine(docker),
          Layer.succeed(LabConfig, settings({ container_port: port }))
        ))
      )
      const { reach } = Context.get(yield* Layer.build(relays), UserRelays)
      const users = Array.from({ length: 12 }, (_, index) => User.make(`user${index}`))
      const reached = yield* Effect.forEach(users, reach, { concurrency: "unbounded" })
      assert.deepStrictEqual(reached.map(({ user }) => user.id), users.map(({ id }) => id))
      assert.strictEqual(mostStarting(), 2)
    }).pipe(Effect.scoped))
})
