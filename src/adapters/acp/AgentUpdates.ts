/**
 * AgentUpdates: tells what an agent says as events, in the order it is said.
 *
 * Pieces of text are read by hand, because an agent sends thousands of them; everything else goes through its Schema.
 * History that comes again when a session is loaded is marked as such.
 */
import { type Clock, Effect, type Fiber, Option, Predicate, Schema } from "effect"
import type { EventBody } from "../../schema/index.js"
import type { EventSink } from "../Adapter.js"
import { type Chunk, SessionNotification, SessionUpdate } from "./AcpMessage.js"
import { type AcpState, endedBy, translate } from "./translate.js"

type Events = ReadonlyArray<EventBody>

/** What is said outside of a turn is told whole when nothing has followed it for so long. */
const silence = "500 millis"

/** Events that show what was said and done. */
const history = new Set([
  "user_message",
  "assistant_message",
  "reasoning",
  "stream_event",
  "tool_call",
  "tool_progress",
  "tool_result",
  "file_diff"
])

const asReplay = (event: EventBody): EventBody =>
  history.has(event.type) ? { ...event, metadata: { ...event.metadata, replay: true } } as EventBody : event

const isPieceKind = (kind: unknown): kind is Chunk["sessionUpdate"] =>
  kind === "agent_message_chunk" || kind === "agent_thought_chunk" || kind === "user_message_chunk"

/** A piece of text, as the Schema would read it; undefined for all that needs a closer look. */
export const readPiece = (params: unknown): Chunk | undefined => {
  if (!Predicate.hasProperty(params, "update") || !Predicate.isObject(params.update)) return undefined
  const { _meta, content, messageId, sessionUpdate } = params.update
  if (!isPieceKind(sessionUpdate) || !Predicate.isObject(content) || _meta !== undefined) return undefined
  const { text, type } = content
  if (type !== "text" || typeof text !== "string") return undefined
  if (messageId === undefined || messageId === null) return { sessionUpdate, content: { type, text } }
  return typeof messageId === "string" ? { sessionUpdate, content: { type, text }, messageId } : undefined
}

const readNotification = Schema.decodeUnknownOption(SessionNotification)
const readUpdate = Schema.decodeUnknownOption(SessionUpdate)

interface Parts {
  readonly sink: EventSink["Service"]
  readonly state: AcpState
  readonly clock: Clock.Clock
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}

export interface AgentUpdates {
  /** A `session/update` has come. */
  readonly receive: (params: unknown, line: Buffer) => void
  /** Tell events; the first carries the line. */
  readonly tell: (events: Events, line?: Buffer) => void
  /** Tell whole what was being said. */
  readonly endSpeech: () => void
  /** From now on it tells its history, until the first prompt. */
  readonly setReplay: (on: boolean) => void
  /** When the last update came, in ms. */
  readonly lastHeard: () => number
}

export const make = ({ clock, fork, sink, state }: Parts): AgentUpdates => {
  let replaying = false
  let heardAt = clock.currentTimeMillisUnsafe()
  let heard = 0

  const tell: AgentUpdates["tell"] = ([first, ...others], line) => {
    const mark = replaying ? asReplay : (event: EventBody) => event
    if (first !== undefined) sink.emit(mark(first), line)
    for (const event of others) sink.emit(mark(event))
  }

  const endSpeech = () => tell(state.speech.end())

  /** Nothing ends what is said between two turns, so its end is that nothing follows. */
  const endSpeechLater = (count: number) =>
    fork(Effect.delay(Effect.sync(() => heard === count ? endSpeech() : undefined), silence))

  const receive: AgentUpdates["receive"] = (params, line) => {
    heard += 1
    heardAt = clock.currentTimeMillisUnsafe()
    const read = readPiece(params) ?? readOther(params)
    if (typeof read === "string") return tell([{ type: "stream_event", metadata: { update: read } }], line)
    tell(endedBy(read, state))
    tell(translate(read, state), line)
    if (state.speech.isOpen() && !sink.inTurn()) endSpeechLater(heard)
  }

  return {
    receive,
    tell,
    endSpeech,
    setReplay: (on) => {
      replaying = on
    },
    lastHeard: () => heardAt
  }
}

/** An update, or the name of one nobody here knows. */
const readOther = (params: unknown): SessionUpdate | string =>
  Option.match(readNotification(params), {
    onNone: () => "unknown",
    onSome: ({ update }) => Option.getOrElse(readUpdate(update), () => update.sessionUpdate)
  })
