/**
 * wire: the protocol's frames as plain types, made from the schemas by `npm run contracts`: who talks to a relay needs no
 * Effect to compile.
 */

/** The first frame of a connection: the agent, the folder, and the session to open or attach to. */
export interface Handshake {
  readonly tool?: string | null
  readonly folder?: string | null
  readonly model?: string | null
  readonly extra_args?: ReadonlyArray<string> | null
  readonly session_id?: string | null
  readonly env?: { readonly [name: string]: string } | null
  readonly mode?: "chat" | "analyst" | "agent" | null
  readonly snowflake?: {
    readonly account_url?: string | null
    readonly token?: string | null
    readonly token_env?: string | null
    readonly token_type?: string | null
    readonly semantic_view?: string | null
    readonly semantic_model?: string | null
    readonly semantic_model_file?: string | null
    readonly semantic_models?: ReadonlyArray<{ readonly [name: string]: unknown }> | null
    readonly agent?: string | null
    readonly model?: string | null
    readonly timeout?: number | null
  } | null
  readonly approval_policy?: string | { readonly [name: string]: unknown } | null
  readonly sandbox?: string | null
  readonly ephemeral?: boolean | null
  readonly serviceName?: string | null
  readonly modelProvider?: string | null
  readonly serviceTier?: string | null
  readonly approvalsReviewer?: string | null
  readonly config?: { readonly [name: string]: unknown } | null
  readonly baseInstructions?: string | null
  readonly developerInstructions?: string | null
  readonly personality?: string | null
  readonly permission_mode?: string | null
  readonly command?: readonly [string, ...Array<string>] | string | null
  readonly pty?: {
    readonly cols?: number | null
    readonly rows?: number | null
    readonly raw?: boolean | null
  } | null
  readonly native_session_id?: string | null
  readonly history?: boolean | "none" | "recent" | "all" | null
  readonly if_open?: "refuse" | "follow" | "fork" | "join" | null
  readonly fork?: boolean | null
  readonly follow?: boolean | null
  readonly after_seq?: number | null
  readonly linger?: number | null
  readonly budget?: {
    readonly turn?: {
      readonly cost_usd?: number | null
      readonly tokens?: number | null
      readonly input_tokens?: number | null
      readonly output_tokens?: number | null
      readonly cached_input_tokens?: number | null
      readonly turns?: number | null
      readonly minutes?: number | null
      readonly context_pct?: number | null
    } | null
    readonly session?: {
      readonly cost_usd?: number | null
      readonly tokens?: number | null
      readonly input_tokens?: number | null
      readonly output_tokens?: number | null
      readonly cached_input_tokens?: number | null
      readonly turns?: number | null
      readonly minutes?: number | null
      readonly context_pct?: number | null
    } | null
  } | null
  readonly on_limit?: "resume" | "stop" | null
  readonly must_exist?: boolean | null
  readonly relay_tools?: boolean | null
  readonly parent?: string | null
  readonly mcp_servers?: ReadonlyArray<{
    readonly name: string
    readonly command: string
    readonly args?: ReadonlyArray<string> | null
    readonly env?: { readonly [name: string]: string } | null
  } | {
    readonly name: string
    readonly type: "http" | "sse"
    readonly url: string
    readonly headers?: { readonly [name: string]: string } | null
  }> | null
  readonly front?: string | null
  readonly raw?: boolean | null
  readonly watch?: "sessions" | null
  readonly token?: string | null
  readonly ticket?: string | null
}

/** A prompt, in short. */
export interface PromptCommand {
  readonly text: string
  readonly images?: ReadonlyArray<{
    readonly type: "image"
    readonly source: {
      readonly type: "base64"
      readonly media_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp"
      readonly data: string
    } | {
      readonly type: "url"
      readonly url: string
    }
  }> | null
  readonly uuid?: string | null
  readonly when?: "queue" | "steer" | "interrupt" | null
  readonly message_id?: string | null
}

