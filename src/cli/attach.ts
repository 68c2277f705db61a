/**
 * attach: `ai-relay attach [SESSION]` joins a session, by default the most recent one. Lines are prompts. Ctrl-C stops the
 * turn; a second one, or Ctrl-D, leaves, and the session goes on. `--native ID` continues a conversation that was started in
 * a terminal, including its history; while it is open in that terminal, it is followed.
 */
import { Console, Effect, Option, Schedule } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { ConnectError } from "../client/RelayClient.js"
import {
  type Address,
  clientOptions,
  CommandError,
  listSessions,
  loadConversation,
  toAddress
} from "./clientOptions.js"
import { findNative } from "./nativeConversations.js"
import { visibleLine } from "./printable.js"

/** How many past events are read to show the end of the conversation. */
const recentEvents = 400

const options = {
  ...clientOptions,
  native: Flag.String("native").pipe(Flag.optional),
  tool: Flag.String("tool").pipe(Flag.optional),
  session: Argument.optional(Argument.String("session"))
}

const choose = Effect.fnUntraced(function*(address: Address, wanted: string | undefined) {
  const sessions = yield* listSessions(address)
  const names = sessions.map(({ session_id }) => session_id)
  const [latest] = names
  const found = sessions.find(({ session_id }) => session_id === (wanted ?? latest))
  if (found !== undefined) return found
  const known = latest === undefined ? "the relay has none yet" : `there are ${names.slice(0, 5).join(", ")}`
  return yield* new CommandError({
    reason: `${wanted === undefined ? "there is no session" : `there is no session "${wanted}"`}: ${known}; `
      + "`ai-relay run --session NAME \"prompt\"` opens one"
  })
})

const isNotDriving = (error: ConnectError) => error._tag === "Refused" && error.code === "not_driving"

const piped = "attach needs a terminal to read from: use `ai-relay run --session NAME` for a single prompt"

export const attach = Command.make(
  "attach",
  options,
  ({ json, native, session, token, tool, url }) =>
    Effect.gen(function*() {
      const { Conversation, Driving, Keyboard } = yield* loadConversation
      const address = yield* toAddress({ token, url })
      const conversation = Option.isNone(native)
        ? undefined
        : yield* findNative(address, native.value, Option.getOrUndefined(tool))
      const { last_seq, session_id } = conversation === undefined
        ? yield* choose(address, Option.getOrUndefined(session))
        : { last_seq: 0, session_id: Option.getOrUndefined(session) }
      const keyboard = yield* Keyboard.make
      if (!keyboard.present && !json) return yield* new CommandError({ reason: piped })
      const name = conversation === undefined
        ? session_id
        : visibleLine(`${conversation.title ?? conversation.native_session_id} (${conversation.tool})`)
      yield* Console.error(`Attached to ${name}. Ctrl-C stops a turn, Ctrl-D leaves.`)
      const opened = yield* Conversation.open({
        address,
        keyboard,
        json,
        handshake: conversation === undefined
          ? {
            ...(session_id !== undefined && { session_id }),
            ...(!json && { after_seq: Math.max(0, last_seq - recentEvents) })
          }
          : {
            tool: conversation.tool,
            native_session_id: conversation.native_session_id,
            history: "recent",
            if_open: "follow",
            ...(session_id !== undefined && { session_id })
          },
        ...(!json && { history: last_seq })
      })
      // The history stands above the prompt; if the relay has lost some of it, nobody waits for that.
      yield* Effect.timeoutOption(opened.caughtUp, "5 seconds")
      const prompt = () => Conversation.promptOf(opened.turn.resume_at, Date.now() / 1000)
      let shown = prompt()
      const counting = Effect.sync(() => {
        if (shown === prompt()) return
        shown = prompt()
        keyboard.refresh()
      })
      yield* Effect.forkScoped(Effect.repeat(counting, Schedule.spaced("1 second")))
      const typing = Effect.gen(function*() {
        for (let line = yield* keyboard.ask(prompt); line !== undefined; line = yield* keyboard.ask(prompt)) {
          // A refusal was printed as it came.
          if (line.trim() === "") continue
          const failure = yield* Effect.flip(opened.session.ask(line)).pipe(Effect.option)
          if (Option.isSome(failure) && isNotDriving(failure.value)) {
            yield* Driving.otherwise(keyboard, opened.session, line)
          }
        }
      })
      yield* (keyboard.present ? typing : Effect.never).pipe(
        Effect.raceFirst(Conversation.leaving(keyboard, opened)),
        Effect.raceFirst(Effect.andThen(opened.session.over, Console.error("\nThe session has ended.")))
      )
    }).pipe(Effect.scoped)
)
