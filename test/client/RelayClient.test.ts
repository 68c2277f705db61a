import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Stream } from "effect"
import { RelayClient } from "../../src/client/RelayClient.js"
import { askFor } from "../support/fakeAdapter.js"
import * as FakeRelay from "../support/fakeRelay.js"

/** A relay, as long as the scope lasts. */
const startRelay = Effect.acquireRelease(
  Effect.promise(() => FakeRelay.start()),
  (relay) => Effect.promise(relay.end)
)

describe("RelayClient", () => {
  it.live("gives a session's events as a Stream that ends with it", () =>
    Effect.gen(function*() {
      const relay = yield* startRelay
      const client = yield* RelayClient.pipe(Effect.provide(RelayClient.layer({ url: relay.url })))
      const session = yield* client.connect({ tool: "fake" })
      const { text } = yield* session.ask("hello")
      assert.strictEqual(text, "Done.")
      const first = yield* session.events.pipe(Stream.take(2), Stream.runCollect)
      yield* session.end
      const rest = yield* Stream.runCollect(session.events)
      const types = [...first, ...rest].map(({ type }) => type).filter((type) => type !== "input_ack")
      assert.deepStrictEqual(types, ["session_start", "turn_start", "response", "turn_end", "session_end"])
    }))

  it.live("answers what the agent asks with an Effect, which is interrupted when another answers", () =>
    Effect.gen(function*() {
      const relay = yield* startRelay
      const client = yield* RelayClient.pipe(Effect.provide(RelayClient.layer({ url: relay.url })))
      const asked = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const session = yield* client.connect({
        tool: "fake",
        onPermission: ({ request_id }) =>
          request_id === "p1"
            ? Effect.succeed("allow" as const)
            : Deferred.succeed(asked, undefined).pipe(
              Effect.andThen(Effect.never),
              Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
            )
      })
      assert.deepInclude(yield* relay.agent().ask(askFor("p1")), { behavior: "allow" })
      yield* Effect.forkChild(relay.agent().ask(askFor("p2")))
      // An Effect that is interrupted before it began has nothing to undo.
      yield* Deferred.await(asked)
      yield* session.respond("p2", { behavior: "deny" })
      yield* Deferred.await(interrupted)
    }))

  it.live("fails with what a caller can decide by", () =>
    Effect.gen(function*() {
      const relay = yield* startRelay
      const client = yield* RelayClient.pipe(Effect.provide(RelayClient.layer({ url: relay.url })))
      const refused = yield* Effect.flip(client.connect({ tool: "nothing" }))
      assert.deepInclude(refused, { _tag: "Refused", code: "unknown_tool" })
      const session = yield* client.connect({ tool: "fake" })
      assert.deepInclude(yield* Effect.flip(session.setMode("reckless")), {
        _tag: "Refused",
        code: "bad_command"
      })
      yield* session.end
      assert.strictEqual((yield* Effect.flip(session.prompt("more")))._tag, "SessionOver")
      yield* Effect.promise(relay.end)
      assert.strictEqual((yield* Effect.flip(client.connect({ retries: 0 })))._tag, "RelayUnreachable")
    }))
})
