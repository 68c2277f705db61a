/**
 * runs: maps AG-UI requests to the relay's sessions. A thread is a session; a run is one stretch of it: from
 * a prompt, or answers to questions, up to the next question or the end of the turn.
 *
 * Nothing is remembered between two runs. The client reports its own position: through the questions it
 * answers, and through `state.relay.seq`, which it received. A client that disconnects from a run does not
 * stop the turn.
 */
import { Effect, Stream } from "effect"
import type { Handshake, RelayEvent } from "../../schema/index.js"
import type { AskOp, Op } from "../Op.js"
import * as project from "../project.js"
import { open, text } from "../read.js"
import { brokenOff, inChat, type PortError, type PortSession, SessionPort } from "../SessionPort.js"
import * as stretch from "../stretch.js"
import { toResponse } from "./answers.js"
import * as Encoder from "./encode.js"
import type { Input } from "./input.js"

export type Events = Stream.Stream<ReadonlyArray<Encoder.AguiEvent>>

const whens = new Set(["queue", "steer", "interrupt"])

const wish = ({ wishes }: Input, name: string) => {
  const value = text(wishes[name])
  return value === undefined || value === "" ? {} : { [name]: value }
}

const handshakeOf = (input: Input, tool: string | undefined, must_exist: boolean): Handshake => ({
  session_id: input.session_id,
  front: "ag-ui",
  ...(tool !== undefined && { tool }),
  ...wish(input, "tool"),
  ...wish(input, "folder"),
  ...wish(input, "model"),
  ...wish(input, "permission_mode"),
  ...(must_exist && { must_exist })
} as Handshake)

/** An existing session ignores the handshake's settings: a command changes them. */
const change = Effect.fnUntraced(function*(session: PortSession, input: Input) {
  if (!session.attached) return
  const now = session.start.metadata ?? {}
  const { model } = wish(input, "model")
  const { permission_mode: mode } = wish(input, "permission_mode")
  if (model !== undefined && model !== now["model"]) yield* session.submit({ type: "set_model", model })
  if (mode !== undefined && mode !== now["permission_mode"]) {
    yield* session.submit({ type: "set_permission_mode", mode })
  }
})

/** Events up to `last_seq`, without opening anything. */
const past = (port: SessionPort["Service"], session: PortSession, last_seq: number) =>
  Effect.map(
    port.read(session.session_id as never, 0),
    (events = Stream.empty) => Stream.takeUntil(events, ({ seq }) => seq >= last_seq)
  )

/** The questions being answered, by id, and where the last of them was asked. */
const findAsks = Effect.fnUntraced(function*(
  port: SessionPort["Service"],
  session: PortSession,
  ids: ReadonlySet<string>
) {
  const asks = new Map<string, AskOp>()
  let seq = 0
  if (ids.size === 0) return { asks, seq }
  const { last_seq } = yield* session.now
  const projector = project.make({ settled_until: last_seq })
  yield* Stream.runForEach(yield* past(port, session, last_seq), (event) =>
    Effect.sync(() => {
      for (const op of projector.next(event)) {
        if (op.type !== "ask" || !ids.has(op.request_id)) continue
        asks.set(op.request_id, op)
        seq = event.seq
      }
    }))
  return { asks, seq }
})

/** Merges deltas of one message, and output of one tool, that arrived together. */
export const joined = <Item extends Pick<stretch.Item, "known" | "op">>(
  items: ReadonlyArray<Item>
): ReadonlyArray<Item> => {
  const all: Array<Item> = []
  for (const item of items) {
    const last = all.at(-1)
    const [before, op] = [last?.op, item.op]
    if (
      (op.type === "delta" || op.type === "output_delta") && before?.type === op.type && before.id === op.id
      && last?.known === item.known
    ) all[all.length - 1] = { ...item, op: { ...op, text: before.text + op.text } }
    else all.push(item)
  }
  return all
}

