/**
 * stretch: one answer of a protocol that answers each request separately: from a prompt, or from the client's
 * position, until the turn ends or waits for a person. The turn continues in the meantime; the next request
 * is another stretch.
 *
 * Nothing is remembered between two stretches: the client's position is a `seq` of the session's log.
 */
import { Effect, Exit, Scope, Stream } from "effect"
import type { ClientCommand, RelayEvent } from "../schema/index.js"
import type { AskOp, Op } from "./Op.js"
import * as project from "./project.js"
import { text, texts } from "./read.js"
import { PortError, type PortSession, type SessionNow, type SessionPort } from "./SessionPort.js"

export interface Item {
  readonly op: Op
  /** The log position of the source event, and its time in seconds. */
  readonly seq: number
  readonly ts: number
  /** The client already has it; an encoder may need it to know what is open. */
  readonly known: boolean
}

/**
 * How it ended. `seq`: everything up to there was sent, the next stretch starts after it.
 *
 * - `asked`: the turn waits for answers to all of `asks`.
 * - `turn_end`: the turn is over.
 * - `refused`: the prompt was waiting for its turn and will not get one.
 * - `idle`: nothing is running and nothing will follow.
 */
export type Ending =
  | { readonly type: "asked"; readonly seq: number; readonly asks: ReadonlyArray<AskOp> }
  | { readonly type: "turn_end" | "session_end" | "idle"; readonly seq: number }
  | { readonly type: "refused"; readonly seq: number; readonly error: PortError }

export interface Stretch {
  /** From the beginning of the turn; one array for what arrived together. Run it only once. */
  readonly items: Stream.Stream<ReadonlyArray<Item>, PortError>
  /** How it ended, once `items` has ended; undefined before. */
  readonly ending: () => Ending | undefined
}

export interface Options {
  /** End when a person is asked. Default true. */
  readonly endAtAsk?: boolean
  /**
   * For a finished turn, include previews in their original order: for a client that saw part of it live and
   * shows things in order of arrival. Default: whole messages only.
   */
  readonly isLive?: boolean
  /** Requests answered just now: do not ask them again. */
  readonly answered?: ReadonlyArray<string>
}

export interface Place extends Options {
  /** The client has all events up to this one. */
  readonly after_seq: number
  /** Its last prompt: the stretch lasts until this prompt's turn has ended. */
  readonly message_id?: string | undefined
}

type Port = SessionPort["Service"]
type NamedPrompt = Extract<ClientCommand, { readonly type: "user_message" }> & { readonly message_id: string }

/** The turn's position: the client has everything up to `after_seq`, and the turn begins after `read_from`. */
interface Begun {
  readonly after_seq: number
  readonly read_from: number
}
type Heard = "queued" | "duplicate" | "asked" | Begun | PortError

const namesOf = (event: Extract<RelayEvent, { readonly type: "turn_start" }>): ReadonlyArray<string> => [
  ...event.message_id === undefined ? [] : [event.message_id],
  ...texts(event.metadata?.["message_ids"])
]

const nobody = (message_id: string) =>
  new PortError({
    code: "bad_command",
    reason:
      `the session already had the message "${message_id}", but its events are no longer available: send it with a new id`
  })

const ended = new PortError({
  code: "session_ended",
  reason: "the session ended before the prompt's turn began: send it again"
})

/** What an event says about a prompt, if anything. */
const listen = (message_id: string) => {
  let isSent = false
  return (event: RelayEvent): Heard | undefined => {
    const begins: Begun = { after_seq: event.seq - 1, read_from: event.seq - 1 }
    if (event.type === "turn_start") {
      // Prompts merged by an agent begin one turn, which may name none of them.
      return namesOf(event).includes(message_id) || (isSent && event.text === undefined) ? begins : undefined
    }
    if (event.type === "permission_request") return "asked"
    if ((event.type !== "input_ack" && event.type !== "error") || event.message_id !== message_id) {
      return undefined
    }
    if (event.type === "error") {
      return new PortError({
        code: event.code,
        reason: event.text,
        ...(event.metadata !== undefined && { detail: event.metadata })
      })
    }
    switch (event.status) {
      case "queued":
      case "duplicate":
        return event.status
      case "cancelled":
        return new PortError({
          code: "bad_command",
          reason: text(event.metadata?.["why"]) ?? "the prompt was withdrawn: send it again"
        })
      case "sent":
        isSent = true
        // Sent to a turn that was already running: its start was long ago.
        return event.turn === undefined ? undefined : { ...begins, read_from: -1 }
    }
  }
}

