/**
 * embed: sessions inside another Effect app, without a socket.
 *
 * Opens an agent, sends a prompt, says yes to what it asks, and prints what it says until the turn ends. Run it with an
 * agent and a folder: `npx tsx examples/embed.ts claude .` It needs nothing but the package and its Effect peers.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import {
  type ClientCommand,
  Handshake,
  Relay,
  type RelayEvent,
  type Session,
  SessionRegistry
} from "ai-relay"
import { Console, Effect, Schema, Stream } from "effect"

const show = (event: RelayEvent) => {
  switch (event.type) {
    case "stream_event":
      return event.delta === "text" ? Effect.sync(() => process.stdout.write(event.text ?? "")) : Effect.void
    case "tool_call":
      return Console.log(`\n[${event.tool}]`)
    case "error":
      return Console.error(event.text)
    default:
      return Effect.void
  }
}

/** What we say to an event, if anything. */
const answer = (event: RelayEvent): ClientCommand | undefined =>
  event.type === "permission_request"
    ? { type: "permission_response", request_id: event.request_id, behavior: "allow" }
    : undefined

const untilTurnEnds = (session: Session) =>
  session.log.tail(0).pipe(
    Stream.tap(show),
    Stream.tap((event) => {
      const command = answer(event)
      return command === undefined ? Effect.void : session.submit(command)
    }),
    Stream.takeUntil((event) => event.type === "turn_end"),
    Stream.runLast
  )

const program = Effect.scoped(Effect.gen(function*() {
  const [tool = "claude", folder = ".", ...command] = process.argv.slice(2)
  const registry = yield* SessionRegistry
  const handshake = yield* Schema.decodeUnknownEffect(Handshake)({
    tool,
    folder,
    ...(command.length > 0 && { command })
  })
  const { session } = yield* registry.join(handshake)
  if (tool !== "replay") {
    yield* session.submit({
      type: "user_message",
      content: [{ type: "text", text: "Say hello in five words." }]
    })
  }
  const end = yield* untilTurnEnds(session)
  yield* Console.log(`\nThe turn ended: ${JSON.stringify(end)}`)
}))

NodeRuntime.runMain(program.pipe(Effect.provide(Relay.layerSessions())))