const finishOf = (ending: stretch.Ending | undefined): Encoder.Finish => {
  switch (ending?.type) {
    case "asked":
      return ending
    case "refused":
      return { type: "failed", message: ending.error.message, code: ending.error.code }
    case "session_end":
      return {
        type: "failed",
        message: "The session has ended: the next message reopens it.",
        code: "session_ended"
      }
    default:
      return { type: "done" }
  }
}

const failed = (error: PortError): Encoder.Finish => ({
  type: "failed",
  message: error.message,
  code: error.code
})

/** The current state, whatever was reported before. */
const learnStart = (encoder: Encoder.Encoder, { start }: PortSession) => {
  for (const op of project.make().next({ ...start, seq: 1, ts: 0 } as RelayEvent)) encoder.learn(op)
}

/** Inputs a page gives its agent that a coding agent cannot accept. */
const declined = ({ state, tools }: Input): ReadonlyArray<Encoder.AguiEvent> => {
  const names = tools.join(", ")
  return names === "" || open(state["relay"])["page_tools"] === names ? [] : [{
    type: "CUSTOM",
    name: "ai-relay.notice",
    value: {
      level: "tools",
      text: `The agent has its own tools and cannot call the page's (${names}).`,
      metadata: { tools }
    }
  }]
}

/**
 * One run. Fails before sending anything if the relay refuses it. The end of the scope leaves the session.
 *
 * `memory` goes into `state.relay`, so that the client sends it back.
 */
export const run = Effect.fn("agui.run")(
  function*(
    input: Input,
    tool: string | undefined,
    memory: { readonly context: string; readonly tools: string }
  ) {
    const port = yield* SessionPort
    const isNew = input.prompt !== undefined && input.answers.length === 0
    // Without a prompt or a position, the client wants to know everything there is.
    const isLost = input.prompt === undefined && input.answers.length === 0 && input.seq === undefined
    if (isLost && input.wishes["stop"] !== true) return yield* connect(input, true)
    const place = (seq: number): Encoder.Run => ({ ...input, seq })
    const nothing = Effect.sync((): Events => {
      const at = place(input.seq ?? 0)
      const encoder = Encoder.make(input)
      return Stream.make([...encoder.begin(at), ...encoder.finish(at, { type: "done" }, at.seq)])
    })

    const joining = Effect.mapError(port.join(handshakeOf(input, tool, !isNew)), inChat)
    const session = yield* Effect.catchIf(
      joining,
      // Nothing to do; but answers need a session.
      ({ code }) => code === "session_not_found" && input.prompt === undefined && input.answers.length === 0,
      () => Effect.succeed(undefined)
    )
    if (session === undefined) return yield* nothing
    // A position this session has not reached is one in an earlier session of this name, whose messages have the same ids.
    const prefix = (input.seq ?? 0) > session.last_seq ? input.newPrefix : input.prefix
    const encoder = Encoder.make({ ...input, prefix })
    if (input.wishes["stop"] === true) {
      yield* session.submit({ type: "interrupt" })
      return yield* nothing
    }
    yield* change(session, input)

    const ids = new Set(input.answers.map(({ interruptId }) => interruptId))
    const { asks, seq: askedAt } = yield* findAsks(port, session, ids)
    const { pending } = yield* session.now
    for (const answer of input.answers) {
      // Another client has already answered these.
      if (!pending.includes(answer.interruptId)) continue
      yield* session.submit(toResponse(answer, asks.get(answer.interruptId)))
    }
    const isOpen = pending.some((id) => !ids.has(id))

    const message = input.prompt
    const command = message === undefined ? undefined : {
      type: "user_message" as const,
      ...message,
      ...(whens.has(String(input.wishes["when"]))
        ? { when: input.wishes["when"] as "queue" }
        // The person wrote instead of answering.
        : isOpen && isNew
        ? { when: "interrupt" as const }
        : {})
    }
    const answered = [...ids]
    const after_seq = Math.max(
      askedAt,
      Math.min(input.seq ?? (askedAt > 0 ? 0 : session.last_seq), session.last_seq)
    )
    const goesOn = input.answers.length > 0
      && (message === undefined || (yield* stretch.knows(port, session, message.message_id)))
    const following = command === undefined || goesOn
      ? stretch.resume(port, session, {
        after_seq,
        answered,
        message_id: message?.message_id,
        isLive: true
      })
      : yield* stretch.prompt(port, session, command, { answered })

    learnStart(encoder, session)
    const begun = place(after_seq)
    /** Messages and calls begun before this run; those that continue are begun again. */
    const begunBefore = new Map<string, Op>()
    const calledBefore = new Map<string, Op>()
    const encode = (items: ReadonlyArray<stretch.Item>) =>
      joined(items).flatMap(({ known, op }) => {
        const isEnd = op.type === "end" && begunBefore.delete(op.id)
        if (known || isEnd) {
          if (op.type === "start") begunBefore.set(op.id, { ...op, again: true })
          // The encoder leaves out what the client already shows; a client that reports its position has
          // received everything before it.
          if (op.type === "tool_call" && input.seq === undefined) {
            calledBefore.set(op.id, { ...op, known: false })
          }
          encoder.encode(op)
          return []
        }
        const call = op.type === "tool_result" ? calledBefore.get(op.id) : undefined
        const again = [...begunBefore.values(), ...call === undefined ? [] : [call]].flatMap((start) =>
          encoder.encode(start)
        )
        begunBefore.clear()
        return [...again, ...encoder.encode(op)]
      })
    const told: Events = following.items.pipe(
      Stream.map(encode),
      Stream.concat(
        Stream.suspend(() => {
          const ending = following.ending()
          return Stream.make(encoder.finish(begun, finishOf(ending), ending?.seq ?? after_seq))
        })
      ),
      Stream.catch((error) => Stream.make(encoder.finish(begun, failed(error), after_seq)))
    )
    const first = encoder.begin({
      ...begun,
      state: {
        ...input.state,
        relay: {
          ...open(input.state["relay"]),
          session_id: session.session_id,
          page_context: memory.context,
          page_tools: memory.tools,
          ...(prefix !== "" && { prefix })
        }
      }
    })
    const unasked = [...ids].filter((id) => !asks.has(id)).map((id): Encoder.AguiEvent => ({
      type: "CUSTOM",
      name: "ai-relay.notice",
      value: {
        level: "refused",
        text: `There is no question named "${id}" in this thread: answer the interrupts of its last run.`,
        metadata: { interruptId: id }
      }
    }))
    return Stream.concat(Stream.make([...first, ...declined(input), ...unasked]), told)
  }
)

