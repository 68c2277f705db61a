/**
 * Chat: the requests of an AI SDK client, mapped to sessions. A chat's id is the session's. Each POST is
 * answered with the agent's output from there until its turn ends or waits for a person. Only the session's
 * log is kept in between, so any instance can continue where another was killed.
 *
 * The turn continues when a client disconnects. Only `stop` interrupts it.
 */
import { Effect, type Scope, Stream } from "effect"
import { type Handshake, isSessionId, type PermissionResponse, type RelayEvent } from "../../schema/index.js"
import { list, open, text } from "../read.js"
import { brokenOff, inChat, PortError, type PortSession, type SessionPort } from "../SessionPort.js"
import * as Stretch from "../stretch.js"
import * as Body from "./body.js"
import type { Chunk, Dialect, UIMessage } from "./Chunk.js"
import * as Messages from "./messages.js"
import { withPlainAnswer } from "./parts.js"
import * as Teller from "./teller.js"

/** The chunks of an answer; one array for those that arrived together. */
export type Chunks = Stream.Stream<ReadonlyArray<Chunk>, PortError>

export interface ChatOptions {
  readonly dialect: Dialect
  /** The person's client software, shown to the session's other clients. */
  readonly front: string
  readonly newId: () => string
}

export interface Chat {
  /** A prompt or answers. Fails before sending anything if it is refused. */
  readonly post: (tool: string, body: unknown) => Effect.Effect<Chunks, PortError, Scope.Scope>
  /** The running turn from its start; undefined if there is none. */
  readonly resume: (id: string) => Effect.Effect<Chunks | undefined, PortError, Scope.Scope>
  /** Interrupt the running turn; false if there is none. */
  readonly stop: (id: string) => Effect.Effect<boolean, PortError>
  /** Answer a question in the format of `permission_response`; for clients without approvals. */
  readonly answer: (id: string, body: unknown) => Effect.Effect<void, PortError>
  /** The whole conversation; empty for an unknown chat. */
  readonly messages: (id: string) => Effect.Effect<ReadonlyArray<UIMessage>, PortError>
}

const bad = (reason: string) => new PortError({ code: "bad_command", reason })

const given = (fields: object) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** A stretch as the chunks of one answer. */
export const tell = (stretch: Stretch.Stretch, options: Teller.TellerOptions): Chunks => {
  const teller = Teller.make(options)
  return Stream.concat(
    Stream.filter(
      Stream.map(stretch.items, (items) => teller.next(items, stretch.ending() !== undefined)),
      (chunks) => chunks.length > 0
    ),
    Stream.suspend(() => {
      const ending = stretch.ending()
      const chunks = ending === undefined ? [] : teller.end(ending)
      return chunks.length === 0 ? Stream.empty : Stream.succeed(chunks)
    })
  )
}

