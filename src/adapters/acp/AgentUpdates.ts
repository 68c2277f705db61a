/**
 * AgentUpdates: turns an agent's updates into events, in order.
 *
 * Text chunks are read by hand because an agent sends thousands of them; everything else goes through its
 * Schema. History replayed when a session is loaded is marked as such.
 */
import { type Clock, Effect, type Fiber, Option, Predicate, Schema } from "effect"
import type { EventBody } from "../../schema/index.js"
import type { EventSink } from "../Adapter.js"
import { status } from "../wire/statusEvent.js"
import { firstText, wordsBeside, wordsIn } from "../wire/words.js"
import { type Chunk, SessionNotification, SessionUpdate } from "./AcpMessage.js"
import { type AcpState, endedBy, endSummaries, translate, unknownUpdate } from "./translate.js"

type Events = ReadonlyArray<EventBody>

/** Text sent outside a turn is emitted whole after this long without another update. */
const silence = "500 millis"
/** How long to wait for the rest of a call's input before reporting the call without it. */
const patience = "500 millis"

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

/** A text chunk as the Schema would read it; undefined for anything that needs full decoding. */
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

/** The conversation itself or one of its subagents. */
export interface Thread {
  readonly state: AcpState
  /** Metadata that identifies its events. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly mark: (events: Events) => Events
}

export interface AgentUpdates {
  /** Handle a `session/update`. */
  readonly receive: (params: unknown, line: Buffer) => void
  /** Emit events; the first one carries the line. */
  readonly tell: (events: Events, line?: Buffer) => void
  /** Emit the pending message or thought as a whole. */
  readonly endSpeech: () => void
  /** End the turn: every call gets a result. */
  readonly endTurn: (stopped: boolean) => void
  /** The thread a session id belongs to: the conversation or a subagent. */
  readonly threadOf: (sessionId: string | undefined) => Thread
  /** Mark what follows as history, until the first prompt. */
  readonly setReplay: (on: boolean) => void
  /** Time of the last update, in ms. */
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

  /** Subagents have their own sessions on the same connection; their chunks are joined separately. */
  const children = new Map<string, AcpState>()
  const originOf = (thread: string): Readonly<Record<string, unknown>> => ({
    thread_id: thread,
    ...subagents.get(thread)
  })
  /** Known subagents: the call that started each, and its title. */
  const subagents = new Map<string, Readonly<Record<string, unknown>>>()

  const childOf = (thread: string): AcpState => {
    const known = children.get(thread)
    if (known !== undefined) return known
    const child = state.childState(thread)
    children.set(thread, child)
    return child
  }

  /** A subagent's modes, meters and names are its own; only the change itself is reported. */
  const marked = (events: Events, thread: string): Events =>
    events.map((event): EventBody => {
      const { metadata: own } = event
      const metadata = { ...own, ...originOf(thread) }
      const isMessage = event.type === "status" && event.status === "session_message"
      return history.has(event.type) || isMessage
        ? { ...event, metadata } as EventBody // The same event, marked with its origin.
        : status(
          "subagent",
          "text" in event ? event.text : undefined,
          { ...originOf(thread), update: event.type === "status" ? event.status : event.type }
        )
    })

  const threadOf = (sessionId: string | undefined): string | undefined =>
    sessionId === undefined || state.sessionId === undefined || sessionId.trim() === state.sessionId.trim()
      ? undefined
      : sessionId

  const childrenSpeech = () => {
    for (const [thread, child] of children) {
      tell(marked([...child.messages.end(), ...child.speech.end()], thread))
    }
  }

  const endSpeech = () => {
    childrenSpeech()
    tell([...state.messages.end(), ...state.speech.end()])
  }

  const endTurn = (stopped: boolean) => {
    for (const [thread, child] of children) tell(marked(child.tools.endTurn(stopped), thread))
    tell(state.tools.endTurn(stopped))
    tell(endSummaries(state))
  }

  /** Nothing marks the end of text between two turns; it ends when nothing follows. */
  const endSpeechLater = (count: number) =>
    fork(Effect.delay(Effect.sync(() => heard === count ? endSpeech() : undefined), silence))

  /** If nothing arrives for a while, a call still waiting for input is reported as far as it is known. */
  const releaseLater = (current: AcpState, mark: (events: Events) => Events) =>
    fork(Effect.delay(
      Effect.sync(() => {
        tell(mark(current.tools.release()))
      }),
      patience
    ))

