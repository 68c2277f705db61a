/** Session: a conversation with an agent, as a page sees it. */
import type { Ask } from "./Credentials.js"
import type { OnPermission, PermissionRequest } from "./Permissions.js"
import type { Answer, Command, Content, EventOf, Handshake, RelayEvent, When } from "./protocol.js"
import type { SocketConstructor } from "./ReconnectingSocket.js"
import type { RelayError } from "./RelayError.js"
import type { TurnResult } from "./Turns.js"

/** Where the connection stands. */
export type ConnectionState =
  | { readonly status: "connecting" }
  | { readonly status: "open" }
  /** Lost; the next attempt comes in `retry_ms`. Nothing said in the meantime is lost. */
  | { readonly status: "waiting"; readonly reason: string; readonly code: number; readonly retry_ms: number }
  /** For good. `error.code` says why: `session_ended`, `closed`, `unreachable`, or what the relay refused with. */
  | { readonly status: "closed"; readonly error: RelayError }

export interface ConnectOptions extends Omit<Handshake, "ticket" | "token"> {
  /** Default: where the page comes from, else ws://localhost:8765. `http:` is taken as `ws:`. */
  readonly url?: string | URL
  /** The relay's access token, or what gives it before each connection. */
  readonly token?: string | null | Ask
  /** What gives a ticket before each connection; a string serves the first one only. */
  readonly ticket?: string | null | Ask
  /** Default: the engine's own. */
  readonly WebSocket?: SocketConstructor
  /** Every event, as it comes. Without it events wait for `for await`. */
  readonly onEvent?: (event: RelayEvent) => void
  /** Answers what the agent asks. */
  readonly onPermission?: OnPermission
  readonly onState?: (state: ConnectionState) => void
  /** Attempts in a row that may fail. Default: no limit. */
  readonly retries?: number
  /** Aborting it is `close`. */
  readonly signal?: AbortSignal
}

export interface PromptOptions {
  /** What becomes of it when a turn is running: it waits (default), joins that turn, or stops it. */
  readonly when?: When
  readonly message_id?: string
}

export interface RewindOptions {
  /** Default: both. */
  readonly restore?: "both" | "files" | "conversation"
  /** Also over files that somebody else than the agent has changed since. */
  readonly force?: boolean
}

export interface Session extends AsyncIterable<RelayEvent> {
  readonly session_id: string
  /** Resolves when the agent can be talked to; fails with a `RelayError` when the relay refuses. */
  readonly ready: Promise<EventOf<"session_start">>
  /** Resolves when it is over, or this page has left it; tells why. */
  readonly closed: Promise<RelayError>
  readonly state: () => ConnectionState
  /** The `seq` of the last event: give it to `connect` as `after_seq` to go on from here. */
  readonly seq: () => number
  /** What waits for an answer now. */
  readonly permissions: () => ReadonlyArray<PermissionRequest>

  /** Resolves when the relay has taken it; fails with a `RelayError` when it refuses. Neither needs to be awaited. */
  readonly send: (command: Command) => Promise<EventOf<"input_ack">>
  readonly prompt: (content: Content, options?: PromptOptions) => Promise<EventOf<"input_ack">>
  /** A prompt, and the answer to it. */
  readonly ask: (content: Content, options?: PromptOptions) => Promise<TurnResult>
  readonly respond: (request_id: string, answer: Answer) => Promise<EventOf<"input_ack">>
  readonly allow: (request_id: string, answer?: Answer) => Promise<EventOf<"input_ack">>
  readonly deny: (request_id: string, message?: string) => Promise<EventOf<"input_ack">>
  readonly interrupt: () => Promise<EventOf<"input_ack">>
  readonly setModel: (model: string) => Promise<EventOf<"input_ack">>
  readonly setMode: (mode: string) => Promise<EventOf<"input_ack">>
  /** Back to before a turn: files, conversation or both (default). Fails with `files_changed` where it would lose work. */
  readonly rewind: (turn: number, options?: RewindOptions) => Promise<EventOf<"input_ack">>
  /** Take the last rewind back. */
  readonly undoRewind: (options?: Pick<RewindOptions, "force">) => Promise<EventOf<"input_ack">>
  /** Where one client at a time drives (`--drivers one`): ask to take over; answer who asks. */
  readonly drive: () => Promise<EventOf<"input_ack">>
  readonly answerDrive: (request_id: string, allow: boolean) => Promise<EventOf<"input_ack">>
  /** A prompt for whoever drives; the driver sends it or drops it. */
  readonly suggest: (text: string) => Promise<EventOf<"input_ack">>
  readonly answerSuggestion: (suggestion_id: string, send: boolean) => Promise<EventOf<"input_ack">>
  /** End the session for everybody; resolves when it is over. */
  readonly end: () => Promise<void>
  /** Leave. The session goes on for its `linger`. */
  readonly close: () => void

  /** Both give a function that stops it. */
  readonly onEvent: (listener: (event: RelayEvent) => void) => () => void
  readonly onState: (listener: (state: ConnectionState) => void) => () => void
}
