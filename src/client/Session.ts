/** Session: a client's view of a conversation with an agent. */
import type { Ask } from "./Credentials.js"
import type { OnPermission, PermissionRequest } from "./Permissions.js"
import type { Answer, Command, Content, EventOf, Handshake, RelayEvent, When } from "./protocol.js"
import type { SocketConstructor } from "./ReconnectingSocket.js"
import type { RelayError } from "./RelayError.js"
import type { TurnResult } from "./Turns.js"

/** The state of the connection. */
export type ConnectionState =
  | { readonly status: "connecting" }
  | { readonly status: "open" }
  /** Lost; the next attempt is in `retry_ms`. Events and commands of the meantime are not lost. */
  | { readonly status: "waiting"; readonly reason: string; readonly code: number; readonly retry_ms: number }
  /** Closed for good. `error.code` says why: `session_ended`, `closed`, `unreachable`, or the relay's code. */
  | { readonly status: "closed"; readonly error: RelayError }

export interface ConnectOptions extends Omit<Handshake, "ticket" | "token"> {
  /** Default: the page's own origin, else ws://localhost:8765. `http:` means `ws:`. */
  readonly url?: string | URL
  /** The relay's access token, or a function that gives it before each connection. */
  readonly token?: string | null | Ask
  /** A function that gives a ticket before each connection; a string works only for the first. */
  readonly ticket?: string | null | Ask
  /** Default: the global WebSocket. */
  readonly WebSocket?: SocketConstructor
  /** Called with every event. Without it, events wait for `for await`. */
  readonly onEvent?: (event: RelayEvent) => void
  /** Answers the agent's requests. */
  readonly onPermission?: OnPermission
  readonly onState?: (state: ConnectionState) => void
  /** How many attempts in a row may fail. Default: no limit. */
  readonly retries?: number
  /** Aborting it calls `close`. */
  readonly signal?: AbortSignal
}

export interface PromptOptions {
  /** What to do while a turn is running: wait for its end (default), steer it, or interrupt it. */
  readonly when?: When
  readonly message_id?: string
}

export interface RewindOptions {
  /** Default: both. */
  readonly restore?: "both" | "files" | "conversation"
  /** Overwrite files that somebody other than the agent has changed since. */
  readonly force?: boolean
}

export interface Session extends AsyncIterable<RelayEvent> {
  readonly session_id: string
  /** Resolves when the agent is ready; fails with a `RelayError` if the relay refuses. */
  readonly ready: Promise<EventOf<"session_start">>
  /** Resolves with the reason when the session is over or this page has left it. */
  readonly closed: Promise<RelayError>
  readonly state: () => ConnectionState
  /** The `seq` of the last event; pass it to `connect` as `after_seq` to continue from here. */
  readonly seq: () => number
  /** Requests without an answer. */
  readonly permissions: () => ReadonlyArray<PermissionRequest>

  /** Resolves when the relay has acknowledged the command; fails with a `RelayError` if it refuses. Need not be awaited. */
  readonly send: (command: Command) => Promise<EventOf<"input_ack">>
  readonly prompt: (content: Content, options?: PromptOptions) => Promise<EventOf<"input_ack">>
  /** Sends a prompt and waits for its answer. */
  readonly ask: (content: Content, options?: PromptOptions) => Promise<TurnResult>
  readonly respond: (request_id: string, answer: Answer) => Promise<EventOf<"input_ack">>
  readonly allow: (request_id: string, answer?: Answer) => Promise<EventOf<"input_ack">>
  readonly deny: (request_id: string, message?: string) => Promise<EventOf<"input_ack">>
  readonly interrupt: () => Promise<EventOf<"input_ack">>
  readonly setModel: (model: string) => Promise<EventOf<"input_ack">>
  readonly setMode: (mode: string) => Promise<EventOf<"input_ack">>
  /** Rewinds files, conversation or both (default) to before a turn. Fails with `files_changed` if that would lose work. */
  readonly rewind: (turn: number, options?: RewindOptions) => Promise<EventOf<"input_ack">>
  /** Undoes the last rewind. */
  readonly undoRewind: (options?: Pick<RewindOptions, "force">) => Promise<EventOf<"input_ack">>
  /** If only one client at a time drives (`--drivers one`): asks to take over; answers such a request. */
  readonly drive: () => Promise<EventOf<"input_ack">>
  readonly answerDrive: (request_id: string, allow: boolean) => Promise<EventOf<"input_ack">>
  /** Suggests a prompt to the driver, who sends or drops it. */
  readonly suggest: (text: string) => Promise<EventOf<"input_ack">>
  readonly answerSuggestion: (suggestion_id: string, send: boolean) => Promise<EventOf<"input_ack">>
  /** Ends the session for everybody; resolves when it is over. */
  readonly end: () => Promise<void>
  /** Leaves the session, which goes on for its `linger`. */
  readonly close: () => void

  /** Adds a listener; returns a function that removes it. The same for `onState`. */
  readonly onEvent: (listener: (event: RelayEvent) => void) => () => void
  readonly onState: (listener: (state: ConnectionState) => void) => () => void
}
