/**
 * Adapter: the contract between the relay and one kind of agent, and the ports an adapter may use.
 *
 * An adapter opens a conversation with its agent, says what the agent says as events (`EventSink`, synchronously, in
 * the order it was said) and hands commands to it. It never sees a socket, never starts a process by itself, never
 * reads the relay's environment. Turns, queues, permissions' deadlines and acknowledgements are the session's affair.
 *
 * What an adapter owes:
 * - one `turn_end` when the agent stopped working on what it was given; before it one `response` if it ended well;
 * - `turn_start` only for a turn the agent began by itself;
 * - where the agent tells what it uses while it works: all the turn has used so far, as `metadata.usage` of an event;
 * - before a turn fails at a limit that is over at some time: a `quota_warning` with `metadata.limited`, and `resets_at`, or
 *   `retry_after_ms`, or the agent's own words for it as `text`;
 * - every request of the agent answered, unknown ones with its protocol's error.
 */
import { Context, type Effect, type Option, type Redacted, type Scope } from "effect"
import type { RequestId } from "../schema/Ids.js"
import type {
  BodyOf,
  CommandOf,
  EventBody,
  Handshake,
  PermissionRequest,
  PermissionResponse
} from "../schema/index.js"
import type {
  AgentFailed,
  CommandNotFound,
  OpenError,
  SendError,
  TerminalUnavailable
} from "./AdapterError.js"

/** What to open: the handshake with its folder resolved, and a fresh UUID for agents that let the caller name it. */
export interface AgentSpec extends Handshake {
  readonly tool: string
  /** Absolute; exists. */
  readonly folder: string
  readonly fresh_uuid: string
  /**
   * `native_session_id` is the relay's own: where that conversation is gone (`ConversationGone`), a new one begins. So it does
   * where the agent refuses to go on with it, for whatever reason of the conversation's.
   */
  readonly begins_anew?: boolean
  /**
   * Present where a client has named the conversation: whether what was said in a folder may be told here. An agent that
   * lists its conversations is asked where it was held before it goes on with it.
   */
  readonly may_tell?: (folder: string) => Effect.Effect<boolean>
  /** `permission_mode` is the one the session was in last, not one that is asked for now. */
  readonly keeps_mode?: boolean
  /** And `model`. */
  readonly keeps_model?: boolean
  /** With `fork`: what comes behind this place of the conversation is left out of the copy. As `NativeRecord.anchor` has it. */
  readonly fork_at?: string
  /** The permission modes the operator allows; undefined: all. */
  readonly allowed_modes?: ReadonlyArray<string>
  /** The socket of the agent's own daemon, which has the conversation: go on with it there, beside its terminal. */
  readonly join?: string
}

/** A prompt as it reaches the adapter: it has a `uuid`, and `when` is `steer` if it is for the running turn. */
export type Prompt = CommandOf<"user_message"> & { readonly uuid: string }

/** What an agent can be told. Requests carry the id their `control_response` event will have. */
export type AgentCommand =
  | Prompt
  | CommandOf<"interrupt" | "set_model" | "set_permission_mode" | "control_response" | "resize" | "stdin">
  | (CommandOf<"control_request" | "raw_request"> & { readonly request_id: RequestId })

/** What a page may offer its user; told in `session_start`. */
export interface Capabilities {
  readonly images: boolean
  /** A prompt can be handed to the running turn. */
  readonly steer: boolean
  readonly set_model: boolean
  /** The names `set_permission_mode` takes; empty if the agent has none. */
  readonly permission_modes: ReadonlyArray<string>
  /** The conversation can be opened again with its `native_session_id`. */
  readonly resume: boolean
  /** `resize` and `stdin` are understood. Prompts are typed and make no turns: a terminal does not say when it is done. */
  readonly terminal: boolean
}

/** How an agent ended. `signal` when one ended it; `stderr` holds its last lines. */
export interface AgentExit {
  readonly exit_code?: number
  readonly signal?: string
  readonly stderr: ReadonlyArray<string>
}

/** What of its own protocol an agent may be asked by any client, through `control_request` or `raw_request`. */
export interface NativeRules {
  /**
   * Methods that change nothing but this conversation and show nothing but what is of it, each with the parameters it
   * may have. All others need `--allow-native-requests`.
   */
  readonly harmless: Readonly<Record<string, ReadonlyArray<string>>>
  /** Parameters that say which conversation or folder is meant: by method, what the relay sets; no client changes it. */
  readonly own?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Methods that choose a permission mode, and the parameter that names it: only an offered one passes, ever. */
  readonly modes?: Readonly<Record<string, string>>
  /** Methods the relay has a command for: what to send instead. */
  readonly instead?: Readonly<Record<string, string>>
}

