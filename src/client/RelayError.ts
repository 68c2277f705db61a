/** RelayError: why a client's request failed. The message says what to do next. */
import type { ErrorCode, RelayEvent } from "./protocol.js"

/**
 * The relay's codes, and the client's own: `session_ended`, `closed` (this page left the session), `unreachable` (no relay
 * answered in as many attempts as `retries` allows), `read_too_slowly` (too many events were waiting for `for await`),
 * `withdrawn` (the prompt was withdrawn), `too_many_waiting` (too many commands for a relay that is not connected); for files,
 * `not_found` and `conflict` (not possible in the current state).
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
  /** The relay's event with this error, if there was one. */
  readonly event: RelayEvent | undefined

  constructor(code: RelayErrorCode, message: string, event?: RelayEvent) {
    super(message)
    this.code = code
    this.event = event
  }
}

/** Marks a promise's failure as handled, so that commands need not be awaited. */
export const forgettable = <A>(promise: Promise<A>): Promise<A> => {
  promise.catch(() => {})
  return promise
}
