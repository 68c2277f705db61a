/** conversation: a session at a terminal. What `run` and `attach` share: printing, questions, Ctrl-C. */
import { Console, Effect } from "effect"
import type { RelayEvent } from "../client/browser.js"
import { RelayClient, type RelaySession, type SessionOptions } from "../client/RelayClient.js"
import { type Address, checkRelay } from "./clientOptions.js"
import type { Keyboard } from "./Keyboard.js"
import { askPermission } from "./permissions.js"
import * as Rendering from "./rendering.js"

/** Attempts in a row before a relay that went away is given up. */
const retries = 20

const toTerminal = () => {
  const show = Rendering.make({
    colour: process.stderr.isTTY === true && process.env["NO_COLOR"] === undefined
  })
  return (event: RelayEvent) => {
    const { err, out } = show(event)
    if (out !== undefined && out !== "") process.stdout.write(out)
    if (err !== undefined) process.stderr.write(err)
  }
}
const toLines = (event: RelayEvent) => void process.stdout.write(`${JSON.stringify(event)}\n`)

export interface ConversationOptions {
  readonly address: Address
  readonly keyboard: Keyboard
  readonly json: boolean
  readonly handshake: SessionOptions<never>
  /** Beside printing. */
  readonly onEvent?: (event: RelayEvent) => void
}

export const open = Effect.fn("conversation.open")(function*(options: ConversationOptions) {
  const { address, handshake, json, keyboard, onEvent } = options
  yield* checkRelay(address)
  const print = json ? toLines : toTerminal()
  const client = yield* RelayClient
  return yield* client.connect({
    raw: json,
    ...handshake,
    retries,
    onEvent: (event) => {
      print(event)
      onEvent?.(event)
    },
    onState: (state) => {
      if (state.status === "waiting") {
        process.stderr.write(`The relay is away (${state.reason}); trying again.\n`)
      }
    },
    onPermission: askPermission(keyboard)
  })
}, (opened, { address }) => Effect.provide(opened, RelayClient.layer(address)))

/** The first Ctrl-C stops the turn; completes at the second. */
export const leaving = (keyboard: Keyboard, session: RelaySession) =>
  keyboard.interrupted.pipe(
    Effect.zipRight(Console.error("\nStopping the turn. Ctrl-C again leaves.")),
    Effect.zipRight(Effect.ignore(session.interrupt)),
    Effect.raceFirst(Effect.zipRight(keyboard.interrupted, keyboard.interrupted))
  )
