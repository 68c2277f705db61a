/**
 * Adapter: the contract between the relay and one kind of agent, and the ports an adapter may use.
 *
 * An adapter opens a conversation with its agent, reports the agent's output as events (`EventSink`,
 * synchronously and in order) and passes commands to the agent. It never sees a socket, never starts a
 * process itself and never reads the relay's environment. The session handles turns, queues, permission
 * deadlines and acknowledgements.
 *
 * An adapter must:
 * - emit one `turn_end` when the agent stops working on its input, preceded by one `response` if the turn
 *   ended well;
 * - emit `turn_start` only for a turn the agent began on its own;
 * - where the agent reports usage while it works, put the turn's total so far in an event's `metadata.usage`;
 * - before a turn fails at a limit that will reset, emit a `quota_warning` with `metadata.limited` and
 *   `resets_at`, `retry_after_ms`, or the agent's own wording as `text`;
 * - answer every request of the agent; unknown requests get the protocol's error.
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

/**
 * What to open: the handshake with its folder resolved, plus a fresh UUID for agents that let the caller
 * choose the id.
 */
export interface AgentSpec extends Handshake {
  readonly tool: string
  /** Absolute path of an existing folder. */
  readonly folder: string
  readonly fresh_uuid: string
  /**
   * The relay chose `native_session_id`. If that conversation is gone (`ConversationGone`), or the agent
   * refuses to resume it for any reason specific to the conversation, a new one begins.
   */
  readonly begins_anew?: boolean
  /**
   * Set when a client named the conversation: whether this client may see conversations held in `folder`. For
   * an agent that lists its conversations, the folder is looked up before resuming.
   */
  readonly may_tell?: (folder: string) => Effect.Effect<boolean>
  /** `permission_mode` is the session's last mode, not a newly requested one. */
  readonly keeps_mode?: boolean
  /** The same for `model`. */
  readonly keeps_model?: boolean
  /** With `fork`: the copy leaves out everything after this point. Same format as `NativeRecord.anchor`. */
  readonly fork_at?: string
  /** Permission modes the operator allows; undefined means all. */
  readonly allowed_modes?: ReadonlyArray<string>
  /** Socket of the agent's own daemon that holds the conversation; continue there, alongside its terminal. */
  readonly join?: string
}

/** A prompt as the adapter receives it: it has a `uuid`, and `when` is `steer` if it is for the running turn. */
export type Prompt = CommandOf<"user_message"> & { readonly uuid: string }

/** Commands an agent can receive. Requests carry the id of their later `control_response` event. */
export type AgentCommand =
  | Prompt
  | CommandOf<"interrupt" | "set_model" | "set_permission_mode" | "control_response" | "resize" | "stdin">
  | (CommandOf<"control_request" | "raw_request"> & { readonly request_id: RequestId })

/** What a page may offer its user; reported in `session_start`. */
export interface Capabilities {
  readonly images: boolean
  /** Prompts can be sent to the running turn. */
  readonly steer: boolean
  readonly set_model: boolean
  /** Names accepted by `set_permission_mode`; empty if the agent has no modes. */
  readonly permission_modes: ReadonlyArray<string>
  /** The conversation can be reopened with its `native_session_id`. */
  readonly resume: boolean
  /**
   * `resize` and `stdin` are supported. Prompts are typed and make no turns, since a terminal does not say
   * when it is done.
   */
  readonly terminal: boolean
}

/** How an agent ended. `signal` is set if a signal ended it; `stderr` holds the last lines. */
export interface AgentExit {
  readonly exit_code?: number
  readonly signal?: string
  readonly stderr: ReadonlyArray<string>
}

/** Which native requests clients may send with `control_request` or `raw_request`. */
export interface NativeRules {
  /**
   * Methods that change and reveal nothing outside this conversation, each with its allowed parameters. All
   * other methods need `--allow-native-requests`.
   */
  readonly harmless: Readonly<Record<string, ReadonlyArray<string>>>
  /**
   * Parameters that select the conversation or folder, by method. The relay sets them; clients cannot change
   * them.
   */
  readonly own?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Methods that choose a permission mode, with the parameter that names it. Only offered modes ever pass. */
  readonly modes?: Readonly<Record<string, string>>
  /** Methods that have a relay command, with the command to send instead. */
  readonly instead?: Readonly<Record<string, string>>
}

