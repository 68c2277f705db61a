/**
 * Turn: one prompt until one stop. At most one runs in a session.
 *
 * Turns begin and end in the middle of a batch of events, so both are synchronous. Fibers wait for the end, or for an
 * interrupt, on the turn's Deferreds. Every `turn_start` gets exactly one `turn_end`.
 */
import { Deferred, Effect } from "effect"
import { doneSoon } from "../../adapters/doneSoon.js"
import type { BodyOf } from "../../schema/index.js"
import { EventLog } from "../log/EventLog.js"

export interface Turn {
  /** Completed when a client interrupts the turn. */
  readonly interrupt: Deferred.Deferred<void>
  /** Completed when the turn's `turn_end` is logged. */
  readonly ended: Deferred.Deferred<void>
}

export interface Turns {
  readonly current: () => Turn | undefined
  /** Logs `turn_start`. Only call it when no turn runs. */
  readonly begin: (start: BodyOf<"turn_start">, raw?: Uint8Array) => Turn
  /** Logs `turn_end`. False: no turn runs, and nothing was logged. */
  readonly end: (end: BodyOf<"turn_end">, raw?: Uint8Array) => boolean
}

export const make = Effect.map(EventLog, (log): Turns => {
  let current: Turn | undefined

  const begin = (start: BodyOf<"turn_start">, raw?: Uint8Array): Turn => {
    const turn = {
      interrupt: Deferred.makeUnsafe<void>(),
      ended: Deferred.makeUnsafe<void>()
    }
    current = turn
    log.unsafeAppend(start, raw)
    return turn
  }

  const end = (event: BodyOf<"turn_end">, raw?: Uint8Array): boolean => {
    if (current === undefined) return false
    const { ended } = current
    current = undefined
    log.unsafeAppend(event, raw)
    doneSoon(ended, Effect.void)
    return true
  }

  return { current: () => current, begin, end }
})

/** The same turns; `changed` is called when one begins or ends. */
export const notifying = (changed: () => void, own: Turns): Turns => ({
  ...own,
  begin: (...start) => {
    const turn = own.begin(...start)
    changed()
    return turn
  },
  end: (...how) => {
    const ended = own.end(...how)
    if (ended) changed()
    return ended
  }
})