/** An open conversation. It lives in the scope it was opened in: closing that stops the agent. */
export interface AgentSession {
  /** For `session_start`: the command line without secrets, what is known of the conversation, what it can do. */
  readonly started: {
    readonly cmd?: ReadonlyArray<string>
    readonly native_session_id?: string
    readonly resumed?: boolean
    /** The mode in force, as far as it is known before the agent tells. */
    readonly permission_mode?: string | undefined
    readonly capabilities: Capabilities
    readonly metadata?: Readonly<Record<string, unknown>>
  }
  /** Absent: it may be asked nothing. */
  readonly native?: NativeRules
  /** Of a conversation that was joined: whether this record of it (its `key`) was told as it happened. */
  readonly hasTold?: (key: string) => boolean
  /** Hand a command to the agent. Returns when it was handed over, not when it was carried out. */
  readonly send: (command: AgentCommand) => Effect.Effect<void, SendError>
  /** Completes when the agent is gone and all it said has been told. */
  readonly exit: Effect.Effect<AgentExit>
}

export interface Adapter {
  readonly tool: string
  readonly open: (
    spec: AgentSpec
  ) => Effect.Effect<AgentSession, OpenError, EventSink | PermissionGate | Scope.Scope>
  /** Its sessions are terminals: what is typed there is carried out, and no permission is asked. */
  readonly terminal?: true
  /** Its agents work on the files of their folder. */
  readonly works_on_files?: true
  /** For a `tool` no adapter is named after: what opens it, if this adapter can. */
  readonly named?: (tool: string) => Adapter | undefined
}

/** How `raw` and texts are encoded: `latin1` when both were read byte by byte from the same UTF-8 line. */
export type Encoding = "utf8" | "latin1"

/** Port: where an adapter says what its agent says. Synchronous, because it is used per line. */
export class EventSink extends Context.Service<EventSink, {
  /** Log an event. `raw` is the native line it comes from, valid JSON in UTF-8; it is spliced in untouched. */
  readonly emit: (event: EventBody, raw?: Uint8Array, encoding?: Encoding) => void
  /**
   * Log a piece whose `text` is JSON already: the bytes of a string, with its quotes, valid as `raw` is. Both are
   * spliced in untouched. An event given again is the same object; it is not looked at twice.
   */
  readonly splice: (event: BodyOf<"stream_event">, text: Uint8Array, raw: Uint8Array) => void
  /** Everything emitted in `write` is logged as one batch. False: wait for `onceDrained` before emitting more. */
  readonly batch: (write: () => void) => boolean
  readonly onceDrained: (resume: () => void) => void
  /** A turn runs right now. */
  readonly inTurn: () => boolean
}>()("ai-relay/adapters/EventSink") {}

/** Nobody listens, and it never has enough. */
export const deafSink: EventSink["Service"] = {
  emit: () => {},
  splice: () => {},
  batch: (write) => {
    write()
    return true
  },
  onceDrained: (resume) => resume(),
  inTurn: () => false
}

/** Nobody will answer: why. */
export interface PermissionUnanswered {
  readonly behavior: "cancelled"
  readonly reason: "timeout" | "interrupted" | "withdrawn" | "session_end"
}
export interface PermissionAllowed extends PermissionResponse {
  readonly behavior: "allow"
}
export interface PermissionDenied extends PermissionResponse {
  readonly behavior: "deny"
}
export type PermissionOutcome = PermissionAllowed | PermissionDenied | PermissionUnanswered

/** Port: parks a question of the agent until a person answers. */
export class PermissionGate extends Context.Service<PermissionGate, {
  /** Ask the client. Never fails: no answer is the outcome "cancelled". */
  readonly request: (ask: PermissionRequest, raw?: Uint8Array) => Effect.Effect<PermissionOutcome>
  /** The agent does not want to know any more. Unknown ids are no fault. */
  readonly withdraw: (request_id: RequestId) => void
}>()("ai-relay/adapters/PermissionGate") {}

