import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Redacted } from "effect"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as IdleStop from "../../src/lab/IdleStop.js"
import { LabConfig } from "../../src/lab/LabConfig.js"
import { Presence } from "../../src/lab/Presence.js"
import * as User from "../../src/lab/User.js"
import { UserRelays } from "../../src/lab/UserRelays.js"
import { settings } from "./settings.js"

describe("a relay that its agent has taken over", () => {
  it.live("does not keep the lab busy with a list of sessions that never ends", () =>
    Effect.gen(function*() {
      const cut = yield* Deferred.make<number>()
      const piece = `${JSON.stringify({ state: "closed", last_active_at: 0 })},`.repeat(2000)
      const relay = createServer((request, response) => {
        let sent = 0
        response.write("{\"sessions\":[")
        const more = () => {
          do sent += piece.length
          while (response.write(piece) && !response.destroyed)
        }
        response.on("drain", more).on("close", () => Deferred.doneUnsafe(cut, Effect.succeed(sent)))
        assert.strictEqual(request.url, "/sessions?limit=1000")
        more()
      }).listen(0, "127.0.0.1")
      yield* Effect.promise(() => once(relay, "listening"))
      yield* Effect.addFinalizer(() => Effect.sync(() => relay.close()))
      const { port } = relay.address() as AddressInfo
      const running = {
        id: "1",
        user: User.make("ada"),
        address: { host: "127.0.0.1", port, token: Redacted.make("t") }
      }
      yield* Layer.build(IdleStop.layer.pipe(
        Layer.provide(Layer.mergeAll(
          Layer.succeed(LabConfig, settings()),
          Layer.succeed(Presence, { enter: () => Effect.void, has: () => false }),
          Layer.succeed(UserRelays, {
            reach: () => Effect.succeed(running),
            running: Effect.succeed([running]),
            stop: () => Effect.void,
            check: Effect.void
          })
        ))
      ))
      assert.isBelow(yield* Deferred.await(cut), 16 * 1024 * 1024)
    }), 20_000)
})
