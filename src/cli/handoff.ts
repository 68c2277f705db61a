/**
 * handoff: `ai-relay handoff SESSION` gives a session back to the terminal: the relay's agent ends, and the agent's own
 * command goes on with the conversation here. The session stays: it shows what is said meanwhile, and goes on afterwards.
 */
import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { runInTerminal } from "../services/process/runInTerminal.js"
import {
  type Address,
  checkRelay,
  clientOptions,
  CommandError,
  listSessions,
  toAddress
} from "./clientOptions.js"
import { plain } from "./printable.js"

const { json: _, ...where } = clientOptions
const options = {
  ...where,
  print: Flag.Boolean("print").pipe(Flag.withoutNegation, Flag.withDefault(false)),
  session: Argument.optional(Argument.String("session"))
}

const ContinueWith = Schema.Struct({
  folder: Schema.String,
  argv: Schema.NonEmptyArray(Schema.String),
  shell: Schema.String,
  warning: Schema.optionalKey(Schema.String)
})
type ContinueWith = typeof ContinueWith.Type
const readContinueWith = Schema.decodeUnknownOption(ContinueWith)

const choose = Effect.fnUntraced(function*(address: Address, wanted: string | undefined) {
  const sessions = yield* listSessions(address)
  const found = wanted === undefined ? sessions[0] : sessions.find(({ session_id }) => session_id === wanted)
  if (found !== undefined) return found.session_id
  return yield* new CommandError({
    reason: wanted === undefined
      ? "the relay has no session: `ai-relay sessions` lists what is kept"
      : `there is no session "${wanted}": \`ai-relay sessions\` lists what is kept`
  })
})

/** Ask the relay to let go; how to go on. A session that was closed is not started for it. */
const letGo = Effect.fn("handoff.letGo")(function*(address: Address, session_id: string) {
  const { RelayClient } = yield* Effect.promise(() => import("../client/RelayClient.js"))
  return yield* Effect.scoped(Effect.gen(function*() {
    const client = yield* RelayClient
    let given: ContinueWith | undefined
    let refused: string | undefined
    const session = yield* client.connect({
      session_id,
      follow: true,
      onEvent: (event) => {
        if (event.type === "error") refused = event.text
        if (event.type !== "status" || event.status !== "handed_over") return
        given = Option.getOrUndefined(readContinueWith(event.metadata?.["continue_with"]))
      }
    })
    // It is acknowledged when it is done.
    yield* session.send({ type: "hand_over" }).pipe(
      Effect.mapError(({ message }) => new CommandError({ reason: message }))
    )
    return given ?? (yield* new CommandError({
      reason: refused ?? "the relay did not say how to go on: update it, or use the agent's own command"
    }))
  })).pipe(Effect.provide(RelayClient.layer(address)))
})

/** Run it on this terminal, and wait for its end: its exit code. */
const run = Effect.fnUntraced(function*({ argv: [program, ...args], folder }: ContinueWith) {
  const code = yield* runInTerminal(program, args, folder)
  if (code !== undefined) return code
  return yield* new CommandError({
    reason: `${program} cannot be started in ${folder}: install it, or run it by hand`
  })
})

export const handoff = (exitWith: (code: number) => Effect.Effect<void>) =>
  Command.make("handoff", options, ({ print, session, token, url }) =>
    Effect.gen(function*() {
      const address = yield* toAddress({ token, url })
      yield* checkRelay(address)
      const given = yield* letGo(address, yield* choose(address, Option.getOrUndefined(session)))
      if (given.warning !== undefined) yield* Console.error(`ai-relay: ${plain(given.warning)}`)
      if (print) return yield* Console.log(plain(given.shell))
      yield* Console.error(plain(given.shell))
      yield* exitWith(yield* run(given))
    }))
