/** conversation: a session at a terminal, as `run` and `attach` use it: printing, questions, Ctrl-C. */
import { Console, Effect, Latch, type Scope } from "effect"
import type { ConnectionState, RelayEvent } from "../client/browser.js"
import { RelayClient, type RelaySession, type SessionOptions } from "../client/RelayClient.js"
import { type Address, checkRelay } from "./clientOptions.js"
import * as Driving from "./driving.js"
import type { Keyboard } from "./Keyboard.js"
import { askPermission } from "./permissions.js"
import { safeJson, visibleLine } from "./printable.js"
import * as Rendering from "./rendering.js"

/** How often in a row to reconnect before giving up. */
const retries = 20

const toTerminal = ({ print }: Keyboard, history: number) => {
  const show = Rendering.make({
    colour: process.stderr.isTTY === true && process.env["NO_COLOR"] === undefined
  })
  /** Half a turn is not shown: printing begins where one starts. */
  let isWhole = history === 0
  return (event: RelayEvent) => {
    if (event.type === "turn_start" || event.seq > history) isWhole = true
    if (!isWhole) return
    if (event.type === "turn_start" && event.seq <= history && event.text !== undefined) {
      print(process.stderr, `you: ${visibleLine(event.text)}\n`)
    }
    // If the session was never opened, the command fails with the refusal.
    if (event.session_id === undefined) return
    const { err, out } = show(event)
    if (out !== undefined && out !== "") print(process.stdout, out)
    if (err !== undefined) print(process.stderr, err)
  }
}
const toLines = ({ print }: Keyboard) => (event: RelayEvent) =>
  print(process.stdout, `${safeJson(JSON.stringify(event))}\n`)

export interface ConversationOptions {
  readonly address: Address
  readonly keyboard: Keyboard
  readonly json: boolean
  readonly handshake: SessionOptions<never>
  /** `seq` of the last event of the history, which is shown from the start of a turn and includes prompts. */
  readonly history?: number
}

export interface Conversation {
  readonly session: RelaySession
  /** The turn as printed so far. `resume_at`: when a prompt will be sent again, in Unix seconds. */
  readonly turn: { state: "none" | "running" | "stopping"; resume_at?: number | undefined }
  /** Waits until the history is printed. */
  readonly caughtUp: Effect.Effect<void>
}

export const open = Effect.fn("conversation.open")(function*(options: ConversationOptions) {
  const { address, handshake, history = 0, json, keyboard } = options
  yield* checkRelay(address)
  const print = json ? toLines(keyboard) : toTerminal(keyboard, history)
  const caughtUp = Latch.makeUnsafe(history === 0)
  const client = yield* RelayClient
  const turn: Conversation["turn"] = { state: "none" }
  const driving = Driving.make(keyboard)
  const newsOf = makeNewsOf()
  const answer = askPermission(keyboard)
  const session = yield* client.connect({
    raw: json,
    ...handshake,
    retries,
    onEvent: (event) => {
      print(event)
      driving.follow(event)
      if (event.type === "turn_start") turn.state = "running"
      if (event.type === "turn_end") turn.state = "none"
      turn.resume_at = resumeAt(turn.resume_at, event)
      if (event.seq >= history) caughtUp.openUnsafe()
    },
    onState: (state) => {
      const news = newsOf(state)
      if (news !== undefined) keyboard.print(process.stderr, `${news}\n`)
    },
    onPermission: (request) => Effect.andThen(driving.mayAnswer, answer(request))
  })
  if (keyboard.present) yield* Effect.forkScoped(driving.ask(session))
  const conversation: Conversation = { session, turn, caughtUp: caughtUp.await }
  return conversation
}, (opened, { address }) => Effect.provide(opened, RelayClient.layer(address)))

/** What to say about the connection: that it is lost, once, and that it is back. */
export const makeNewsOf = () => {
  let isLost = false
  return (state: ConnectionState): string | undefined => {
    if (state.status === "waiting" && !isLost) {
      isLost = true
      return `Connection to the relay lost (${visibleLine(state.reason)}); reconnecting.`
    }
    if (state.status !== "open" || !isLost) return undefined
    isLost = false
    return "Connected to the relay again."
  }
}

/** When the prompt that hit a limit will be sent again, in Unix seconds, updated by one more event. */
export const resumeAt = (before: number | undefined, event: RelayEvent): number | undefined => {
  if (event.type === "status" && event.status === "limit_over") return undefined
  const limited = event.type === "status" && event.status === "limited"
    ? event.metadata
    : event.type === "session_start"
    ? event.metadata?.["limited"]
    : undefined
  if (limited === undefined && event.type !== "session_start") return before
  const resume_at = (limited as { readonly resume_at?: unknown } | undefined)?.resume_at
  return typeof resume_at === "number" ? resume_at : undefined
}

/** Seconds as a countdown: `1:04:59`. */
const clockOf = (seconds: number): string =>
  new Date(Math.max(0, Math.ceil(seconds)) * 1000).toISOString().slice(11, 19).replace(/^0/u, "")

/** The prompt shown to the person; it says when a prompt that hit a limit will be sent again. Times in Unix seconds. */
export const promptOf = (resume_at: number | undefined, now: number): string =>
  resume_at === undefined
    ? "> "
    : resume_at - now >= 86_400
    ? `[sends again ${new Date(resume_at * 1000).toISOString().slice(0, 16)}Z, Ctrl-C cancels] > `
    : `[sends again in ${clockOf(resume_at - now)}, Ctrl-C cancels] > `

/** Ctrl-C stops the running turn. Completes at a Ctrl-C when no turn runs, or at the second one. */
export const leaving = (
  keyboard: Keyboard,
  { session, turn }: Pick<Conversation, "session" | "turn">
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(keyboard.interrupted, () => {
    if (turn.state === "none" && turn.resume_at !== undefined) {
      turn.resume_at = undefined
      return Effect.andThen(
        Effect.forkScoped(Effect.ignore(session.interrupt)),
        leaving(keyboard, { session, turn })
      )
    }
    if (turn.state !== "running") return Effect.void
    turn.state = "stopping"
    return Console.error("\nStopping the turn. Ctrl-C again leaves.").pipe(
      Effect.andThen(Effect.forkScoped(Effect.ignore(session.interrupt))),
      Effect.andThen(leaving(keyboard, { session, turn }))
    )
  })