/**
 * The whole thread: each turn as a run, in order, including the running one live. Ends with that turn or at a
 * pending question. Opens nothing; a thread that does not exist yet gives no events.
 */
export const connect = Effect.fn("agui.connect")(function*(input: Input, mustRun = false) {
  const port = yield* SessionPort
  const listing = yield* port.listing(input.session_id)
  const events = listing === undefined ? undefined : yield* port.read(input.session_id, 0)
  const encoder = Encoder.make({ dialect: input.dialect, shown: Encoder.nothingShown })
  if (listing === undefined || events === undefined) {
    const nothing: Encoder.Run = { ...input, seq: 0 }
    return (mustRun
      ? Stream.make([...encoder.begin(nothing), ...encoder.finish(nothing, { type: "done" }, 0)])
      : Stream.empty) as Events
  }
  const left = brokenOff(listing)
  const last_seq = listing.last_seq + left.length
  const open_turn_seq = left.length > 0 ? undefined : listing.open_turn_seq
  const projector = project.make({
    settled_until: open_turn_seq === undefined ? last_seq : open_turn_seq - 1
  })
  const { prefix: _, ...relay } = open(input.state["relay"])
  const runOf = (id: string): Encoder.Run => ({
    threadId: input.threadId,
    runId: `${input.session_id}-${id}`,
    state: { ...input.state, relay: { ...relay, session_id: input.session_id } },
    seq: 0
  })
  let run: Encoder.Run | undefined
  let isFirst = true
  let isOver = false

  const begin = (id: string) => {
    run = runOf(id)
    const begun = encoder.begin(run)
    if (!isFirst) return begun
    isFirst = false
    // What the client shows is sent again as a whole.
    return [...begun, { type: "MESSAGES_SNAPSHOT", messages: [] }]
  }
  const finish = (how: Encoder.Finish, seq: number) => {
    const events = run === undefined ? [] : encoder.finish(run, how, seq)
    run = undefined
    return events
  }

  const tell = (op: Op, seq: number): ReadonlyArray<Encoder.AguiEvent> => {
    if (op.type === "turn_start") {
      return [...finish({ type: "done" }, seq), ...begin(String(op.turn)), ...encoder.encode(op)]
    }
    if (op.type === "turn_end") {
      const told = encoder.encode(op)
      return [...told, ...finish({ type: "done" }, seq)]
    }
    const told = encoder.encode(op)
    if (run !== undefined) return told
    // Between turns: messages form a run of their own; the rest goes into the next run's state.
    return told.some(Encoder.isMessage) ? [...begin(String(seq)), ...told] : []
  }

  /** The open turn waits for a person: those questions end the output. */
  const waiting = (seq: number) =>
    Effect.map(port.listing(input.session_id), (listing): ReadonlyArray<Encoder.AguiEvent> => {
      const { pending = [], pending_seqs = {} } = listing ?? {}
      const asks = projector.asking().filter(({ request_id }) => pending.includes(request_id))
      if (asks.length === 0 || Object.values(pending_seqs).some((asked) => asked > seq)) return []
      isOver = true
      return finish({ type: "asked", asks }, seq)
    })

  return (left.length > 0 ? Stream.concat(events, Stream.fromIterable(left)) : events).pipe(
    Stream.chunks,
    Stream.mapEffect(Effect.fnUntraced(function*(batch) {
      const told: Array<Encoder.AguiEvent> = []
      for (const event of batch) {
        const ops = projector.next(event)
        for (const op of ops) told.push(...tell(op, event.seq))
        const isLive = open_turn_seq !== undefined && event.seq >= open_turn_seq
        if (isLive && ops.some(({ type }) => type === "ask")) told.push(...yield* waiting(event.seq))
        isOver ||= open_turn_seq === undefined
          ? event.seq >= last_seq
          : event.type === "turn_end" && event.seq > open_turn_seq
        if (isOver) {
          told.push(...finish({ type: "done" }, event.seq))
          break
        }
      }
      return told
    })),
    Stream.takeUntil(() => isOver),
    Stream.concat(
      Stream.suspend(() =>
        Stream.make([...isFirst && mustRun ? begin("empty") : [], ...finish({ type: "done" }, last_seq)])
      )
    ),
    Stream.catch((error) => Stream.make(finish(failed(error), last_seq))),
    Stream.filter((told) => told.length > 0)
  ) as Events
})

