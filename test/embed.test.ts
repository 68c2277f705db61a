/** What apps that embed the relay rely on. */
import { assert, describe, it } from "@effect/vitest"
import {
  AgentAdapter,
  type AgentCommand,
  EventSink,
  ListenFailed,
  Relay,
  RelayServer,
  SessionRegistry
} from "ai-relay"
import { Context, Effect, Layer, Stream } from "effect"

const capabilities = {
  images: false,
  steer: false,
  set_model: false,
  permission_modes: [],
  resume: false,
  terminal: false
}

/** An agent that says one word per prompt, and what happened to it. */
const sayer = (tool: string, word: string, happened: Array<string> = []) =>
  Layer.effect(
    AgentAdapter,
    Effect.gen(function*() {
      yield* Effect.addFinalizer(() => Effect.sync(() => happened.push("layer closed")))
      return {
        tool,
        open: () =>
          Effect.gen(function*() {
            const { emit } = yield* EventSink
            yield* Effect.addFinalizer(() => Effect.sync(() => happened.push("conversation closed")))
            const send = (command: AgentCommand) =>
              Effect.sync(() => {
                if (command.type !== "user_message") return
                emit({ type: "response", text: word })
                emit({ type: "turn_end", stop_reason: "end_turn" })
              })
            return { started: { capabilities }, send, exit: Effect.never }
          })
      }
    })
  )

const ask = (tool: string) =>
  Effect.scoped(Effect.gen(function*() {
    const { session } = yield* (yield* SessionRegistry).join({ tool, folder: "." })
    yield* session.submit({ type: "user_message", content: [{ type: "text", text: "hello" }] })
    const events = yield* session.log.tail(0).pipe(
      Stream.takeUntil(({ type }) => type === "turn_end"),
      Stream.runCollect
    )
    return events.flatMap((event) => event.type === "response" ? [event.text] : [])
  }))

describe("an app that embeds the relay", () => {
  it.live("has an agent of its own", () => {
    const happened: Array<string> = []
    return ask("sayer").pipe(
      Effect.provide(Relay.layerSessions({ adapters: [sayer("sayer", "yes", happened)] })),
      Effect.tap((said) =>
        Effect.sync(() => {
          assert.deepStrictEqual(said, ["yes"])
          assert.deepStrictEqual(happened, ["conversation closed", "layer closed"])
        })
      )
    )
  })

  it.live("puts an agent in a known one's place, and is told each name once", () =>
    Effect.gen(function*() {
      const adapters = [sayer("claude", "no Claude")]
      assert.deepStrictEqual(
        yield* Effect.provide(ask("claude-code"), Relay.layerSessions({ adapters })),
        ["no Claude"]
      )
      const unknown = yield* Effect.flip(
        Effect.provide(ask("other"), Relay.layerSessions({ adapters, tools: ["claude", "demo"] }))
      )
      assert.include(unknown.message, "one of claude, demo")
    }))

  it.live("gets the default of an option that is undefined", () =>
    Effect.gen(function*() {
      const options = {
        host: "127.0.0.1",
        port: 0,
        roots: undefined,
        fronts: undefined,
        state_dir: undefined
      }
      const served = Relay.layer({ ...options, max_sessions: undefined, drain: undefined, token: undefined })
      const { address } = yield* RelayServer.pipe(Effect.provide(served))
      assert.strictEqual(address.host, "127.0.0.1")
      const demo = Effect.scoped(Effect.flatMap(SessionRegistry, ({ join }) => join({ tool: "demo" })))
      yield* Effect.provide(demo, Relay.layerSessions({ permission_timeout: undefined, budgets: undefined }))
    }))

  it.live("has as many relays as it makes, each with its own settings, and one where it uses one twice", () => {
    const user = (name: string) => {
      class User
        extends Context.Service<User, { readonly port: number; readonly sessions: unknown }>()(name)
      {}
      const using = Layer.effect(
        User,
        Effect.gen(function*() {
          return { port: (yield* RelayServer).address.port, sessions: yield* SessionRegistry }
        })
      )
      return { User, using }
    }
    const [one, other, third] = [user("one"), user("other"), user("third")]
    const relay = Relay.layer({ host: "127.0.0.1", port: 0 })
    const app = Layer.mergeAll(
      Layer.provide(one.using, relay),
      Layer.provide(other.using, Relay.layer({ host: "127.0.0.1", port: 0, tools: ["demo"] })),
      Layer.provide(third.using, relay)
    )
    return Effect.gen(function*() {
      const [first, second, again] = [yield* one.User, yield* other.User, yield* third.User]
      assert.notStrictEqual(first.port, second.port)
      assert.notStrictEqual(first.sessions, second.sessions)
      assert.strictEqual(first.port, again.port)
      assert.strictEqual(first.sessions, again.sessions)
    }).pipe(Effect.provide(app))
  })

  it.live("is told with a typed error that a port is no port", () =>
    Effect.gen(function*() {
      for (const port of [70_000, -1, Number.NaN]) {
        const failed = yield* RelayServer.pipe(
          Effect.provide(Relay.layer({ host: "127.0.0.1", port })),
          Effect.flip
        )
        assert.instanceOf(failed, ListenFailed)
        assert.include(failed.message, "--port")
      }
    }))
})
