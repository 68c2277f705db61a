/**
 * recordedPort: a relay with one session, whose log is a recording. It holds the events up to `shown`; a reader that wants
 * more is given the next one, so that nothing happens but what somebody looks at. What is submitted changes nothing: the
 * answers of the recording stand in it already.
 */
import { Effect, Stream } from "effect"
import type { PortSession, SessionListing, SessionPort } from "../../src/fronts/SessionPort.js"
import { type BodyOf, type ClientCommand, type RelayEvent, SessionId } from "../../src/schema/index.js"

export interface RecordedPort {
  readonly port: SessionPort["Service"]
  readonly shown: () => number
  /** The log holds so much from now on. */
  readonly show: (seq: number) => void
  /** Whoever wants to read beyond this one is cut off without a word. */
  readonly cutAt: (seq: number) => void
  readonly submitted: ReadonlyArray<ClientCommand>
  /** A reader has come to the last event, or was cut off. */
  readonly isDone: () => boolean
}

export class Cut extends Error {}

export const make = (events: ReadonlyArray<RelayEvent>): RecordedPort => {
  const session_id = events[0]?.session_id ?? SessionId.make("recorded")
  const last = events.at(-1)?.seq ?? 0
  const submitted: Array<ClientCommand> = []
  const duplicates: Array<RelayEvent> = []
  let shown = 0
  let limit = Infinity
  let isDone = false

  const listing = (): SessionListing => {
    const asked = new Map<string, number>()
    let open: { readonly turn: number | undefined; readonly seq: number } | undefined
    let turns = 0
    let isClosed = false
    for (const event of events) {
      if (event.seq > shown) break
      if (event.type === "turn_start") {
        open = { turn: event.turn, seq: event.seq }
        turns++
      }
      if (event.type === "turn_end") open = undefined
      if (event.type === "permission_request") asked.set(event.request_id, event.seq)
      if (event.type === "control_response" || event.type === "permission_cancelled") {
        asked.delete(event.request_id ?? "")
      }
      if (event.type === "session_end") isClosed = true
    }
    return {
      session_id,
      tool: "fake",
      folder: "/workspace",
      state: isClosed ? "closed" : open === undefined ? "idle" : "running",
      created_at: 1,
      last_active_at: 1,
      last_seq: shown,
      turns,
      cost_usd: 0,
      clients: 1,
      pending: [...asked.keys()],
      pending_seqs: Object.fromEntries(asked),
      queued: [],
      ...(open !== undefined && { open_turn: open.turn, open_turn_seq: open.seq })
    }
  }

  /** What there is at once, what is to come one by one. */
  const after = (seq: number, isJoined = false): Stream.Stream<RelayEvent> =>
    Stream.unfold(
      seq,
      (at) =>
        Effect.suspend(() => {
          const own = isJoined ? duplicates.splice(0) : []
          if (own.length > 0) return Effect.succeed([own, at] as const)
          if (at >= last) {
            isDone = true
            return Effect.succeed(undefined)
          }
          if (at >= limit) {
            isDone = true
            return Effect.die(new Cut())
          }
          const until = Math.max(at + 1, Math.min(shown, limit))
          shown = Math.max(shown, until)
          return Effect.succeed([events.slice(at, until), until] as const)
        })
    ).pipe(Stream.flatMap((batch) => Stream.fromIterable(batch)))

  /** A prompt the session has had already is not given again: its sender is told so. */
  const submit = (command: ClientCommand) => {
    submitted.push(command)
    const { message_id } = command
    const isKnown = events.some((event) =>
      (event.type === "turn_start" || event.type === "input_ack") && event.seq <= shown
      && event.message_id === message_id
    )
    if (command.type !== "user_message" || message_id === undefined || !isKnown) return
    duplicates.push({ type: "input_ack", status: "duplicate", message_id, seq: shown, ts: 1, session_id })
  }

  const join: SessionPort["Service"]["join"] = () =>
    Effect.sync((): PortSession => {
      const last_seq = shown
      const start = events.findLast(({ seq, type }) => type === "session_start" && seq <= Math.max(1, shown))
      return {
        session_id,
        attached: true,
        start: start as BodyOf<"session_start">,
        last_seq,
        submit: (command) => Effect.sync(() => submit(command)),
        history: (seq) => Stream.fromIterable(events.slice(seq, last_seq)),
        now: Effect.sync(() => {
          const { queued = [], ...now } = listing()
          return { ...now, queued }
        }),
        events: after(last_seq, true)
      }
    })

  return {
    port: {
      join,
      list: Effect.sync(() => [listing()]),
      listing: (id) => Effect.sync(() => id === session_id ? listing() : undefined),
      read: (_, seq) => Effect.succeed(after(seq)),
      forget: () => Effect.void,
      agents: Effect.succeed([])
    },
    shown: () => shown,
    show: (seq) => {
      shown = seq
      isDone = false
    },
    cutAt: (seq) => {
      limit = seq
      isDone = false
    },
    submitted,
    isDone: () => isDone
  }
}