/** The start of this event's turn, or of the next one: the position before it. */
export const startOf = (
  port: Port,
  session_id: string,
  { open_turn_seq }: Pick<SessionNow, "open_turn_seq">,
  seq: number
) =>
  Effect.gen(function*() {
    if (open_turn_seq !== undefined && open_turn_seq <= seq + 1) return open_turn_seq - 1
    let start: number | undefined
    yield* Stream.runForEach(yield* past(port, session_id, 0, seq), (event) =>
      Effect.sync(() => {
        if (event.type === "turn_start") start = event.seq - 1
        if (event.type === "turn_end") start = undefined
      }))
    return start ?? seq
  })

/** Events after `after_seq` up to `last_seq`, even of a live session. */
const past = (port: Port, session_id: string, after_seq: number, last_seq: number) =>
  after_seq >= last_seq ? Effect.succeed(Stream.empty) : Effect.map(
    port.read(session_id as never, after_seq),
    (events = Stream.empty) =>
      Stream.filter(Stream.takeUntil(events, ({ seq }) => seq >= last_seq), ({ seq }) => seq <= last_seq)
  )

/** Where the turn of an already known prompt began. */
const find = Effect.fnUntraced(function*(port: Port, session: PortSession, message_id: string) {
  const { last_seq, queued } = yield* session.now
  if (queued.includes(message_id)) return "waiting"
  const hear = listen(message_id)
  let start = 0
  let found: Begun | undefined
  yield* Stream.runForEach(yield* past(port, session.session_id, 0, last_seq), (event) =>
    Effect.sync(() => {
      if (event.type === "turn_start") start = event.seq - 1
      const heard = hear(event)
      // An agent may accept a prompt into a running turn and still answer it in the next one.
      const isNews = found === undefined ||
        (event.type === "turn_start" && namesOf(event).includes(message_id))
      if (isNews && typeof heard === "object" && "after_seq" in heard) {
        found = { after_seq: heard.after_seq, read_from: heard.read_from < 0 ? start : heard.read_from }
      }
    }))
  return found ?? "unknown"
})

/** Follow the turn that begins there. */
const follow = (
  port: Port,
  session: PortSession,
  { after_seq, answered = [], endAtAsk = true, isLive = false, message_id, read_from }: Begun & Place,
  end: (ending: Ending) => void
) =>
  Effect.gen(function*() {
    const then = yield* session.now
    const { last_seq } = then
    const isOpen = then.open_turn_seq !== undefined && then.open_turn_seq - 1 <= read_from
    const projector = project.make({ settled_until: isOpen || isLive ? 0 : last_seq })
    let isOver = false
    let isOwn = message_id === undefined

    const finish = (ending: Ending) => {
      isOver = true
      end(ending)
    }

    /** Pending questions, once all of them were sent; none while some are still to come. */
    const waiting = Effect.fnUntraced(function*(seq: number) {
      const asked = projector.asking().filter(({ request_id }) => !answered.includes(request_id))
      if (!endAtAsk || asked.length === 0) return
      const { pending, pending_seqs = {} } = yield* session.now
      const asks = asked.filter(({ request_id }) => pending.includes(request_id))
      const isMore = pending.some((id) => !answered.includes(id) && (pending_seqs[id] ?? 0) > seq)
      if (asks.length > 0 && !isMore) finish({ type: "asked", seq, asks })
    })

    /** Whether the client's own prompt has its turn after this position or is waiting for one. */
    const isAhead = (seq: number): Effect.Effect<boolean, PortError> =>
      message_id === undefined || isOwn
        ? Effect.succeed(false)
        : Effect.map(
          find(port, session, message_id),
          (found) => found === "waiting" || (found !== "unknown" && found.after_seq >= seq)
        )

    /** Whether everything was sent. */
    const caughtUp = Effect.fnUntraced(function*(seq: number) {
      yield* waiting(seq)
      if (isOver || projector.turn() !== undefined) return
      if (!(yield* isAhead(seq))) finish({ type: "idle", seq })
    })

    const next = Effect.fnUntraced(function*(events: ReadonlyArray<RelayEvent>) {
      const items: Array<Item> = []
      for (const event of events) {
        const { seq, ts } = event
        const known = seq <= after_seq
        const ops = projector.next(event)
        for (const op of ops) items.push({ op, seq, ts, known })
        if (message_id !== undefined && event.type === "turn_start" && namesOf(event).includes(message_id)) {
          isOwn = true
        }
        if (event.type === "turn_end" && !known) {
          if (!(yield* isAhead(seq))) finish({ type: "turn_end", seq })
        } else if (event.type === "session_end") finish({ type: "session_end", seq })
        else if (!known && ops.some(({ type }) => type === "ask")) yield* waiting(seq)
        if (!isOver && seq === last_seq) yield* caughtUp(seq)
        if (isOver) break
      }
      return items
    })

    if (read_from >= last_seq) yield* caughtUp(last_seq)
    if (isOver) return Stream.empty
    const events = yield* port.read(session.session_id as never, read_from)
    return Stream.chunks(events ?? Stream.empty).pipe(
      Stream.mapEffect(next),
      Stream.takeUntil(() => isOver),
      Stream.filter((items) => items.length > 0),
      Stream.onEnd(Effect.sync(() => {
        if (!isOver) finish({ type: "session_end", seq: last_seq })
      }))
    )
  })