export const make = (port: SessionPort["Service"], { dialect, front, newId }: ChatOptions): Chat => {
  const join = Effect.fnUntraced(function*(fields: object) {
    // What a page sent is decoded by the port.
    return yield* Effect.mapError(port.join({ ...given(fields), front } as Handshake), inChat)
  })

  /** Apply the client's requested settings where the session's differ. */
  const change = Effect.fnUntraced(
    function*(session: PortSession, { model, permission_mode }: Body.Settings) {
      const now = session.start.metadata ?? {}
      if (!session.attached) return
      if (model !== undefined && model !== now["model"]) yield* session.submit({ type: "set_model", model })
      if (permission_mode !== undefined && permission_mode !== now["permission_mode"]) {
        yield* session.submit({ type: "set_permission_mode", mode: permission_mode })
      }
    }
  )

  const options = { endAtAsk: dialect !== 5, isLive: true }

  const prompt = Effect.fnUntraced(function*(tool: string, wanted: Body.Prompt) {
    const { command, folder, isAgain, model, permission_mode, session_id, unanswered } = wanted
    const session = yield* join({ tool, session_id, folder, model, permission_mode })
    yield* change(session, wanted)
    const { pending } = yield* session.now
    // The person types instead of answering: that is not a yes, and the turn must not wait forever.
    const isInstead = command.when === undefined && pending.some((id) => isAgain || unanswered.includes(id))
    const given = isInstead ? { ...command, when: "interrupt" as const } : command
    const stretch = yield* Stretch.prompt(port, session, given, options)
    return tell(stretch, { dialect, session_id, goesOn: false })
  })

  /** If one thing was asked, a plain reason is the answer. */
  const fit = (session: PortSession, answer: PermissionResponse): PermissionResponse => {
    const asked = list(session.start.metadata?.["pending_permissions"]).find(({ request_id }) =>
      request_id === answer.request_id
    )
    return withPlainAnswer(answer, asked?.["args"])
  }

  /** Send these answers and wait until each is settled; gives the reason if one was not accepted. */
  const respond = Effect.fnUntraced(
    function*(session: PortSession, answers: ReadonlyArray<PermissionResponse>) {
      const { pending } = yield* session.now
      const open = answers.filter(({ request_id }) =>
        request_id !== undefined && pending.includes(request_id)
      )
      const waiting = new Map<string, string>()
      const problems: Array<string> = []
      const hear = (event: RelayEvent) => {
        if (event.type === "control_response" || event.type === "permission_cancelled") {
          for (const [message_id, request_id] of waiting) {
            if (request_id === event.request_id) waiting.delete(message_id)
          }
        }
        if (event.type === "error" && waiting.delete(event.message_id ?? "")) problems.push(event.text)
      }
      for (const answer of open) {
        const message_id = newId()
        waiting.set(message_id, answer.request_id ?? "")
        yield* session.submit({ ...fit(session, answer), message_id })
      }
      if (waiting.size === 0) return problems
      yield* session.events.pipe(
        Stream.tap((event) => Effect.sync(() => hear(event))),
        Stream.takeUntil(() => waiting.size === 0),
        Stream.runDrain
      )
      return problems
    }
  )

  const answers = Effect.fnUntraced(function*(wanted: Body.Answers) {
    const { answers, message_id, seq, session_id } = wanted
    const session = yield* join({ session_id, must_exist: true })
    const problems = yield* respond(session, answers)
    yield* change(session, wanted)
    const stretch = Stretch.resume(port, session, { ...options, after_seq: seq, message_id })
    const before = problems.map((text) => ({
      type: "data-notice",
      data: { level: "refused", name: "permission_response", text },
      transient: true
    }))
    return tell(stretch, { dialect, session_id, goesOn: true, before })
  })

  const post: Chat["post"] = Effect.fnUntraced(function*(tool, body) {
    const wanted = Body.read(body, newId)
    if (wanted instanceof PortError) return yield* wanted
    return yield* (wanted.type === "prompt" ? prompt(tool, wanted) : answers(wanted))
  })

  /** The live session of this name, if it is running a turn. */
  const running = Effect.fnUntraced(function*(id: string) {
    const listing = yield* port.listing(id)
    return listing?.open_turn_seq === undefined || listing.state === "closed" ? undefined : listing
  })

  const resume: Chat["resume"] = Effect.fnUntraced(function*(id) {
    const listing = yield* running(id)
    if (listing?.open_turn_seq === undefined) return undefined
    const session = yield* join({ session_id: id, must_exist: true })
    const stretch = Stretch.resume(port, session, { ...options, after_seq: listing.open_turn_seq - 1 })
    return tell(stretch, { dialect, session_id: id, goesOn: false })
  })

  const stop: Chat["stop"] = Effect.fnUntraced(
    function*(id) {
      if ((yield* running(id)) === undefined) return false
      const session = yield* join({ session_id: id, must_exist: true })
      yield* session.submit({ type: "interrupt" })
      return true
    },
    Effect.scoped
  )

  const answer: Chat["answer"] = Effect.fnUntraced(
    function*(id, body) {
      const response = Body.readAnswer(body)
      if (response instanceof PortError) return yield* response
      const session = yield* join({ session_id: id, must_exist: true })
      const { pending } = yield* session.now
      if (!pending.includes(response.request_id ?? "")) {
        return yield* bad(
          `nothing named "${
            text(open(body)["request_id"]) ?? ""
          }" is waiting for an answer: it was already answered, or never asked`
        )
      }
      const [problem] = yield* respond(session, [response])
      if (problem !== undefined) return yield* bad(problem)
    },
    Effect.scoped
  )

  const messages: Chat["messages"] = Effect.fnUntraced(function*(id) {
    if (!isSessionId(id)) return []
    const listing = yield* port.listing(id)
    if (listing === undefined || listing.last_seq === 0) return []
    const events = yield* port.read(id, 0)
    if (events === undefined) return []
    const shown = Messages.make(id, dialect)
    yield* events.pipe(
      Stream.takeUntil(({ seq }) => seq >= listing.last_seq),
      Stream.runForEach((event) => Effect.sync(() => shown.next(event)))
    )
    for (const event of brokenOff(listing)) shown.next(event)
    return shown.end()
  })

  return { post, resume, stop, answer, messages }
}