/** A prompt of text and images. */
export interface UserMessageCommand {
  readonly type: "user_message"
  readonly content: string | ReadonlyArray<{
    readonly type: "text"
    readonly text: string
  } | {
    readonly type: "image"
    readonly source: {
      readonly type: "base64"
      readonly media_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp"
      readonly data: string
    } | {
      readonly type: "url"
      readonly url: string
    }
  }>
  readonly images?: ReadonlyArray<{
    readonly type: "image"
    readonly source: {
      readonly type: "base64"
      readonly media_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp"
      readonly data: string
    } | {
      readonly type: "url"
      readonly url: string
    }
  }> | null
  readonly uuid?: string | null
  readonly when?: "queue" | "steer" | "interrupt" | null
  readonly message_id?: string | null
}

/** Stop the agent and keep the session, to continue the conversation in a terminal. */
export interface HandOverCommand {
  readonly type: "hand_over"
  readonly message_id?: string | null
}

/** Start the agent of a followed conversation. */
export interface TakeOverCommand {
  readonly type: "take_over"
  readonly message_id?: string | null
}

/** Ask to drive the session, if only one client at a time may; the current driver is asked. */
export interface DriveCommand {
  readonly type: "drive"
  readonly message_id?: string | null
}

/** Let a client that asked take over, or refuse. */
export interface DriveResponseCommand {
  readonly type: "drive_response"
  readonly request_id: string
  readonly allow: boolean
  readonly message_id?: string | null
}

/** Suggest a prompt to the driver. */
export interface SuggestCommand {
  readonly type: "suggest"
  readonly text: string
  readonly message_id?: string | null
}

/** Send a suggested prompt, or drop it. */
export interface SuggestionResponseCommand {
  readonly type: "suggestion_response"
  readonly suggestion_id: string
  readonly send: boolean
  readonly message_id?: string | null
}

/** Withdraw a queued prompt. */
export interface CancelQueuedCommand {
  readonly type: "cancel_queued"
  readonly message_id: string
}

/** Answer a permission_request. */
export interface PermissionResponseCommand {
  readonly type: "permission_response"
  readonly request_id?: string | null
  readonly tool_use_id?: string | null
  readonly behavior?: string | null
  readonly allow?: boolean | null
  readonly approved?: boolean | null
  readonly decision?: string | null
  readonly optionId?: string | null
  readonly option_id?: string | null
  readonly updatedInput?: { readonly [name: string]: unknown } | null
  readonly updated_input?: { readonly [name: string]: unknown } | null
  readonly message?: string | null
  readonly scope?: "once" | "session" | null
  readonly stop?: boolean | null
  readonly answers?: { readonly [name: string]: string | ReadonlyArray<string> } | null
  readonly message_id?: string | null
}

/** Stop the running turn and keep the session. */
export interface InterruptCommand {
  readonly type: "interrupt"
  readonly message_id?: string | null
}

/** Change the model. */
export interface SetModelCommand {
  readonly type: "set_model"
  readonly model: string
  readonly message_id?: string | null
}

/** Change what the agent may do without asking. */
export interface SetPermissionModeCommand {
  readonly type: "set_permission_mode"
  readonly mode: string
  readonly message_id?: string | null
}

/** A request in the agent's own protocol, in Claude's form. */
export interface ControlRequestCommand {
  readonly type: "control_request"
  readonly request_id?: string | null
  readonly request: {
    readonly subtype: string
    readonly [name: string]: unknown
  }
  readonly message_id?: string | null
}

/** The answer to a native request, in Claude's form. */
export interface ControlResponseCommand {
  readonly type: "control_response"
  readonly response: {
    readonly subtype: "success" | "error"
    readonly request_id: string
    readonly response?: { readonly [name: string]: unknown } | null
    readonly error?: string | null
  }
  readonly message_id?: string | null
}

/** A request in the agent's own protocol, in JSON-RPC's form. */
export interface RawRequestCommand {
  readonly type: "raw_request"
  readonly request_id?: string | null
  readonly method: string
  readonly params?: { readonly [name: string]: unknown } | null
  readonly message_id?: string | null
}

