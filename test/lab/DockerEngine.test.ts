import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { once } from "node:events"
import { type AddressInfo, createServer } from "node:net"
import { vi } from "vitest"
import { DockerEngine } from "../../src/lab/DockerEngine.js"

describe("an engine that does not answer", () => {
  it.effect("fails in time, with what to check", () =>
    Effect.gen(function*() {
      const silent = createServer().listen(0, "127.0.0.1")
      yield* Effect.promise(() => once(silent, "listening"))
      const { port } = silent.address() as AddressInfo
      vi.stubEnv("DOCKER_HOST", `tcp://127.0.0.1:${port}`)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          vi.unstubAllEnvs()
          silent.close()
        })
      )
      const { call } = Context.get(yield* Layer.build(DockerEngine.layer), DockerEngine)
      const asked = yield* Effect.forkScoped(Effect.flip(call((docker) => docker.ping())))
      yield* Effect.promise(() => once(silent, "connection"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(
        (yield* Fiber.join(asked)).message,
        "the Docker engine cannot be reached (it does not answer): check that it runs, and DOCKER_HOST"
      )
    }))
})
