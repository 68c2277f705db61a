/** RelayError: why something a client asked for did not happen. The message says what to do next. */
import type { ErrorCode, RelayEvent } from "./protocol.js"

/**
 * The relay's own codes, and the client's: `session_ended` (the conversation is over), `closed` (this page left it),
 * `unreachable` (the relay did not answer as often as `retries` allows), `read_too_slowly` (more events waited for
 * `for await` than are kept), `withdrawn` (the prompt was taken back), `too_many_waiting` (commands for a relay that is
 * away); of files, `not_found` and `conflict` (not as things are now).
 */
export type RelayErrorCode =
  | ErrorCode
  | "session_ended"
  | "closed"
  | "unreachable"
  | "read_too_slowly"
  | "withdrawn"
  | "too_many_waiting"
  | "not_found"
  | "conflict"

export class RelayError extends Error {
  override readonly name = "RelayError"
  readonly code: RelayErrorCode
  /** The event that says so, if the relay did. */
  readonly event: RelayEvent | undefined

  constructor(code: RelayErrorCode, message: string, event?: RelayEvent) {
    super(message)
    this.code = code
    this.event = event
  }
}

/** A promise whose failure nobody needs to look at: a command may be sent and forgotten. */
export const forgettable = <A>(promise: Promise<A>): Promise<A> => {
  promise.catch(() => {})
  return promise
}
