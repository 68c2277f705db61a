/**
 * run: `ai-relay run --tool claude "prompt"` runs one turn. The answer goes to stdout, everything else to stderr. Piped
 * input becomes part of the prompt.
 *
 * The exit code says how the turn ended: 0 end_turn, 1 error, 2 refusal, 3 a limit was reached, 130 stopped.
 */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { TurnResult } from "../client/browser.js"
import { clientOptions, CommandError, loadConversation, toAddress } from "./clientOptions.js"
import { findNative } from "./nativeConversations.js"
import { orUndefined } from "./options.js"

const stopped = 130
export const exitCodes: Readonly<Record<TurnResult["stop_reason"], number>> = {
  end_turn: 0,
  error: 1,
  refusal: 2,
  max_tokens: 3,
  max_turn_requests: 3,
  cancelled: stopped
}

const options = {
  ...clientOptions,
  tool: Flag.String("tool").pipe(Flag.optional),
  folder: Flag.String("folder").pipe(Flag.optional),
  model: Flag.String("model").pipe(Flag.optional),
  permission_mode: Flag.String("permission-mode").pipe(Flag.optional),
  session: Flag.String("session").pipe(Flag.optional),
  native: Flag.String("native").pipe(Flag.optional),
  prompt: Argument.variadic(Argument.String("prompt"))
}

/** All piped input; empty at a terminal. */
const piped = Effect.promise(async () => {
  if (process.stdin.isTTY === true) return ""
  let text = ""
  for await (const chunk of process.stdin.setEncoding("utf8")) text += String(chunk)
  return text
})

const given = (fields: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined)
  )

/** How long to wait for our session to end after its turn. */
const goodbye = "5 seconds"

/** `exit` is called with the exit code. */
export const run = (exit: (code: number) => Effect.Effect<void>) =>
  Command.make(
    "run",
    options,
    ({ folder, json, model, native, permission_mode, prompt, session, token, tool, url }) =>
      Effect.gen(function*() {
        const text = [prompt.join(" "), yield* piped].map((part) => part.trim()).filter((part) => part !== "")
        if (text.length === 0) {
          return yield* new CommandError({
            reason: "missing prompt: ai-relay run \"What is in this folder?\""
          })
        }
        const { Conversation, Keyboard } = yield* loadConversation
        const name = orUndefined(session)
        const keyboard = yield* Keyboard.make
        const address = yield* toAddress({ token, url })
        const conversation = Option.isNone(native)
          ? undefined
          : yield* findNative(address, native.value, orUndefined(tool))
        const opened = yield* Conversation.open({
          address,
          keyboard,
          json,
          handshake: given({
            tool: conversation?.tool ?? orUndefined(tool),
            native_session_id: conversation?.native_session_id,
            folder: orUndefined(folder)
              ?? (name === undefined && conversation === undefined ? process.cwd() : undefined),
            model: orUndefined(model),
            permission_mode: orUndefined(permission_mode),
            session_id: name
          })
        })
        const code = yield* opened.session.ask(text.join("\n\n")).pipe(
          Effect.map(({ stop_reason }) => exitCodes[stop_reason]),
          // Errors were printed as they arrived.
          Effect.catch(() => Effect.succeed(exitCodes.error)),
          Effect.raceFirst(Effect.as(Conversation.leaving(keyboard, opened), stopped))
        )
        // Nobody can come back to a session without a name.
        if (name === undefined) yield* Effect.timeoutOption(opened.session.end, goodbye)
        yield* exit(code)
      }).pipe(Effect.scoped)
  )
