/**
 * SessionPort: what a front needs of a relay, wherever that is: in this process (`inProcess.ts`) or behind a socket
 * (`overClient.ts`). A front knows nothing else of the relay.
 *
 * A front that has joined counts as a client of the session. Everything it is told stands in the session's log, so one
 * that was gone for a while, or is a new process, goes on from any `seq`.
 */
import { Context, type Effect, Schema, type Scope, Stream } from "effect"
import {
  type BodyOf,
  type ClientCommand,
  type ErrorCode,
  type Handshake,
  type RelayEvent,
  SessionId
} from "../schema/index.js"
import { leftOpen } from "../services/session/leftOpen.js"

/**
 * The relay does not do this. `code` is the protocol's, or `session_ended` (the conversation is over) or `unreachable`
 * (no relay answers); the message says what to do.
 */
export class PortError extends Schema.TaggedError<PortError>()("PortError", {
  code: Schema.String,
  reason: Schema.String,
  /** The `metadata` of the error event, if there was one. */
  detail: Schema.optional(Schema.Unknown)
}) {
  override get message() {
    return this.reason
  }
}
export type PortErrorCode = ErrorCode | "session_ended" | "unreachable"

/** A session as `GET /sessions` lists it. */
export interface SessionListing {
  readonly session_id: string
  readonly tool: string
  readonly folder: string
  readonly state: "running" | "idle" | "closed"
  /** Unix times in seconds. */
  readonly created_at: number
  readonly last_active_at: number
  readonly last_seq: number
  readonly turns: number
  readonly cost_usd: number
  /** How many follow it. */
  readonly clients: number
  readonly title?: string | undefined
  /** What its first client used, and the session whose agent that was. */
  readonly opened_by?: { readonly front?: string; readonly session_id?: string } | undefined
  readonly open_turn?: number | undefined
  /** The `seq` of the open turn's `turn_start`. */
  readonly open_turn_seq?: number | undefined
  readonly pending: ReadonlyArray<string>
  /** From each waiting permission's `request_id` to the `seq` it was asked at. */
  readonly pending_seqs?: Readonly<Record<string, number>> | undefined
  /** Prompts that wait for a turn to end, by `message_id`. */
  readonly queued?: ReadonlyArray<string> | undefined
}

/** An agent as `GET /agents` lists it. */
export interface AgentListing {
  readonly tool: string
  readonly name: string
  readonly installed: boolean
  readonly logged_in?: boolean | undefined
  readonly advice?: string | undefined
}

/** Where a session stands at this moment. */
export type SessionNow =
  & Pick<
    SessionListing,
    "last_seq" | "open_turn" | "open_turn_seq" | "pending" | "pending_seqs"
  >
  & {
    /** Prompts that wait for a turn to end, by `message_id`. */
    readonly queued: ReadonlyArray<string>
  }

/** A session this front has joined. */
export interface PortSession {
  readonly session_id: string
  /** It was live before. */
  readonly attached: boolean
  /** The agent as it is now: `tool`, `capabilities`, `pending_permissions`, …. */
  readonly start: BodyOf<"session_start">
  /** The `seq` of the last event before this front joined; `events` begin behind it. */
  readonly last_seq: number
  /** Give a command. What it leads to is told by an event with its `message_id`: `input_ack`, or `error`. */
  readonly submit: (command: ClientCommand) => Effect.Effect<void, PortError>
  /** What was before: events with a greater `seq` than `after_seq`, up to `last_seq`. */
  readonly history: (after_seq: number) => Stream.Stream<RelayEvent, PortError>
  /** How it stands now, whatever has been read of its events. */
  readonly now: Effect.Effect<SessionNow, PortError>
  /**
   * What happens from now on. Ends with the session; fails with `unreachable` when its relay is gone for good, and with
   * `overloaded` when it was read too slowly. To be run once.
   */
  readonly events: Stream.Stream<RelayEvent, PortError>
}

export class SessionPort extends Context.Service<SessionPort, {
  /**
   * Open the session the handshake asks for, or attach to it; the scope's end leaves it, and it goes on. `after_seq` is
   * not looked at: see `history`.
   */
  readonly join: (handshake: Handshake) => Effect.Effect<PortSession, PortError, Scope.Scope>
  /** Live sessions, then those that are kept, the most recently active first. */
  readonly list: Effect.Effect<ReadonlyArray<SessionListing>, PortError>
  /**
   * A session's events after `seq`, without opening it: all there are of one that is not live, else also those to come.
   * Undefined if there is no such session.
   */
  readonly read: (
    session_id: SessionId,
    after_seq: number
  ) => Effect.Effect<Stream.Stream<RelayEvent, PortError> | undefined, PortError>
  /** End the session, if it is live, and remove all that is kept of it. */
  readonly forget: (session_id: SessionId) => Effect.Effect<void, PortError>
  /** The agents the relay knows, and which of them can be used. */
  readonly agents: Effect.Effect<ReadonlyArray<AgentListing>, PortError>
}>()("ai-relay/fronts/SessionPort") {}

/**
 * What a session whose relay was killed in the middle of a turn will say when it is opened again, with the places it will
 * have in the log; nothing of one that is live, or was left in order.
 */
export const brokenOff = (listing: SessionListing): ReadonlyArray<RelayEvent> =>
  listing.state !== "closed" ? [] : leftOpen(listing).map((event, index): RelayEvent => ({
    ...event,
    seq: listing.last_seq + index + 1,
    ts: listing.last_active_at,
    session_id: SessionId.make(listing.session_id),
    ...(listing.open_turn !== undefined && { turn: listing.open_turn })
  }))

/** Events after `after_seq`: those that were, then those to come. */
export const eventsAfter = (
  { events, history, last_seq }: PortSession,
  after_seq: number
): Stream.Stream<RelayEvent, PortError> =>
  after_seq >= last_seq ? events : Stream.concat(history(after_seq), events)
