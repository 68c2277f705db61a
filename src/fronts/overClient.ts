/**
 * overClient: the session port over a socket to a remote relay, using the project's own client: it reconnects
 * automatically, nothing is lost and nothing is done twice.
 */
import { Effect, Layer, Schema, Stream } from "effect"
import { SseSplitter } from "../adapters/wire/Sse.js"
import { type Command, connect, RelayError, type Session, type SocketConstructor } from "../client/browser.js"
import type { RelayEvent } from "../schema/index.js"
import { number, open, text } from "./read.js"
import {
  type AgentListing,
  PortError,
  type PortSession,
  type SessionListing,
  type SessionNow,
  SessionPort
} from "./SessionPort.js"

export interface RelayAddress {
  /** For example `ws://localhost:8765`. */
  readonly url: string
  readonly token?: string | undefined
  readonly WebSocket: SocketConstructor
  /** The person's software, such as `acp`: shown to the session's other clients. */
  readonly front?: string | undefined
  /** Called when a session's connection is lost and being retried. */
  readonly onLost?: (() => void) | undefined
  /**
   * Consecutive attempts to reach a relay that was reachable before; then it is given up. Default 20: some
   * minutes.
   */
  readonly retries?: number | undefined
}

const toPortError = (failure: unknown): PortError =>
  failure instanceof RelayError
    ? new PortError({
      code: failure.code,
      reason: failure.message,
      ...(failure.event?.metadata !== undefined && { detail: failure.event.metadata })
    })
    : new PortError({ code: "internal", reason: String(failure) })

/** Events before the session can be used, and all that follow. */
const begin = (session: Session) =>
  Effect.tryPromise({
    try: async () => {
      const iterator = session[Symbol.asyncIterator]()
      const early: Array<RelayEvent> = []
      for (;;) {
        const next = await iterator.next()
        if (next.done === true) throw await session.closed
        // The wire's types are the schema's, without brands.
        const event = next.value as RelayEvent
        early.push(event)
        if (event.type === "session_start") return { iterator, early, start: event }
      }
    },
    catch: toPortError
  })

/** Ends the request when there is no reader any more. */
async function* eventsIn(body: AsyncIterable<Uint8Array>): AsyncGenerator<RelayEvent> {
  const found: Array<RelayEvent> = []
  const splitter = new SseSplitter(({ data }) => found.push(JSON.parse(data) as RelayEvent))
  for await (const chunk of body) {
    splitter.push(chunk)
    yield* found.splice(0)
  }
}

const Sessions = Schema.Struct({
  sessions: Schema.Array(
    Schema.StructWithRest(
      Schema.Struct({ session_id: Schema.String, tool: Schema.String, folder: Schema.String }),
      [Schema.Record(Schema.String, Schema.Unknown)]
    )
  )
})
const Agents = Schema.Struct({
  agents: Schema.Array(
    Schema.StructWithRest(
      Schema.Struct({ tool: Schema.String, name: Schema.String, installed: Schema.Boolean }),
      [Schema.Record(Schema.String, Schema.Unknown)]
    )
  )
})

