/**
 * handoff: `ai-relay handoff SESSION` continues a session in the terminal: the relay stops its agent, and the agent's own
 * command resumes the conversation here. The session stays, shows what is said meanwhile, and can be used again afterwards.
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
      ? "the relay has no sessions: `ai-relay sessions` lists the saved ones"
      : `there is no session "${wanted}": \`ai-relay sessions\` lists the saved ones`
  })
})

/** Asks the relay to stop the session's agent; gives the command that continues it. A closed session is not opened. */
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
      reason: refused ?? "the relay did not say how to continue: update it, or use the agent's own command"
    }))
  })).pipe(Effect.provide(RelayClient.layer(address)))
})

/** Runs the command on this terminal; gives its exit code. */
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
