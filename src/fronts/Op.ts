/**
 * Op: what an encoder is told of a session: about twenty neutral operations, the same for every foreign protocol.
 *
 * `project.ts` makes them out of a session's events; an encoder turns them into its protocol's messages. Everything that
 * is started is ended: texts by `end`, tools by `tool_result`, asks by `settled`, turns by `turn_end`.
 */
import type { PermissionOption, PermissionRequest, StopReason, Usage } from "../schema/index.js"

/** `text` is said to the person, `reasoning` is thought aloud. */
export type TextKind = "text" | "reasoning"

/** `parent`: the `tool_use_id` of the call that runs the sub-agent this belongs to. */
interface OfAgent {
  readonly parent?: string
}

export interface PlanEntry {
  readonly content: string
  readonly status: "pending" | "in_progress" | "completed"
  readonly priority: "high" | "medium" | "low"
}

export interface SlashCommand {
  /** Without its slash. */
  readonly name: string
  readonly description: string
  /** What may stand behind it; empty if nothing is known. */
  readonly hint: string
}

export interface Choice {
  readonly id: string
  readonly name: string
  readonly description: string
}

/** The agent can be talked to, or this client has attached. Absent parts are not known. */
export interface SessionOp {
  readonly type: "session"
  readonly tool?: string
  readonly folder?: string
  /** Modes an agent can be put into, by their ids. */
  readonly modes: ReadonlyArray<string>
  readonly images: boolean
  readonly steer: boolean
  readonly set_model: boolean
  readonly terminal: boolean
  /** Said to this client alone, who has attached; otherwise the agent was started (again). */
  readonly attached: boolean
}

/** A turn begins. `text` is absent when the agent began it by itself. The prompt's own id is `<turn>.u`. */
export interface TurnStartOp {
  readonly type: "turn_start"
  readonly turn: number
  readonly seq: number
  readonly text?: string
  /** The names of all prompts it answers, the first one first. */
  readonly message_ids: ReadonlyArray<string>
}

/** A person said something that began no turn: into a running one, or in the agent's memory of an earlier time. */
export interface UserOp {
  readonly type: "user"
  readonly id: string
  readonly text: string
  readonly message_id?: string
}

/** A message or thought begins. `again`: more of one that was ended already, under the same id. */
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
/** `text` is all of it: what a client that can replace shows from now on. */
export interface EndOp extends OfAgent {
  readonly type: "end"
  readonly kind: TextKind
  readonly id: string
  readonly text: string
}

/**
 * A tool is called. `synthetic`: the agent told of no call; a question needs one to stand at. `known`: the call was told
 * before and this says more of it.
 */
export interface ToolCallOp extends OfAgent {
  readonly type: "tool_call"
  readonly id: string
  readonly tool: string
  readonly args: unknown
  readonly synthetic: boolean
  readonly known: boolean
}
/** A piece of a call's arguments as JSON text. May come before its `tool_call`. */
export interface InputDeltaOp extends OfAgent {
  readonly type: "input_delta"
  readonly id: string
  readonly text: string
}
/** A piece of what a running tool prints, to be appended. It may begin in the middle. */
export interface OutputDeltaOp {
  readonly type: "output_delta"
  readonly id: string
  readonly text: string
}
/** How far a running tool is, in words; each replaces the one before. */
export interface ProgressOp {
  readonly type: "progress"
  readonly id: string
  readonly text: string
}
/** A tool is done. `unfinished`: the turn ended before it; no result will come. */
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
/** A file was changed; mostly told after its tool's result. */
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
  /** As the agent offers them; may be empty. */
  readonly options: ReadonlyArray<PermissionOption>
  /** Unix time in seconds at which the relay says no. */
  readonly expires_at?: number
}
/** Nobody needs to answer any more. */
export interface SettledOp {
  readonly type: "settled"
  readonly request_id: string
  /** The call it was about. */
  readonly id: string
  readonly status: "allow" | "deny" | "cancelled"
  /** Who answered, as far as the relay tells. */
  readonly by?: Readonly<Record<string, unknown>>
  /** Why it was cancelled, or denied. */
  readonly reason?: string
}

export interface PlanOp {
  readonly type: "plan"
  readonly entries: ReadonlyArray<PlanEntry>
}
/** How full the context is and what the session has cost; each number as far as it is known. */
export interface ContextOp {
  readonly type: "context"
  readonly used?: number
  readonly size?: number
  readonly pct?: number
  /** US dollars, of all turns that were projected. */
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
/** `models` is there when the agent told which there are. */
export interface ModelOp {
  readonly type: "model"
  readonly model?: string
  readonly models?: ReadonlyArray<Choice>
}
/** Something a person may want to know. `quota`, `context`, `gap`, or a native status by its `name`. */
export interface NoticeOp {
  readonly type: "notice"
  /** `refused`: what this client wanted was not done. */
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
/** `message_id`: of the command that was refused. */
export interface ErrorOp {
  readonly type: "error"
  readonly code: string
  readonly text: string
  readonly message_id?: string
  readonly fatal: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}
/** `error`: why it ended so, for `stop` `error`. */
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