/** An open conversation. Closing the scope it was opened in stops the agent. */
export interface AgentSession {
  /**
   * For `session_start`: the command line without secrets, known facts about the conversation, and its
   * capabilities.
   */
  readonly started: {
    readonly cmd?: ReadonlyArray<string>
    readonly native_session_id?: string
    readonly resumed?: boolean
    /** The mode in force, as far as it is known before the agent reports it. */
    readonly permission_mode?: string | undefined
    readonly capabilities: Capabilities
    readonly metadata?: Readonly<Record<string, unknown>>
  }
  /** Absent: no native requests are allowed. */
  readonly native?: NativeRules
  /** For a joined conversation: whether the record with this `key` was already reported live. */
  readonly hasTold?: (key: string) => boolean
  /** Send a command to the agent. Returns once it is delivered, not once it is carried out. */
  readonly send: (command: AgentCommand) => Effect.Effect<void, SendError>
  /** Completes when the agent has exited and all its output has been reported. */
  readonly exit: Effect.Effect<AgentExit>
}

export interface Adapter {
  readonly tool: string
  readonly open: (
    spec: AgentSpec
  ) => Effect.Effect<AgentSession, OpenError, EventSink | PermissionGate | Scope.Scope>
  /** Sessions are terminals: input is executed as typed and no permission is requested. */
  readonly terminal?: true
  /** Agents work on the files in their folder. */
  readonly works_on_files?: true
  /** The adapter that opens a `tool` no adapter is named after, if this one can. */
  readonly named?: (tool: string) => Adapter | undefined
}

/** How `raw` and texts are encoded: `latin1` when both were read byte by byte from the same UTF-8 line. */
export type Encoding = "utf8" | "latin1"

/** Port: receives an adapter's events. Synchronous, because it is used for every line. */
export class EventSink extends Context.Service<EventSink, {
  /** Log an event. `raw` is the native line it comes from, valid JSON in UTF-8; it is spliced in unchanged. */
  readonly emit: (event: EventBody, raw?: Uint8Array, encoding?: Encoding) => void
  /**
   * Log a delta whose `text` is already JSON: the bytes of a string with its quotes, valid like `raw`. Both
   * are spliced in unchanged. A repeated event is the same object and is not inspected twice.
   */
  readonly splice: (event: BodyOf<"stream_event">, text: Uint8Array, raw: Uint8Array) => void
  /** Log everything emitted in `write` as one batch. If false, wait for `onceDrained` before emitting more. */
  readonly batch: (write: () => void) => boolean
  readonly onceDrained: (resume: () => void) => void
  /** Whether a turn is running. */
  readonly inTurn: () => boolean
}>()("ai-relay/adapters/EventSink") {}

/** A sink that discards everything and is never full. */
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

/** Why a request was not answered. */
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

/** Port: holds an agent's question until a person answers. */
export class PermissionGate extends Context.Service<PermissionGate, {
  /** Ask the client. Never fails: without an answer the outcome is "cancelled". */
  readonly request: (ask: PermissionRequest, raw?: Uint8Array) => Effect.Effect<PermissionOutcome>
  /** The agent no longer needs an answer. Unknown ids are ignored. */
  readonly withdraw: (request_id: RequestId) => void
}>()("ai-relay/adapters/PermissionGate") {}

/**
 * Port: secrets from the relay's own environment, by variable name. The configuration says which ones each
 * tool gets.
 */
export class Credentials extends Context.Service<Credentials, {
  /** Variables this tool may read. */
  readonly names: (tool: string) => ReadonlyArray<string>
  /** A variable's value; none if the tool may not read it or it is unset. */
  readonly get: (tool: string, name: string) => Effect.Effect<Option.Option<Redacted.Redacted>>
}>()("ai-relay/adapters/Credentials") {}