/** Port: secrets out of the relay's own environment, by variable name. Which ones, its configuration says, per tool. */
export class Credentials extends Context.Service<Credentials, {
  /** The variables this tool may be given. */
  readonly names: (tool: string) => ReadonlyArray<string>
  /** A variable's value; none if it is not one of these, or unset. */
  readonly get: (tool: string, name: string) => Effect.Effect<Option.Option<Redacted.Redacted>>
}>()("ai-relay/adapters/Credentials") {}

/** A program to start, without a shell. */
export interface LaunchSpec {
  /** The agent's name, for messages. */
  readonly tool: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  /** Variables of the relay its program needs, besides those every program is given; `*` stands for anything. */
  readonly inherits?: ReadonlyArray<string>
  /** Places its program must be able to write in a sandbox, besides `cwd`; spelled as in AgentDescriptor. */
  readonly writable?: ReadonlyArray<string>
  /** Variables it has unless it inherits them. */
  readonly defaults?: Readonly<Record<string, string>>
  /** Added to the agent's environment, in this order: `defaults`, what it inherits, the handshake's `env`, these. */
  readonly env?: Readonly<Record<string, string>>
  /** `env` of the handshake: checked against the relay's rules. */
  readonly clientEnv?: Readonly<Record<string, string>> | undefined
  /** What to run when the program is missing. */
  readonly advice: string
  /** The first signal when the end of its input does not end it; default SIGTERM. */
  readonly stopSignal?: "SIGTERM" | "SIGINT"
}

/** A running program that talks in lines. */
export interface AgentProcess {
  readonly pid: number
  /** Write one line (the newline is added). Waits while the agent does not read. */
  readonly writeLine: (line: string) => Effect.Effect<void, AgentFailed>
  /** Close its input. */
  readonly endInput: Effect.Effect<void>
  /** Completes when it is gone and every line has been handed to `onLine`. */
  readonly exit: Effect.Effect<AgentExit>
}

/** Port: the only way to start a process. When the scope closes the process and all it started are gone. */
export class ProcessSpawner extends Context.Service<ProcessSpawner, {
  /**
   * Start a program. `onLine` gets every line of its stdout (without the newline), a chunk's lines in one batch of
   * the sink; lines on stderr are logged as `stderr` events.
   */
  readonly spawn: (
    launch: LaunchSpec,
    onLine: (line: Buffer) => void
  ) => Effect.Effect<AgentProcess, CommandNotFound | AgentFailed, EventSink | Scope.Scope>
}>()("ai-relay/adapters/ProcessSpawner") {}

/**
 * Port: the only way to speak to a program of the agent's that runs already, its daemon. When the scope closes the
 * connection ends, and the program goes on.
 */
export class DaemonConnector extends Context.Service<DaemonConnector, {
  /** `socket`: a Unix socket that speaks WebSocket. `onLine` gets every message, within a batch of the sink. */
  readonly connect: (
    daemon: { readonly tool: string; readonly socket: string },
    onLine: (line: Buffer) => void
  ) => Effect.Effect<AgentProcess, AgentFailed, EventSink | Scope.Scope>
}>()("ai-relay/adapters/DaemonConnector") {}

/** How large a terminal is, in characters. */
export interface TerminalSize {
  readonly cols: number
  readonly rows: number
}

/** A running program that has a terminal of its own. */
export interface Terminal {
  readonly pid: number
  /** Type. Never waits: what the program does not read yet is kept, and refused once that is too much. */
  readonly write: (data: string) => Effect.Effect<void, SendError>
  /** Ctrl-C, at once: what still waits to be typed is dropped, as a terminal does. */
  readonly interrupt: Effect.Effect<void, SendError>
  /** Does nothing once the program is gone. */
  readonly resize: (size: TerminalSize) => Effect.Effect<void>
  /** Completes when it is gone and all it printed has been handed to `onOutput`. */
  readonly exit: Effect.Effect<AgentExit>
}

/** Port: the only way to start a program on a terminal. The scope's end is as with `ProcessSpawner`. */
export class TerminalSpawner extends Context.Service<TerminalSpawner, {
  /**
   * Start a program. `onOutput` gets what it prints, gathered for some milliseconds or up to 32 KiB, within a batch
   * of the sink. `launch.stopSignal` is not used: who sits at a terminal is told by SIGHUP.
   */
  readonly spawn: (
    launch: LaunchSpec,
    size: TerminalSize,
    onOutput: (bytes: Buffer) => void
  ) => Effect.Effect<
    Terminal,
    CommandNotFound | AgentFailed | TerminalUnavailable,
    EventSink | Scope.Scope
  >
}>()("ai-relay/adapters/TerminalSpawner") {}