const make = (items: (end: (ending: Ending) => void) => Stretch["items"]): Stretch => {
  let ending: Ending | undefined
  return { items: items((ended) => (ending = ended)), ending: () => ending }
}

/** From the client's position: what it lacks of the turn there, or of the next one. */
export const resume = (port: Port, session: PortSession, place: Place): Stretch =>
  make((end) =>
    Stream.unwrap(Effect.gen(function*() {
      const now = yield* session.now
      // A position in another session of the same name may be further on than this one.
      const after_seq = Math.min(place.after_seq, now.last_seq)
      const read_from = yield* startOf(port, session.session_id, now, after_seq)
      return yield* follow(port, session, { ...place, after_seq, read_from }, end)
    }))
  )

/**
 * Send a prompt and follow its turn. Succeeds once the session has accepted it; fails if it is refused. A
 * prompt the session already had is not sent twice: its turn is given from its start. While another turn
 * keeps it waiting, nothing is given, unless that turn waits for a person: then that turn is.
 */
export const prompt = Effect.fnUntraced(
  function*(port: Port, session: PortSession, command: NamedPrompt, options: Options = {}) {
    const { message_id } = command
    const { endAtAsk = true } = options
    const hear = listen(message_id)
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const pull = yield* Scope.provide(Stream.toPull(session.events), scope)
    let rest: ReadonlyArray<RelayEvent> = []
    const more: Effect.Effect<ReadonlyArray<RelayEvent>, PortError> = Effect.catch(
      pull,
      (failure) => Effect.fail(failure instanceof PortError ? failure : ended)
    )

    const nextHeard = Effect.gen(function*() {
      for (;;) {
        const [event, ...others] = rest.length > 0 ? rest : yield* more
        rest = others
        const heard = event === undefined ? undefined : hear(event)
        if (heard !== undefined) return heard
      }
    })

    /** Another turn keeps it waiting and is itself waiting for a person. */
    const before = Effect.map(
      session.now,
      ({ open_turn_seq, pending }): Begun | undefined =>
        endAtAsk && pending.length > 0 && open_turn_seq !== undefined
          ? { after_seq: open_turn_seq - 1, read_from: open_turn_seq - 1 }
          : undefined
    )

    const begunAt = (heard: Heard) =>
      heard === "duplicate"
        ? Effect.flatMap(find(port, session, message_id), (found) =>
          found === "unknown"
            ? nobody(message_id)
            : Effect.succeed(found === "waiting" ? undefined : found))
        : heard === "queued" || heard === "asked"
        ? before
        : heard instanceof PortError
        ? heard
        : Effect.succeed(heard)

    const taken = yield* Effect.flatMap(
      Effect.andThen(session.submit(command), nextHeard),
      function onlyOurs(heard): Effect.Effect<Exclude<Heard, PortError>, PortError> {
        if (heard instanceof PortError) return Effect.fail(heard)
        return heard === "asked" ? Effect.flatMap(nextHeard, onlyOurs) : Effect.succeed(heard)
      }
    )

    const begun = Effect.gen(function*() {
      let found = yield* begunAt(taken)
      while (found === undefined) found = yield* begunAt(yield* nextHeard)
      yield* Scope.close(scope, Exit.void)
      return found.read_from >= 0
        ? found
        : {
          ...found,
          read_from: yield* startOf(port, session.session_id, yield* session.now, found.after_seq)
        }
    })

    return make((end) =>
      Stream.unwrap(
        Effect.matchEffect(begun, {
          onSuccess: (place) => follow(port, session, { ...options, ...place, message_id }, end),
          onFailure: (error) =>
            Effect.sync(() => {
              end({ type: "refused", seq: session.last_seq, error })
              return Stream.empty
            })
        })
      )
    )
  }
)

/** Whether the session has had this prompt or has it queued. */
export const knows = (port: Port, session: PortSession, message_id: string) =>
  Effect.map(find(port, session, message_id), (found) => found !== "unknown")