/** A program to start without a shell. */
export interface LaunchSpec {
  /** The agent's name, used in messages. */
  readonly tool: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  /** Relay variables the program needs besides those every program gets; `*` matches anything. */
  readonly inherits?: ReadonlyArray<string>
  /** Paths the program must be able to write in a sandbox, besides `cwd`; same syntax as in AgentDescriptor. */
  readonly writable?: ReadonlyArray<string>
  /** It does not work in `cwd`, so in a sandbox it cannot write there. */
  readonly only_reads?: boolean
  /** Variables used where the program inherits none of that name. */
  readonly defaults?: Readonly<Record<string, string>>
  /**
   * Added to the agent's environment, in this order: `defaults`, inherited variables, the handshake's `env`,
   * then these.
   */
  readonly env?: Readonly<Record<string, string>>
  /** The handshake's `env`, checked against the relay's rules. */
  readonly clientEnv?: Readonly<Record<string, string>> | undefined
  /** What to run if the program is missing. */
  readonly advice: string
  /** First signal if closing its input does not stop it; default SIGTERM. */
  readonly stopSignal?: "SIGTERM" | "SIGINT"
}

/** A running program that communicates in lines. */
export interface AgentProcess {
  readonly pid: number
  /** Write one line (the newline is added). Waits while the agent is not reading. */
  readonly writeLine: (line: string) => Effect.Effect<void, AgentFailed>
  /** Close the program's input. */
  readonly endInput: Effect.Effect<void>
  /** Completes when the program has exited and every line has been passed to `onLine`. */
  readonly exit: Effect.Effect<AgentExit>
}

/** Port: the only way to start a process. Closing the scope ends the process and everything it started. */
export class ProcessSpawner extends Context.Service<ProcessSpawner, {
  /**
   * Start a program. `onLine` gets every stdout line (without the newline), one sink batch per chunk; stderr
   * lines are logged as `stderr` events.
   */
  readonly spawn: (
    launch: LaunchSpec,
    onLine: (line: Buffer) => void
  ) => Effect.Effect<AgentProcess, CommandNotFound | AgentFailed, EventSink | Scope.Scope>
}>()("ai-relay/adapters/ProcessSpawner") {}

/**
 * Port: the only way to connect to a program of the agent that is already running, its daemon. Closing the
 * scope ends the connection; the program keeps running.
 */
export class DaemonConnector extends Context.Service<DaemonConnector, {
  /** `socket`: a Unix socket that speaks WebSocket. `onLine` gets every message, inside a sink batch. */
  readonly connect: (
    daemon: { readonly tool: string; readonly socket: string },
    onLine: (line: Buffer) => void
  ) => Effect.Effect<AgentProcess, AgentFailed, EventSink | Scope.Scope>
}>()("ai-relay/adapters/DaemonConnector") {}

/** Terminal size in characters. */
export interface TerminalSize {
  readonly cols: number
  readonly rows: number
}

/** A running program with a terminal of its own. */
export interface Terminal {
  readonly pid: number
  /** Type `data`. Never waits: unread input is buffered, and refused once the buffer is full. */
  readonly write: (data: string) => Effect.Effect<void, SendError>
  /** Send Ctrl-C at once and drop input still waiting to be typed, as a terminal does. */
  readonly interrupt: Effect.Effect<void, SendError>
  /** Does nothing once the program has exited. */
  readonly resize: (size: TerminalSize) => Effect.Effect<void>
  /** Completes when the program has exited and all its output has been passed to `onOutput`. */
  readonly exit: Effect.Effect<AgentExit>
}

/** Port: the only way to start a program on a terminal. Closing the scope works as with `ProcessSpawner`. */
export class TerminalSpawner extends Context.Service<TerminalSpawner, {
  /**
   * Start a program. `onOutput` gets its output, collected for some milliseconds or up to 32 KiB, inside a
   * sink batch. `launch.stopSignal` is not used: terminal programs get SIGHUP.
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
