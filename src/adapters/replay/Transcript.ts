/**
 * Transcript: a recorded session with one `RelayEvent` per line, cut into the passages a replay plays in one
 * go: the events of a turn, or those between two turns.
 */
import { Result, Schema } from "effect"
import { type EventBody, RelayEvent } from "../../schema/index.js"

/** A recorded event: its time (seconds), the event, and its native message. */
export interface Recorded {
  readonly ts: number
  readonly event: EventBody
  readonly raw: Buffer | undefined
}

export interface Passage {
  /** The events are one turn, from `turn_start` to `turn_end` (which may be missing if the recording was cut off). */
  readonly isTurn: boolean
  readonly events: ReadonlyArray<Recorded>
}

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(RelayEvent))

const toRecorded = (
  { raw, seq: _seq, session_id: _session, ts, turn: _turn, ...event }: RelayEvent
): Recorded => ({
  ts,
  // A union without its envelope, which TypeScript no longer recognizes as the union.
  event: event as EventBody,
  raw: raw === undefined ? undefined : Buffer.from(JSON.stringify(raw))
})

/** Why a file is not a transcript: the number of its first bad line. */
export interface BadTranscript {
  readonly line: number
}

export const parse = (text: string): Result.Result<ReadonlyArray<Recorded>, BadTranscript> =>
  Result.all(
    text.split("\n").flatMap((line, index) =>
      line.trim() === ""
        ? []
        : [Result.mapBoth(decode(line), { onFailure: () => ({ line: index + 1 }), onSuccess: toRecorded })]
    )
  )

/** Cut a recording where turns begin and end. */
export const passages = (recording: ReadonlyArray<Recorded>): ReadonlyArray<Passage> => {
  const cut: Array<{ isTurn: boolean; events: Array<Recorded> }> = []
  let isTurn = false
  for (const recorded of recording) {
    const { type } = recorded.event
    if (type === "turn_start") isTurn = true
    const last = cut.at(-1)
    if (last === undefined || type === "turn_start" || last.isTurn !== isTurn) {
      cut.push({ isTurn, events: [recorded] })
    } else last.events.push(recorded)
    if (type === "turn_end") isTurn = false
  }
  return cut
}
