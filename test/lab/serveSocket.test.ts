import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option, Redacted } from "effect"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { WebSocketServer } from "ws"
import { LabConfig } from "../../src/lab/LabConfig.js"
import { LabServer } from "../../src/lab/LabServer.js"
import { Presence } from "../../src/lab/Presence.js"
import { UserRelays } from "../../src/lab/UserRelays.js"
import { Users } from "../../src/lab/Users.js"
import { ServerConfig } from "../../src/server/ServerConfig.js"
import { Auth } from "../../src/services/access/Auth.js"
import { connect } from "../support/client.js"
import { settings } from "./settings.js"

describe("a relay that is stopped just when its user comes back", () => {
  it.live("is reached anew, and the client does not notice", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "lab-socket-"))
      const relay = new WebSocketServer({ host: "127.0.0.1", port: 0 })
      yield* Effect.promise(() => once(relay, "listening"))
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          relay.close()
          rmSync(folder, { recursive: true })
        })
      )
      relay.on(
        "connection",
        (ws) => ws.on("message", () => ws.send(JSON.stringify({ type: "session_start", seq: 1 })))
      )
      const tokens = join(folder, "tokens")
      writeFileSync(tokens, "ada token-1\n")
      // Nobody listens at the first.
      const ports = [9, (relay.address() as AddressInfo).port]
      const reached: Array<number> = []
      const relays = UserRelays.of({
        reach: (user) =>
          Effect.sync(() => {
            const port = ports[reached.length] ?? 0
            reached.push(port)
            return { id: `${port}`, user, address: { host: "127.0.0.1", port, token: Redacted.make("t") } }
          }),
        running: Effect.succeed([]),
        stop: () => Effect.void,
        check: Effect.void
      })
      const options = { host: "127.0.0.1", port: 0 }
      const lab = LabServer.layer.pipe(
        Layer.provide(Layer.mergeAll(
          Layer.succeed(UserRelays, relays),
          Users.layer,
          Layer.provideMerge(Presence.layer, ServerConfig.layer(options)),
          Auth.layer({})
        )),
        Layer.provide(Layer.succeed(LabConfig, settings({ tokens_file: Option.some(tokens) })))
      )
      const { address: { port } } = Context.get(yield* Layer.build(lab), LabServer)
      const client = yield* Effect.promise(() =>
        connect(`ws://127.0.0.1:${port}`, { token: "token-1", tool: "fake" })
      )
      yield* Effect.promise(() => client.waitFor("session_start"))
      assert.deepStrictEqual(reached, ports)
      yield* Effect.promise(() => client.close())
    }).pipe(Effect.scoped), 20_000)
})
