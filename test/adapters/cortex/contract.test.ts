import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { layerSession, openSession, serverOf } from "../../support/cortexSession.js"
import { keepsPromises, summarize } from "../contract.js"
import { scenarios } from "./scenarios.js"

const fixture = (name: string) =>
  join(import.meta.dirname, "..", "..", "fixtures", "cortex", `${name.replaceAll(" ", "-")}.events.txt`)

/** Delays are random; a port is free. */
const steady = (summary: string) =>
  summary.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT").replaceAll(
    /"retry_delay_ms":[\d.]+/g,
    "\"retry_delay_ms\":0"
  )

describe("cortex: the adapters' contract", () => {
  for (const [name, { handshake, native, play, replies }] of Object.entries(scenarios)) {
    it.live(name, () =>
      Effect.gen(function*() {
        const server = yield* serverOf
        server.reply(...replies)
        const session = yield* openSession(server, handshake)
        yield* play(session, server)
        const events = yield* session.close
        keepsPromises(events, native.map((message) => JSON.stringify(message)))
        yield* Effect.promise(() => expect(steady(summarize(events))).toMatchFileSnapshot(fixture(name)))
      }).pipe(Effect.provide(layerSession)))
  }
})