const make = (
  { front, onLost, retries = 20, token, url, WebSocket }: RelayAddress
): SessionPort["Service"] => {
  const unreachable = new PortError({
    code: "unreachable",
    reason: `no relay answers at ${url}: start one with \`ai-relay serve\`, or choose another with --url`
  })

  const request = (path: string, method = "GET") =>
    Effect.tryPromise({
      try: (signal) =>
        fetch(new URL(path, url.replace(/^ws/, "http")), {
          signal,
          method,
          headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
        }),
      catch: () => unreachable
    }).pipe(
      Effect.filterOrFail(
        ({ status }) => status !== 401,
        () =>
          new PortError({
            code: "unauthorized",
            reason: "the relay requires a token: set --token or AI_RELAY_TOKEN"
          })
      )
    )

  const notOurs = new PortError({ code: "internal", reason: `${url} is no ai-relay: check --url` })
  const getJson = <A, I>(path: string, schema: Schema.Codec<A, I>) =>
    request(path).pipe(
      Effect.flatMap((answer) => Effect.tryPromise({ try: () => answer.json(), catch: () => notOurs })),
      Effect.flatMap((body) => Effect.mapError(Schema.decodeUnknownEffect(schema)(body), () => notOurs))
    )

  const read = Effect.fn("SessionPort.read")(function*(session_id: string, after_seq: number) {
    const answer = yield* request(`/sessions/${encodeURIComponent(session_id)}/events?after_seq=${after_seq}`)
    const { body } = answer
    if (!answer.ok || body === null) return undefined
    return Stream.fromAsyncIterable(
      eventsIn(body),
      (failure) =>
        new PortError({
          code: "unreachable",
          reason: `the relay at ${url} is no longer reachable: ${String(failure)}`
        })
    )
  })

  const history = (session_id: string, after_seq: number, last_seq: number) =>
    after_seq >= last_seq ? Stream.empty : Stream.unwrap(Effect.map(
      read(session_id, after_seq),
      (events = Stream.empty) => Stream.takeUntil(events, ({ seq }) => seq >= last_seq)
    ))

  const list = Effect.map(
    getJson("/sessions", Sessions),
    ({ sessions }) => sessions as never as ReadonlyArray<SessionListing>
  )
  const listing = (id: string) =>
    Effect.map(list, (sessions) => sessions.find(({ session_id }) => session_id === id))

  const join: SessionPort["Service"]["join"] = Effect.fn("SessionPort.join")(
    function*({ after_seq: _, ...handshake }) {
      // A relay that was reachable before is retried; otherwise the first failure is final.
      let wasThere = false
      let absence: PortError | undefined
      const session = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const session = connect({
            ...(front !== undefined && { front }),
            ...handshake,
            ...(token !== undefined && { token }),
            url,
            WebSocket,
            retries,
            onState: (state) => {
              if (state.status !== "waiting") return
              if (wasThere) return onLost?.()
              absence = state.code === 1013
                ? new PortError({ code: "overloaded", reason: state.reason })
                : unreachable
              session.close()
            }
          })
          return session
        }),
        (session) => Effect.sync(session.close)
      )
      const { early, iterator, start } = yield* Effect.mapError(begin(session), (error) => absence ?? error)
      wasThere = true
      const [first = start] = early
      const attached = first.type === "session_start" &&
        first.seq <= (number(first.metadata?.["last_seq"]) ?? -1)
      const last_seq = attached ? first.seq : first.seq - 1
      const rest: AsyncIterable<RelayEvent> = {
        // As above, without brands.
        [Symbol.asyncIterator]: () => iterator as AsyncIterator<RelayEvent>
      }
      const joined: PortSession = {
        session_id: session.session_id,
        attached,
        start,
        last_seq,
        // A refusal arrives as an event too.
        submit: (command) => Effect.sync(() => void session.send(command as Command)),
        now: Effect.map(listing(session.session_id), (listed): SessionNow =>
          listed === undefined
            ? { last_seq, pending: [], queued: [] }
            : { ...listed, queued: listed.queued ?? [] }),
        history: (after_seq) => history(session.session_id, after_seq, last_seq),
        events: Stream.concat(
          Stream.fromIterable(attached ? early.slice(1) : early),
          Stream.fromAsyncIterable(rest, toPortError)
        )
      }
      return joined
    }
  )

  const forget = Effect.fn("SessionPort.forget")(function*(session_id: string) {
    const answer = yield* request(`/sessions/${encodeURIComponent(session_id)}`, "DELETE")
    if (answer.ok) return
    const body = yield* Effect.promise(() => answer.json().catch(() => undefined))
    return yield* new PortError({
      code: text(open(body)["code"]) ?? "internal",
      reason: text(open(body)["text"]) ?? `the relay answered ${answer.status}`
    })
  })

  return SessionPort.of({
    join,
    forget,
    list,
    listing,
    read,
    agents: Effect.map(
      getJson("/agents", Agents),
      ({ agents }) => agents as never as ReadonlyArray<AgentListing>
    )
  })
}

export const layer = (address: RelayAddress) => Layer.sync(SessionPort, () => make(address))
