/** streams: a session's events as the answers a chat page would have been given, had it asked for each turn. */
import type { Chunk, Dialect } from "../../../src/fronts/chat/Chunk.js"
import * as Encoder from "../../../src/fronts/chat/encode.js"
import * as Messages from "../../../src/fronts/chat/messages.js"
import * as project from "../../../src/fronts/project.js"
import type { RelayEvent } from "../../../src/schema/index.js"

export interface TurnStreams {
  /** What each request is answered with: the prompt, then every answer of the person. */
  readonly stretches: ReadonlyArray<ReadonlyArray<Chunk>>
  /** The same turn, for a page that comes when all is over. */
  readonly whole: ReadonlyArray<Chunk>
  /** What was said to each `request_id`. */
  readonly answers: ReadonlyMap<string, boolean>
}

export const session_id = "recorded"

const turnsOf = (events: ReadonlyArray<RelayEvent>): ReadonlyArray<ReadonlyArray<RelayEvent>> => {
  const turns: Array<Array<RelayEvent>> = []
  let isOpen = false
  for (const event of events) {
    if (event.type === "turn_start") turns.push([])
    isOpen ||= event.type === "turn_start"
    if (isOpen) turns.at(-1)?.push(event)
    if (event.type === "turn_end") isOpen = false
  }
  return turns
}

export const streamsOf = (
  events: ReadonlyArray<RelayEvent>,
  dialect: Dialect
): ReadonlyArray<TurnStreams> =>
  turnsOf(events).map((turn) => {
    const answers = new Map<string, boolean>()
    const encode = (isLive: boolean) => {
      const projector = project.make()
      const encoder = Encoder.make({ dialect, session_id })
      const stretches: Array<Array<Chunk>> = [[]]
      let isPaused = false
      for (const event of turn) {
        if (isPaused) {
          stretches.push([...encoder.resume()])
          isPaused = false
        }
        for (const op of projector.next(event)) {
          stretches.at(-1)?.push(...encoder.encode(op, event))
          if (op.type === "settled") answers.set(op.request_id, op.status === "allow")
        }
        isPaused = isLive && dialect !== 5 && event.type === "permission_request"
        if (isPaused) stretches.at(-1)?.push(...encoder.pause(projector.asking(), event.seq))
      }
      return stretches
    }
    return { stretches: encode(true), whole: encode(false).flat(), answers }
  })

export const historyOf = (events: ReadonlyArray<RelayEvent>, dialect: Dialect) => {
  const messages = Messages.make(session_id, dialect)
  for (const event of events) messages.next(event)
  return messages.end()
}