/** Stops this thread's turn, if one is running. */
export const stop = Effect.fn("agui.stop")(function*(input: Pick<Input, "session_id">) {
  const port = yield* SessionPort
  const listing = yield* port.listing(input.session_id)
  if (listing?.state !== "running") return false
  const session = yield* port.join({ session_id: input.session_id, must_exist: true, front: "ag-ui" })
  yield* session.submit({ type: "interrupt" })
  return true
}, Effect.scoped)

/** A page's first request. */
export const info = Effect.fn("agui.info")(function*(version: string) {
  const port = yield* SessionPort
  // A terminal has no turns; the demo, which shows everything a page can display, is always available.
  const agents = [
    ...(yield* port.agents).filter(({ installed, logged_in, tool }) =>
      installed && logged_in !== false && tool !== "generic" && tool !== "demo"
    ),
    { tool: "demo", name: "Demo: a recorded session, with no model behind it" }
  ]
  return {
    version,
    mode: "sse",
    agents: Object.fromEntries(agents.map(({ name, tool }) => [tool, { name: tool, description: name }])),
    audioFileTranscriptionEnabled: false,
    threadEndpoints: { list: false, inspect: false, mutations: false, realtimeMetadata: false },
    suggestions: false,
    a2uiEnabled: false,
    openGenerativeUIEnabled: false,
    telemetryDisabled: true
  }
})
