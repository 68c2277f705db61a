/**
 * SessionPort: what a front needs from a relay, whether the relay is in this process (`inProcess.ts`) or
 * behind a socket (`overClient.ts`). A front knows nothing else about the relay.
 *
 * A front that has joined counts as a client of the session. Everything it receives is in the session's log,
 * so a front that was disconnected, or is a new process, can continue from any `seq`.
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
import { newChat, noSession } from "./noSession.js"

/**
 * The relay refused the request. `code` is the protocol's, or `session_ended` (the conversation is over) or
 * `unreachable` (no relay answers); the message says what to do.
 */
export class PortError extends Schema.TaggedError<PortError>()("PortError", {
  code: Schema.String,
  reason: Schema.String,
  /** The error event's `metadata`, if there was one. */
  detail: Schema.optional(Schema.Unknown)
}) {
  override get message() {
    return this.reason
  }
}

/** The same in the words of a client that begins a session with its first message. */
export const inChat = ({ code, detail, reason }: PortError): PortError =>
  new PortError({ code, reason: noSession(reason, newChat), ...(detail !== undefined && { detail }) })

export type PortErrorCode = ErrorCode | "session_ended" | "unreachable"

/** A session as listed by `GET /sessions`. */
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
  /** Number of connected clients. */
  readonly clients: number
  readonly title?: string | undefined
  /** The first client's software, and the session whose agent opened it. */
  readonly opened_by?: { readonly front?: string; readonly session_id?: string } | undefined
  readonly open_turn?: number | undefined
  /** `seq` of the open turn's `turn_start`. */
  readonly open_turn_seq?: number | undefined
  readonly pending: ReadonlyArray<string>
  /** Each pending permission's `request_id` with the `seq` at which it was asked. */
  readonly pending_seqs?: Readonly<Record<string, number>> | undefined
  /** Prompts waiting for a turn to end, by `message_id`. */
  readonly queued?: ReadonlyArray<string> | undefined
}

/** An agent as listed by `GET /agents`. */
export interface AgentListing {
  readonly tool: string
  readonly name: string
  readonly installed: boolean
  readonly logged_in?: boolean | undefined
  readonly advice?: string | undefined
}

/** A session's current state. */
export type SessionNow =
  & Pick<
    SessionListing,
    "last_seq" | "open_turn" | "open_turn_seq" | "pending" | "pending_seqs"
  >
  & {
    /** Prompts waiting for a turn to end, by `message_id`. */
    readonly queued: ReadonlyArray<string>
  }

/** A session this front has joined. */
export interface PortSession {
  readonly session_id: string
  /** Whether it was already live. */
  readonly attached: boolean
  /** The agent's current state: `tool`, `capabilities`, `pending_permissions`, …. */
  readonly start: BodyOf<"session_start">
  /** `seq` of the last event before this front joined; `events` starts after it. */
  readonly last_seq: number
  /** Send a command. Its outcome is an event with its `message_id`: `input_ack` or `error`. */
  readonly submit: (command: ClientCommand) => Effect.Effect<void, PortError>
  /** Past events: those with a `seq` greater than `after_seq`, up to `last_seq`. */
  readonly history: (after_seq: number) => Stream.Stream<RelayEvent, PortError>
  /** The current state, independent of the events read so far. */
  readonly now: Effect.Effect<SessionNow, PortError>
  /**
   * Events from now on. Ends with the session; fails with `unreachable` if its relay is gone for good, and
   * with `overloaded` if it was read too slowly. Run it only once.
   */
  readonly events: Stream.Stream<RelayEvent, PortError>
}

export class SessionPort extends Context.Service<SessionPort, {
  /**
   * Open the session in the handshake or attach to it. The end of the scope detaches; the session continues.
   * `after_seq` is ignored: see `history`.
   */
  readonly join: (handshake: Handshake) => Effect.Effect<PortSession, PortError, Scope.Scope>
  /** Live sessions, then saved ones, the most recently active first. */
  readonly list: Effect.Effect<ReadonlyArray<SessionListing>, PortError>
  /** The listing of one session; undefined if there is no such session. */
  readonly listing: (session_id: string) => Effect.Effect<SessionListing | undefined, PortError>
  /**
   * A session's events after `seq`, without opening it: if it is not live, all past events; otherwise also
   * future ones. Undefined if there is no such session.
   */
  readonly read: (
    session_id: SessionId,
    after_seq: number
  ) => Effect.Effect<Stream.Stream<RelayEvent, PortError> | undefined, PortError>
  /** End the session if it is live, and delete everything stored about it. */
  readonly forget: (session_id: SessionId) => Effect.Effect<void, PortError>
  /** The agents the relay knows, and which of them can be used. */
  readonly agents: Effect.Effect<ReadonlyArray<AgentListing>, PortError>
}>()("ai-relay/fronts/SessionPort") {}

/**
 * The events that a session whose relay was killed in the middle of a turn will emit when it is reopened,
 * with their future `seq`; empty for a live or properly closed session.
 */
export const brokenOff = (listing: SessionListing): ReadonlyArray<RelayEvent> =>
  listing.state !== "closed" ? [] : leftOpen(listing).map((event, index): RelayEvent => ({
    ...event,
    seq: listing.last_seq + index + 1,
    ts: listing.last_active_at,
    session_id: SessionId.make(listing.session_id),
    ...(listing.open_turn !== undefined && { turn: listing.open_turn })
  }))

/** Events after `after_seq`: past ones, then future ones. */
export const eventsAfter = (
  { events, history, last_seq }: PortSession,
  after_seq: number
): Stream.Stream<RelayEvent, PortError> =>
  after_seq >= last_seq ? events : Stream.concat(history(after_seq), events)