  /** Name of a subagent's call or of one of the conversation's own. */
  const nameIn = (parent: string | undefined, id: string): string => {
    const { tools } = (parent === undefined ? undefined : children.get(parent)) ?? state
    return (tools.fieldsOf(id) === undefined ? state.tools : tools).nameOf(id)
  }

  /** Omitted fields keep their value; null clears them. */
  const learn = (update: Readonly<Record<string, unknown>>, parent: string | undefined): Events => {
    const {
      description,
      subagentId,
      sessionId: given = subagentId,
      status: word,
      state: work = word,
      title,
      toolCallId
    } = update
    const sessionId = idIn(given)
    if (sessionId === undefined) return unknownUpdate("subagent_update", update)
    const { agent: before, ...known } = subagents.get(sessionId) ?? {}
    const agent = title === undefined ? before : title
    subagents.set(sessionId, {
      ...known,
      ...(typeof agent === "string" && { agent }),
      ...(parent !== undefined && { parent_thread_id: parent }),
      ...(idIn(toolCallId) !== undefined && { parent_tool_use_id: nameIn(parent, idIn(toolCallId) ?? "") })
    })
    const does = firstText(work) ?? wordsIn(work) ??
      (Predicate.hasProperty(work, "type") ? firstText(work.type) : undefined)
    const words = [firstText(agent), firstText(description), does].filter((part) => part !== undefined)
    return [status("subagent_update", words.length > 0 ? words.join(": ") : undefined, {
      ...originOf(sessionId),
      ...(work !== undefined && work !== null && { state: work })
    })]
  }

  const receive: AgentUpdates["receive"] = (params, line) => {
    heard += 1
    heardAt = clock.currentTimeMillisUnsafe()
    const thread = threadOf(sessionIdOf(params))
    const mark = (events: Events) => thread === undefined ? events : marked(events, thread)
    const current = thread === undefined ? state : childOf(thread)
    const piece = readPiece(params)
    const notification = piece === undefined ? Option.getOrUndefined(readNotification(params)) : undefined
    if (notification?.update?.sessionUpdate === "subagent_update") {
      return tell(learn(notification.update, thread), line)
    }
    const message = notification?.update === undefined
      ? undefined
      : current.messages.take(notification.update)
    if (message !== undefined) {
      if (!sink.inTurn()) endSpeechLater(heard)
      return tell(mark(message), line)
    }
    tell(mark(current.messages.end()))
    const read = piece ?? Option.getOrUndefined(readUpdate(withContent(notification?.update)))
    if (read === undefined) {
      const { update } = notification ?? {}
      const said = update ?? (Predicate.hasProperty(params, "update") ? params.update : params)
      return tell(mark(unknownUpdate(update?.sessionUpdate ?? "unknown", said)), line)
    }
    tell(mark(endedBy(read, current)))
    const isWaiting = current.tools.isWaiting()
    tell(mark(withWords(translate(read, current), notification?.update)), line)
    if (current.speech.isOpen() && !sink.inTurn()) endSpeechLater(heard)
    if (isWaiting || !current.tools.isWaiting()) return
    // Text before this point is not part of the answer.
    current.speech.forget()
    releaseLater(current, mark)
  }

  return {
    receive,
    tell,
    endSpeech,
    endTurn,
    threadOf: (sessionId) => {
      const thread = threadOf(sessionId)
      return thread === undefined
        ? { state, metadata: {}, mark: (events) => events }
        : { state: childOf(thread), metadata: originOf(thread), mark: (events) => marked(events, thread) }
    },
    setReplay: (on) => {
      // Whatever the history left open has ended.
      if (replaying && !on) endTurn(true)
      replaying = on
    },
    lastHeard: () => heardAt
  }
}

/** For example a settings change that also carries text for people. */
const withWords = ([first, ...others]: Events, update: unknown): Events => {
  if (first?.type !== "status" || first.text !== undefined) {
    return first === undefined
      ? []
      : [first, ...others]
  }
  const text = wordsBeside(update)
  return [text === undefined ? first : { ...first, text }, ...others]
}

const idIn = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined

const sessionIdOf = (params: unknown): string | undefined =>
  Predicate.hasProperty(params, "sessionId") ? idIn(params.sessionId) : undefined

/** The text may be in a differently named field. */
const withContent = (update: Readonly<Record<string, unknown>> | undefined) => {
  if (update === undefined || !isPieceKind(update["sessionUpdate"]) || "content" in update) return update
  const { delta, message, text = message ?? delta } = update
  return text === undefined ? update : { ...update, content: text }
}