/** Type into a terminal. */
export interface StdinCommand {
  readonly type: "stdin"
  readonly data: string
  readonly message_id?: string | null
}

/** Tell the size of the terminal. */
export interface ResizeCommand {
  readonly type: "resize"
  readonly cols: number
  readonly rows: number
  readonly message_id?: string | null
}

/** Lower what the session, or each of its turns, may use. */
export interface SetBudgetCommand {
  readonly type: "set_budget"
  readonly budget: {
    readonly turn?: {
      readonly cost_usd?: number | null
      readonly tokens?: number | null
      readonly input_tokens?: number | null
      readonly output_tokens?: number | null
      readonly cached_input_tokens?: number | null
      readonly turns?: number | null
      readonly minutes?: number | null
      readonly context_pct?: number | null
    } | null
    readonly session?: {
      readonly cost_usd?: number | null
      readonly tokens?: number | null
      readonly input_tokens?: number | null
      readonly output_tokens?: number | null
      readonly cached_input_tokens?: number | null
      readonly turns?: number | null
      readonly minutes?: number | null
      readonly context_pct?: number | null
    } | null
  }
  readonly message_id?: string | null
}

/** What happens to a prompt that fails because the agent is out of quota. */
export interface SetOnLimitCommand {
  readonly type: "set_on_limit"
  readonly on_limit: "resume" | "stop"
  readonly message_id?: string | null
}

/** A prompt for later, once or repeatedly. */
export interface ScheduleCommand {
  readonly type: "schedule"
  readonly content: string | ReadonlyArray<{
    readonly type: "text"
    readonly text: string
  } | {
    readonly type: "image"
    readonly source: {
      readonly type: "base64"
      readonly media_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp"
      readonly data: string
    } | {
      readonly type: "url"
      readonly url: string
    }
  }>
  readonly images?: ReadonlyArray<{
    readonly type: "image"
    readonly source: {
      readonly type: "base64"
      readonly media_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp"
      readonly data: string
    } | {
      readonly type: "url"
      readonly url: string
    }
  }> | null
  readonly at?: number | string | null
  readonly every?: string | null
  readonly time_zone?: string | null
  readonly message_id?: string | null
}

/** Pause or continue a schedule. */
export interface ChangeScheduleCommand {
  readonly type: "change_schedule"
  readonly schedule_id: string
  readonly paused: boolean
  readonly message_id?: string | null
}

/** Remove a schedule. */
export interface RemoveScheduleCommand {
  readonly type: "remove_schedule"
  readonly schedule_id: string
  readonly message_id?: string | null
}

/** Rewind to before a turn. */
export interface RewindCommand {
  readonly type: "rewind"
  readonly turn: number
  readonly restore?: "both" | "files" | "conversation" | null
  readonly force?: boolean | null
  readonly message_id?: string | null
}

/** Undo the last rewind. */
export interface UndoRewindCommand {
  readonly type: "undo_rewind"
  readonly rewind_id?: string | null
  readonly force?: boolean | null
  readonly message_id?: string | null
}

/** End the session for everybody. */
export interface EndCommand {
  readonly type: "end"
  readonly if_alone?: boolean | null
  readonly message_id?: string | null
}

/** Answered with a status event whose status is pong. */
export interface PingCommand {
  readonly type: "ping"
  readonly message_id?: string | null
}

