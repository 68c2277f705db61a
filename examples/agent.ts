/**
 * agent: an agent of your own, in an Effect app that embeds the relay. This one answers in capitals.
 *
 * `open` begins a conversation in its scope, `send` delivers a client's command, and `emit` reports what the agent says. A real
 * agent would start a program with `ProcessSpawner`, or call a service. The relay adds the turn's start, the queue, permissions
 * and the journal. Run it with `npx tsx examples/agent.ts "your words"`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { AgentAdapter, type AgentCommand, EventSink, Relay, SessionRegistry } from "ai-relay"
import { Console, Effect, Layer, Stream } from "effect"

const shouter = Layer.succeed(AgentAdapter, {
  tool: "shouter",
  open: () =>
    Effect.gen(function*() {
      const { emit } = yield* EventSink
      const send = (command: AgentCommand) =>
        Effect.sync(() => {
          if (command.type !== "user_message") return
          const text = command.content.flatMap((block) => block.type === "text" ? [block.text] : []).join(
            "\n"
          )
          emit({ type: "response", text: text.toUpperCase() })
          emit({ type: "turn_end", stop_reason: "end_turn" })
        })
      return {
        started: {
          capabilities: {
            images: false,
            steer: false,
            set_model: false,
            permission_modes: [],
            resume: false,
            terminal: false
          }
        },
        send,
        // It has no program that could exit: the conversation is over when its scope closes.
        exit: Effect.never
      }
    })
})

const program = Effect.scoped(Effect.gen(function*() {
  const { session } = yield* (yield* SessionRegistry).join({ tool: "shouter" })
  yield* session.submit({
    type: "user_message",
    content: [{ type: "text", text: process.argv[2] ?? "hello" }]
  })
  yield* session.log.tail(0).pipe(
    Stream.takeUntil(({ type }) => type === "turn_end"),
    Stream.runForEach((event) => event.type === "response" ? Console.log(event.text) : Effect.void)
  )
}))

NodeRuntime.runMain(program.pipe(Effect.provide(Relay.layerSessions({ adapters: [shouter] }))))
