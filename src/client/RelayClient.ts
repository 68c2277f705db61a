/**
 * ai-relay/client/effect: the same client for Effect apps. Sessions are scoped, events are a Stream, failures are typed.
 *
 * `RelayClient.layer({ url, token })`, then `(yield* RelayClient).connect({ tool: "claude" })`.
 */
import { Context, Effect, Layer, Schema, type Scope, Stream } from "effect"
import {
  type Answer,
  type Command,
  connect as connectTo,
  type ConnectionState,
  type ConnectOptions,
  type Content,
  type EventOf,
  type PermissionRequest,
  type PromptOptions,
  type RelayError,
  type RelayEvent,
  type SocketConstructor,
  type TurnResult
} from "./browser.js"

/** The relay or the agent refused. `code` is the protocol's; the message says what to change. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  code: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

/** The session has ended, or this client has left it. */
export class SessionOver extends Schema.TaggedError<SessionOver>()("SessionOver", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/** No relay answered in as many attempts as `retries` allows. */
export class RelayUnreachable
  extends Schema.TaggedError<RelayUnreachable>()("RelayUnreachable", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** The Stream was read too slowly: connect again with `after_seq`. */
export class ReadTooSlowly
  extends Schema.TaggedError<ReadTooSlowly>()("ReadTooSlowly", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

export type ConnectError = Refused | SessionOver | RelayUnreachable
export type ClientError = ConnectError | ReadTooSlowly

const toClientError = ({ code, message }: RelayError): ClientError => {
  switch (code) {
    case "session_ended":
    case "closed":
      return new SessionOver({ reason: message })
    case "unreachable":
      return new RelayUnreachable({ reason: message })
    case "read_too_slowly":
      return new ReadTooSlowly({ reason: message })
    default:
      return new Refused({ code, reason: message })
  }
}

/** What the client's promises fail with. Only reading can be too slow. */
const toConnectError = (failure: unknown) => toClientError(failure as RelayError) as ConnectError

const attempt = <A>(promise: () => Promise<A>) => Effect.tryPromise({ try: promise, catch: toConnectError })

export interface RelaySession {
  readonly session_id: string
  /** All events until the session ends. Only one reader at a time; share the Stream to have more. */
  readonly events: Stream.Stream<RelayEvent, ClientError>
  readonly state: Effect.Effect<ConnectionState>
  /** The `seq` of the last event. */
  readonly seq: Effect.Effect<number>
  /** Succeeds when the relay has acknowledged the command. */
  readonly send: (command: Command) => Effect.Effect<EventOf<"input_ack">, ConnectError>
  readonly prompt: (
    content: Content,
    options?: PromptOptions
  ) => Effect.Effect<EventOf<"input_ack">, ConnectError>
  /** Sends a prompt and waits for its answer. Interrupting the effect does not interrupt the turn. */
  readonly ask: (content: Content, options?: PromptOptions) => Effect.Effect<TurnResult, ConnectError>
  readonly respond: (request_id: string, answer: Answer) => Effect.Effect<EventOf<"input_ack">, ConnectError>
  readonly interrupt: Effect.Effect<EventOf<"input_ack">, ConnectError>
  readonly setModel: (model: string) => Effect.Effect<EventOf<"input_ack">, ConnectError>
  readonly setMode: (mode: string) => Effect.Effect<EventOf<"input_ack">, ConnectError>
  /** Asks to take over, if only one client at a time drives (`--drivers one`). */
  readonly drive: Effect.Effect<EventOf<"input_ack">, ConnectError>
  readonly answerDrive: (
    request_id: string,
    allow: boolean
  ) => Effect.Effect<EventOf<"input_ack">, ConnectError>
  /** Suggests a prompt to the driver. */
  readonly suggest: (text: string) => Effect.Effect<EventOf<"input_ack">, ConnectError>
  readonly answerSuggestion: (
    suggestion_id: string,
    send: boolean
  ) => Effect.Effect<EventOf<"input_ack">, ConnectError>
  /** Ends the session for everybody. */
  readonly end: Effect.Effect<void>
  /** Completes when the session has ended or can no longer be reached. */
  readonly over: Effect.Effect<void>
}

export interface SessionOptions<R>
  extends Omit<ConnectOptions, "url" | "token" | "ticket" | "WebSocket" | "onPermission" | "signal">
{
  /** Answers the agent's requests; interrupted when no answer is needed any longer. */
  readonly onPermission?: (
    request: PermissionRequest
  ) => Effect.Effect<Answer | "allow" | "deny" | undefined, never, R>
}

export interface RelayAddress {
  readonly url?: string | URL
  /** The access token, or an effect that gives it before each connection. */
  readonly token?: string | Effect.Effect<string>
  /** Gives a new ticket before each connection, since each works once. */
  readonly ticket?: Effect.Effect<string>
  /** Default: the engine's own, else that of `ws`. */
  readonly WebSocket?: SocketConstructor
}

export class RelayClient extends Context.Service<RelayClient, {
  /** Opens a session, or attaches to one by `session_id`. Closing the scope leaves it. */
  readonly connect: <R = never>(
    options?: SessionOptions<R>
  ) => Effect.Effect<RelaySession, ConnectError, R | Scope.Scope>
}>()("ai-relay/client/RelayClient") {
  static readonly layer = (address: RelayAddress = {}) => Layer.effect(this, make(address))
}

const engineSocket = Effect.promise(async () =>
  "WebSocket" in globalThis ? {} : { WebSocket: (await import("ws")).WebSocket }
)

/** A defect must not leave the agent without anybody who answers unnoticed. */
const orLog = <R>(asking: Effect.Effect<Answer | "allow" | "deny" | undefined, never, R>) =>
  Effect.tapDefect(asking, (cause) => Effect.logError("onPermission failed", cause))

const make = ({ ticket, token, ...address }: RelayAddress) =>
  Effect.map(engineSocket, (engine) => {
    const connect = Effect.fn("RelayClient.connect")(
      function*<R = never>({ onPermission, ...options }: SessionOptions<R> = {}) {
        const run = Effect.runPromiseWith(yield* Effect.context<R>())
        const session = yield* Effect.acquireRelease(
          Effect.sync(() =>
            connectTo({
              ...engine,
              ...address,
              ...options,
              ...(token !== undefined && { token: typeof token === "string" ? token : () => run(token) }),
              ...(ticket !== undefined && { ticket: () => run(ticket) }),
              ...(onPermission !== undefined && {
                onPermission: (request, signal) => run(orLog(onPermission(request)), { signal })
              })
            })
          ),
          (session) => Effect.sync(session.close)
        )
        yield* attempt(() => session.ready)
        const relaySession: RelaySession = {
          session_id: session.session_id,
          events: Stream.fromAsyncIterable(session, (failure) => toClientError(failure as RelayError)),
          state: Effect.sync(session.state),
          seq: Effect.sync(session.seq),
          send: (command) => attempt(() => session.send(command)),
          prompt: (content, options) => attempt(() => session.prompt(content, options)),
          ask: (content, options) => attempt(() => session.ask(content, options)),
          respond: (request_id, answer) => attempt(() => session.respond(request_id, answer)),
          interrupt: attempt(session.interrupt),
          setModel: (model) => attempt(() => session.setModel(model)),
          setMode: (mode) => attempt(() => session.setMode(mode)),
          drive: attempt(session.drive),
          answerDrive: (request_id, allow) => attempt(() => session.answerDrive(request_id, allow)),
          suggest: (text) => attempt(() => session.suggest(text)),
          answerSuggestion: (suggestion_id, sends) =>
            attempt(() => session.answerSuggestion(suggestion_id, sends)),
          end: Effect.promise(session.end),
          over: Effect.promise(() => session.closed)
        }
        return relaySession
      }
    )
    return RelayClient.of({ connect })
  })