/** The agent is ready, or this client has attached. */
export interface SessionStartEvent {
  readonly type: "session_start"
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** The agent is gone; nothing follows until the session is opened again. */
export interface SessionEndEvent {
  readonly type: "session_end"
  readonly exit_code?: number
  readonly text?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A turn begins; text and message_id are the prompt's. */
export interface TurnStartEvent {
  readonly type: "turn_start"
  readonly text?: string
  readonly message_id?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** The last event of a turn; exactly one per turn_start. */
export interface TurnEndEvent {
  readonly type: "turn_end"
  readonly stop_reason: "end_turn" | "max_tokens" | "max_turn_requests" | "refusal" | "cancelled" | "error"
  readonly usage?: {
    readonly input_tokens?: number
    readonly output_tokens?: number
    readonly cached_input_tokens?: number
    readonly cache_write_tokens?: number
    readonly context_tokens?: number
    readonly context_window?: number
    readonly cost_usd?: number
    readonly duration_ms?: number
  }
  readonly context_pct?: number
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** The outcome of a command. */
export interface InputAckEvent {
  readonly type: "input_ack"
  readonly status: "sent" | "queued" | "duplicate" | "cancelled"
  readonly text?: string
  readonly message_id?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** The agent's state has changed, or it sent something without an event type of its own. */
export interface StatusEvent {
  readonly type: "status"
  readonly status: string
  readonly text?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A request of the agent or of a client is settled. */
export interface ControlResponseEvent {
  readonly type: "control_response"
  readonly request_id: string
  readonly status: "allow" | "deny" | "ok" | "error"
  readonly text?: string
  readonly content?: unknown
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** This request no longer needs an answer. */
export interface PermissionCancelledEvent {
  readonly type: "permission_cancelled"
  readonly request_id: string
  readonly text?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** May the agent do this? */
export interface PermissionRequestEvent {
  readonly type: "permission_request"
  readonly request_id: string
  readonly tool?: string
  readonly args?: unknown
  readonly tool_use_id?: string
  readonly text?: string
  readonly metadata: {
    readonly kind: "tool" | "plan" | "question" | "other" | "budget"
    readonly options?: ReadonlyArray<{
      readonly option_id: string
      readonly name: string
      readonly kind: "allow_once" | "allow_always" | "reject_once" | "reject_always"
    }>
    readonly expires_at?: number
    readonly [name: string]: unknown
  }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A delta of something that comes again, complete, in another event. */
export type StreamEvent = {
  readonly type: "stream_event"
  readonly delta: "text" | "reasoning"
  readonly text: string
  readonly tool_use_id?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
} | {
  readonly type: "stream_event"
  readonly delta: "tool_input" | "tool_output"
  readonly text: string
  readonly tool_use_id?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
} | {
  readonly type: "stream_event"
  readonly delta?: never
  readonly text?: never
  readonly tool_use_id?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A complete thought, or a step of a plan. */
export interface ReasoningEvent {
  readonly type: "reasoning"
  readonly text: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A complete message of the agent. */
export interface AssistantMessageEvent {
  readonly type: "assistant_message"
  readonly content: ReadonlyArray<{
    readonly type: string
    readonly [name: string]: unknown
  }>
  readonly text?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A message of the user's side, as received by the agent. */
export interface UserMessageEvent {
  readonly type: "user_message"
  readonly content: ReadonlyArray<{
    readonly type: string
    readonly [name: string]: unknown
  }>
  readonly text?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** The final answer of a turn; one per successful turn. */
export interface ResponseEvent {
  readonly type: "response"
  readonly text: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** The agent calls a tool. */
export interface ToolCallEvent {
  readonly type: "tool_call"
  readonly tool: string
  readonly tool_use_id: string
  readonly args?: unknown
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** Output or progress of a running tool. */
export interface ToolProgressEvent {
  readonly type: "tool_progress"
  readonly tool_use_id?: string
  readonly tool?: string
  readonly text: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** The result of a tool call. */
export interface ToolResultEvent {
  readonly type: "tool_result"
  readonly tool_use_id: string
  readonly tool?: string
  readonly status: "ok" | "error"
  readonly content?: unknown
  readonly text?: string
  readonly exit_code?: number
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** One file was created or edited. */
export interface FileDiffEvent {
  readonly type: "file_diff"
  readonly file_path: string
  readonly diff: string
  readonly tool_use_id?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** Something went wrong; text says what to do, code is for programs. */
export interface ErrorEvent {
  readonly type: "error"
  readonly text: string
  readonly code: "bad_handshake" | "unauthorized" | "forbidden" | "forbidden_folder" | "folder_not_found" | "unknown_tool" | "session_not_found" | "command_not_found" | "auth_required" | "agent_failed" | "turn_failed" | "bad_command" | "too_large" | "overloaded" | "budget_exceeded" | "gap" | "in_use" | "files_changed" | "not_driving" | "internal"
  readonly message_id?: string
  readonly request_id?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A rate limit or quota is near or reached. */
export interface QuotaWarningEvent {
  readonly type: "quota_warning"
  readonly text: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** The context window is nearly full. */
export interface ContextWarningEvent {
  readonly type: "context_warning"
  readonly context_pct: number
  readonly text?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** The agent has summarized the conversation to make room. */
export interface ContextCompactedEvent {
  readonly type: "context_compacted"
  readonly text?: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A line of the agent's output that is not part of its protocol; for a terminal, a chunk. */
export interface StdoutEvent {
  readonly type: "stdout"
  readonly text: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A line on the agent's error output. */
export interface StderrEvent {
  readonly type: "stderr"
  readonly text: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** All sessions, for a client whose handshake says watch. */
export interface SessionListEvent {
  readonly type: "session_list"
  readonly sessions: ReadonlyArray<{
    readonly session_id: string
    readonly state: "running" | "idle" | "closed"
    readonly tool: string
    readonly folder: string
    readonly title?: string
    readonly archived?: boolean
    readonly created_at: number
    readonly last_active_at: number
    readonly last_seq: number
    readonly turns: number
    readonly cost_usd: number
    readonly clients: number
    readonly pending: ReadonlyArray<string>
    readonly native_session_id?: string
    readonly opened_by?: {
      readonly front?: string
      readonly session_id?: string
    }
  }>
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A session was added to that list or has changed. */
export interface SessionChangedEvent {
  readonly type: "session_changed"
  readonly session: {
    readonly session_id: string
    readonly state: "running" | "idle" | "closed"
    readonly tool: string
    readonly folder: string
    readonly title?: string
    readonly archived?: boolean
    readonly created_at: number
    readonly last_active_at: number
    readonly last_seq: number
    readonly turns: number
    readonly cost_usd: number
    readonly clients: number
    readonly pending: ReadonlyArray<string>
    readonly native_session_id?: string
    readonly opened_by?: {
      readonly front?: string
      readonly session_id?: string
    }
  }
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A session was removed from that list. */
export interface SessionRemovedEvent {
  readonly type: "session_removed"
  readonly removed: string
  readonly metadata?: { readonly [name: string]: unknown }
  readonly raw?: unknown
  readonly seq: number
  readonly ts: number
  readonly session_id?: string
  readonly turn?: number
}

/** A frame of the client, after the handshake. */
export type Command = PromptCommand | UserMessageCommand | HandOverCommand | TakeOverCommand | DriveCommand | DriveResponseCommand | SuggestCommand | SuggestionResponseCommand | CancelQueuedCommand | PermissionResponseCommand | InterruptCommand | SetModelCommand | SetPermissionModeCommand | ControlRequestCommand | ControlResponseCommand | RawRequestCommand | StdinCommand | ResizeCommand | SetBudgetCommand | SetOnLimitCommand | ScheduleCommand | ChangeScheduleCommand | RemoveScheduleCommand | RewindCommand | UndoRewindCommand | EndCommand | PingCommand

/** A frame of the relay. */
export type Event = SessionStartEvent | SessionEndEvent | TurnStartEvent | TurnEndEvent | InputAckEvent | StatusEvent | ControlResponseEvent | PermissionCancelledEvent | PermissionRequestEvent | StreamEvent | ReasoningEvent | AssistantMessageEvent | UserMessageEvent | ResponseEvent | ToolCallEvent | ToolProgressEvent | ToolResultEvent | FileDiffEvent | ErrorEvent | QuotaWarningEvent | ContextWarningEvent | ContextCompactedEvent | StdoutEvent | StderrEvent | SessionListEvent | SessionChangedEvent | SessionRemovedEvent
