/**
 * Op: the input of an encoder: about twenty neutral operations, the same for every foreign protocol.
 *
 * `project.ts` derives them from a session's events; an encoder turns them into its protocol's messages.
 * Everything that is started is ended: texts by `end`, tools by `tool_result`, asks by `settled`, turns by
 * `turn_end`.
 */
import type { PermissionOption, PermissionRequest, StopReason, Usage } from "../schema/index.js"

/** `text` is addressed to the person, `reasoning` is a thought. */
export type TextKind = "text" | "reasoning"

/** `parent`: the `tool_use_id` of the call that runs the subagent this belongs to. */
interface OfAgent {
  readonly parent?: string
}

export interface PlanEntry {
  readonly content: string
  readonly status: "pending" | "in_progress" | "completed"
  readonly priority: "high" | "medium" | "low"
}

export interface SlashCommand {
  /** Without the slash. */
  readonly name: string
  readonly description: string
  /** Hint for the argument; empty if unknown. */
  readonly hint: string
}

export interface Choice {
  readonly id: string
  readonly name: string
  readonly description: string
}

/** The agent is ready, or this client has attached. Absent fields are unknown. */
export interface SessionOp {
  readonly type: "session"
  readonly tool?: string
  readonly folder?: string
  /** Modes the agent offers, by id. */
  readonly modes: ReadonlyArray<string>
  readonly images: boolean
  readonly steer: boolean
  readonly set_model: boolean
  readonly terminal: boolean
  /** Sent to this client only, because it attached; otherwise the agent was (re)started. */
  readonly attached: boolean
}

/** A turn begins. `text` is absent if the agent began it on its own. The prompt's own id is `<turn>.u`. */
export interface TurnStartOp {
  readonly type: "turn_start"
  readonly turn: number
  readonly seq: number
  readonly text?: string
  /** Ids of all prompts it answers, in order. */
  readonly message_ids: ReadonlyArray<string>
}

/** A person's message that began no turn: sent into a running one, or remembered by the agent from earlier. */
export interface UserOp {
  readonly type: "user"
  readonly id: string
  readonly text: string
  readonly message_id?: string
}

/** A message or thought begins. `again`: it continues one that was already ended, under the same id. */
export interface StartOp extends OfAgent {
  readonly type: "start"
  readonly kind: TextKind
  readonly id: string
  readonly again: boolean
}
export interface DeltaOp extends OfAgent {
  readonly type: "delta"
  readonly kind: TextKind
  readonly id: string
  readonly text: string
}
/** `text` is the whole text: a client that can replace text shows it from now on. */
export interface EndOp extends OfAgent {
  readonly type: "end"
  readonly kind: TextKind
  readonly id: string
  readonly text: string
}

/**
 * A tool is called. `synthetic`: the agent reported no call, but a question needs one. `known`: the call was
 * already reported and this adds to it.
 */
export interface ToolCallOp extends OfAgent {
  readonly type: "tool_call"
  readonly id: string
  readonly tool: string
  readonly args: unknown
  readonly synthetic: boolean
  readonly known: boolean
}
/** A delta of a call's arguments as JSON text. May come before its `tool_call`. */
export interface InputDeltaOp extends OfAgent {
  readonly type: "input_delta"
  readonly id: string
  readonly text: string
}
/** A delta of a running tool's output, to be appended. It may begin in the middle. */
export interface OutputDeltaOp {
  readonly type: "output_delta"
  readonly id: string
  readonly text: string
}
/** A running tool's progress as text; each replaces the previous one. */
export interface ProgressOp {
  readonly type: "progress"
  readonly id: string
  readonly text: string
}
/** A tool is done. `unfinished`: the turn ended first; no result will come. */
export interface ToolResultOp extends OfAgent {
  readonly type: "tool_result"
  readonly id: string
  readonly tool: string
  readonly ok: boolean
  readonly text: string
  readonly content?: unknown
  readonly exit_code?: number
  readonly unfinished: boolean
}
/** A file was changed; usually reported after its tool's result. */
export interface FileDiffOp {
  readonly type: "file_diff"
  readonly path: string
  /** Unified. */
  readonly diff: string
  readonly id?: string
}

/** A person is asked; the turn waits. `id` is the tool call it is about: there always is one. */
export interface AskOp {
  readonly type: "ask"
  readonly request_id: string
  readonly id: string
  readonly kind: PermissionRequest["metadata"]["kind"]
  readonly tool: string
  readonly text: string
  readonly args: unknown
  /** As offered by the agent; may be empty. */
  readonly options: ReadonlyArray<PermissionOption>
  /** Unix time in seconds at which the relay denies the request. */
  readonly expires_at?: number
}
/** The request no longer needs an answer. */
export interface SettledOp {
  readonly type: "settled"
  readonly request_id: string
  /** The call it was about. */
  readonly id: string
  readonly status: "allow" | "deny" | "cancelled"
  /** Who answered, if the relay tells. */
  readonly by?: Readonly<Record<string, unknown>>
  /** Why it was cancelled or denied. */
  readonly reason?: string
}

export interface PlanOp {
  readonly type: "plan"
  readonly entries: ReadonlyArray<PlanEntry>
}
/** How full the context is and what the session has cost; unknown numbers are absent. */
export interface ContextOp {
  readonly type: "context"
  readonly used?: number
  readonly size?: number
  readonly pct?: number
  /** US dollars for all projected turns. */
  readonly cost_usd: number
}
export interface CommandsOp {
  readonly type: "commands"
  readonly commands: ReadonlyArray<SlashCommand>
}
export interface ModeOp {
  readonly type: "mode"
  readonly mode: string
}
/** `models` is set if the agent has listed them. */
export interface ModelOp {
  readonly type: "model"
  readonly model?: string
  readonly models?: ReadonlyArray<Choice>
}
/** A notice for the person: `quota`, `context`, `gap`, or a native status with its `name`. */
export interface NoticeOp {
  readonly type: "notice"
  /** `refused`: this client's request was not carried out. */
  readonly level: "quota" | "context" | "gap" | "refused" | "status"
  readonly name: string
  readonly text: string
  readonly metadata: Readonly<Record<string, unknown>>
}
export interface CompactedOp {
  readonly type: "compacted"
  readonly text: string
  readonly metadata: Readonly<Record<string, unknown>>
}
/** `message_id`: of the refused command. */
export interface ErrorOp {
  readonly type: "error"
  readonly code: string
  readonly text: string
  readonly message_id?: string
  readonly fatal: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}
/** `error`: the reason, if the turn failed or its session was ended. In the second case `stop` is `cancelled`, although no reader stopped it. */
export interface TurnEndOp {
  readonly type: "turn_end"
  readonly turn: number
  readonly stop: StopReason
  readonly usage?: Usage
  readonly error?: ErrorOp
}
export interface SessionEndOp {
  readonly type: "session_end"
  readonly text: string
}

export type Op =
  | SessionOp
  | TurnStartOp
  | UserOp
  | StartOp
  | DeltaOp
  | EndOp
  | ToolCallOp
  | InputDeltaOp
  | OutputDeltaOp
  | ProgressOp
  | ToolResultOp
  | FileDiffOp
  | AskOp
  | SettledOp
  | PlanOp
  | ContextOp
  | CommandsOp
  | ModeOp
  | ModelOp
  | NoticeOp
  | CompactedOp
  | ErrorOp
  | TurnEndOp
  | SessionEndOp
export type OpOf<Type extends Op["type"]> = Extract<Op, { readonly type: Type }>
