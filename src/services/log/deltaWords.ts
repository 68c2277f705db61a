/**
 * deltaWords: the parts of a delta's frame around its text, as bytes that are made once and then copied.
 *
 * Consecutive deltas of a stream share one event object, and the turn seldom changes; only the time differs. Formatting a
 * number that is not an integer is expensive, so the digits before and after the point are kept separately.
 */
import type { BodyOf } from "../../schema/index.js"
import type { Envelope } from "./frames.js"

export interface Words {
  readonly head: Uint8Array
  readonly rest: Envelope
}

/** By millisecond. */
const decimals: Array<Uint8Array> = []
const none = Buffer.alloc(0)

/** What follows the point, and the point, as JSON writes a number of seconds. */
const decimalsOf = (ms: number): Uint8Array => decimals[ms] ??= Buffer.from(String(ms / 1000).slice(1))

/** Those of a log, whose every event ends in what `ending` says. */
export const make = (ending: (turn: number | undefined) => string) => {
  let last: { readonly event: object; readonly ts: number; readonly turn: number | undefined } | undefined
  let lastSecond: number | undefined
  let words: Words = { head: none, rest: { before: none, second: none, decimals: none, after: none } }

  const ofEvent = (event: BodyOf<"stream_event">) => {
    const { delta, type, ...others } = event
    const fields = Object.keys(others).length === 0 ? "" : `,${JSON.stringify(others).slice(1, -1)}`
    return {
      head: Buffer.from(JSON.stringify({ type, delta }).slice(0, -1)),
      before: Buffer.from(`${fields},"seq":`)
    }
  }

  const ofSecond = (second: number): Uint8Array => {
    if (second === lastSecond) return words.rest.second
    lastSecond = second
    return Buffer.from(`,"ts":${second}`)
  }

  return (event: BodyOf<"stream_event">, ts: number, turn: number | undefined): Words => {
    if (last !== undefined && event === last.event && ts === last.ts && turn === last.turn) return words
    const { before, head } = event === last?.event
      ? { head: words.head, before: words.rest.before }
      : ofEvent(event)
    const after = last !== undefined && turn === last.turn ? words.rest.after : Buffer.from(ending(turn))
    const ms = Math.round(ts * 1000)
    // A clock of tests may stand between two milliseconds.
    const isExact = ms / 1000 === ts
    const second = ofSecond(isExact ? Math.floor(ts) : ts)
    last = { event, ts, turn }
    words = { head, rest: { before, second, decimals: isExact ? decimalsOf(ms % 1000) : none, after } }
    return words
  }
}
