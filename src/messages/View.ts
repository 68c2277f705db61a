/**
 * View: what to show of a session, computed from its events only (`reduce.ts`): the same events give the same view.
 *
 * Items are only added, never moved or removed, so an item's index identifies it.
 */
import type { ErrorCode, ImageBlock, StopReason, Usage } from "../schema/index.js"

interface Base {
  /** Stable, for React. */
  readonly key: string
  /** Unix seconds. */
  readonly ts: number
}

export interface UserItem extends Base {
  readonly kind: "user"
  readonly text: string
  readonly images: ReadonlyArray<ImageBlock>
  readonly message_id?: string
  /** Whether it steered a running turn. */
  readonly steered: boolean
  /** The turn it began. */
  readonly turn?: number
}
interface Spoken<Kind> extends Base {
  readonly kind: Kind
  readonly text: string
  /** Whether it is complete. */
  readonly whole: boolean
  /** Unix seconds. */
  readonly ended_at?: number
}
export interface Diff {
  readonly file_path: string
  readonly diff: string
}
export type TextItem = Spoken<"text"> | Spoken<"reasoning">
export interface ToolItem extends Base {
  readonly kind: "tool"
  readonly tool_use_id: string
  /** Empty while only deltas of its input have arrived. */
  readonly tool: string
  readonly args: unknown
  /** The deltas of its input so far. */
  readonly input: string
  readonly output: string
  readonly progress: string
  readonly state: "preparing" | "running" | "ok" | "error" | "stopped"
  readonly exit_code?: number
  readonly diffs: ReadonlyArray<Diff>
  /** Unix seconds. */
  readonly ended_at?: number
  /** For a subagent's call: the call that started the subagent. */
  readonly parent?: string
  /** How a person decided about it. */
  readonly decided?: Decided
}
/** A person's answer, or why there was none. */
export interface Decided {
  /** `asked`: it waits for the answer. */
  readonly verdict: "asked" | "allowed" | "denied" | "cancelled"
  /** The reason given with a denial; for `cancelled`, the relay's. */
  readonly reason?: string
  readonly forSession?: boolean
  /** The input that ran instead of the agent's; `true` if only the fact is known. */
  readonly updated?: unknown
  /** By question. */
  readonly answers?: Readonly<Record<string, string>>
}
/** What "for this session" would allow, in the agent's terms. */
export type Grant =
  | { readonly grants: "rule"; readonly rule: string }
  | { readonly grants: "mode"; readonly mode: string }
  | { readonly grants: "folder"; readonly folder: string }
export interface AskOption {
  readonly option_id: string
  readonly name: string
  readonly kind: "allow_once" | "allow_always" | "reject_once" | "reject_always"
}
export interface Question {
  /** What an answer is filed under. */
  readonly id: string
  readonly question: string
  readonly header: string
  readonly multiSelect: boolean
  readonly options: ReadonlyArray<{ readonly label: string; readonly description: string }>
  /** It is a field of a form: its type, bounds and default, as JSON Schema names them. */
  readonly field?: Readonly<Record<string, unknown>>
  /** It may be left out. */
  readonly optional?: true
  /** Only the options will do. */
  readonly closed?: true
}
export interface AskItem extends Base {
  readonly kind: "ask"
  readonly request_id: string
  readonly ask: "tool" | "plan" | "question" | "other" | "budget"
  readonly tool: string
  readonly args: unknown
  readonly text: string
  readonly options: ReadonlyArray<AskOption>
  readonly questions: ReadonlyArray<Question>
  /** What "for this session" would allow; undefined: the agent does not say. */
  readonly grants?: ReadonlyArray<Grant>
  /** The diff against the file on disk, if the relay made one. */
  readonly diff?: string
  /** Unix seconds. */
  readonly expires_at?: number
  readonly tool_use_id?: string
  /** Whether its tool has a card, which shows the decision. */
  readonly onCard: boolean
  readonly state: "open" | "allowed" | "denied" | "cancelled"
  readonly decided?: Decided
}
export interface DiffItem extends Base, Diff {
  readonly kind: "diff"
}
export interface NoticeItem extends Base {
  readonly kind: "notice"
  readonly level: "info" | "warning" | "error"
  readonly text: string
  /** Of an error: what kind it is, for translations; `text` is English. */
  readonly code?: ErrorCode
  /** What a message of the relay is about, for translations; `text` is English. */
  readonly about?:
    | { readonly is: "context_full"; readonly context_pct: number }
    | { readonly is: "compacted" }
    | { readonly is: "cleared" }
    | { readonly is: "unreadable"; readonly event: string }
    | RewindTold
  /** The model API is asked again: which attempt of how many, and whether a limit was the reason. */
  readonly retry?: { readonly attempt?: number; readonly of?: number; readonly limited: boolean }
  /** Output of one of the agent's own commands. */
  readonly printed?: boolean
}
/** A rewind to before a turn, or its undoing. */
export interface RewindTold {
  readonly is: "rewound" | "rewind_undone"
  readonly rewind_id: string
  readonly turn: number
  /** Files that were set back; undefined: only the conversation went back. */
  readonly files?: number
  /** What became of the conversation; undefined: it went on. */
  readonly conversation?: "copy" | "told" | "new"
}
/** Lines of an agent's output that are not part of its protocol. */
export interface OutputItem extends Base {
  readonly kind: "output"
  readonly text: string
}
export interface EndItem extends Base {
  readonly kind: "end"
  readonly stop_reason: StopReason
  readonly usage?: Usage
}

export type Item =
  | UserItem
  | TextItem
  | ToolItem
  | AskItem
  | DiffItem
  | NoticeItem
  | OutputItem
  | EndItem

export interface Choice {
  readonly value: string
  readonly name: string
  readonly description: string
}
export interface SlashCommand {
  readonly name: string
  readonly description: string
  readonly argumentHint: string
}
export interface PlanStep {
  readonly content: string
  /** The text while it is in progress. */
  readonly active?: string
  readonly status: "pending" | "in_progress" | "completed"
  /** If the agent reports it. */
  readonly priority?: "high" | "medium" | "low"
}

/** A scheduled prompt. Times are Unix seconds. */
export interface ScheduleLine {
  readonly schedule_id: string
  readonly text: string
  /** A cron expression; undefined: it runs once. */
  readonly every?: string
  readonly time_zone?: string
  /** Undefined: it will not run again. */
  readonly next_at?: number
  readonly paused: boolean
  readonly missed: number
}

/** The agent is out of quota. Times are Unix seconds. */
export interface Limit {
  readonly resets_at: number
  /** When the prompt that failed is sent again; undefined: it is not. */
  readonly resume_at?: number
  /** The agent's own name for it. */
  readonly name?: string
}

/** Facts about a conversation that can also be continued in a terminal. */
export interface Native {
  /**
   * `following`: the agent does not run here; the page shows what the terminal writes. `joined`: it runs in
   * the agent's own daemon, which a terminal also shows.
   */
  readonly drive: "own" | "following" | "joined"
  /** The agent can continue in a copy of the conversation. */
  readonly forks: boolean
  /** The command that continues it in a terminal. */
  readonly onward?: { readonly shell: string; readonly warning?: string }
  /** Set if a terminal has it open. */
  readonly open?: {
    readonly waiting_for?: string
    /** Whether it can be shared: `take_over` joins it. */
    readonly joins?: true
  }
}

/** A client of the session, as the relay names it. */
export interface Person {
  /** Its user, its token's name, or its address. */
  readonly name: string
  /** The client's software. */
  readonly front?: string
  readonly connection?: number
}

/** The state of a session in which only one client at a time may send commands. */
export interface Driving {
  /** The number of this client's connection; undefined until the relay has told it. */
  readonly own?: number
  /** Undefined: nobody drives; the next client to send a command will. */
  readonly driver?: Person
  /** Requests to take over, with the time at which that happens without an answer, in Unix seconds. */
  readonly requests: ReadonlyArray<
    { readonly request_id: string; readonly by: Person; readonly expires_at: number }
  >
  /** Prompts for the driver, to be sent or dropped. */
  readonly suggestions: ReadonlyArray<
    { readonly suggestion_id: string; readonly by: Person; readonly text: string }
  >
}

export interface View {
  readonly items: ReadonlyArray<Item>
  readonly last_seq: number
  readonly tool: string
  readonly folder: string
  readonly native_session_id?: string
  /** Undefined: it cannot be handed over to a terminal. */
  readonly native?: Native
  /** Undefined: every client may give commands. */
  readonly driving?: Driving
  readonly model?: string
  readonly mode?: string
  readonly models: ReadonlyArray<Choice>
  /** Names the relay accepts; `choicesOfMode` decides which to offer. */
  readonly modes: ReadonlyArray<string>
  /** The agent's own modes, if it reports them. */
  readonly own_modes: ReadonlyArray<Choice>
  readonly commands: ReadonlyArray<SlashCommand>
  readonly suggestions: ReadonlyArray<string>
  readonly can: {
    readonly images: boolean
    readonly steer: boolean
    readonly set_model: boolean
    readonly terminal: boolean
    /** The person who allows a tool may change its input. */
    readonly edit_input: boolean
    /** Files or the conversation can go back to before a turn. */
    readonly rewind: boolean
  }
  readonly plan: ReadonlyArray<PlanStep>
  /** Tasks that the agent tracks individually, by its own ids. */
  readonly tasks: ReadonlyMap<string, PlanStep>
  /** Answers given by this page, by `request_id`: the relay may report less about them. */
  readonly own_answers: ReadonlyMap<string, Decided>
  /** Queued prompts. */
  readonly queue: ReadonlyArray<{ readonly message_id: string; readonly text: string }>
  /** Commands that the relay has acknowledged or refused, by `message_id`. */
  readonly settled: ReadonlySet<string>
  /** The running turn. */
  readonly turn?: Running
  readonly started: boolean
  /** Whether the agent is gone. */
  readonly over: boolean
  /** Why it is gone, if it failed. */
  readonly failure?: string
  /** Given by a person or the agent; undefined: it has none. */
  readonly title?: string
  /** The rewind that can be undone. */
  readonly rewound?: string
  /** USD, all turns. */
  readonly cost: number
  readonly limit?: Limit
  readonly schedules: ReadonlyArray<ScheduleLine>
  /** Whether a prompt that hits a limit will be sent again. */
  readonly resumes: boolean
  /** 0 to 100. */
  readonly context_pct?: number
  readonly context_tokens?: number
  readonly context_window?: number
}

/** State of a running turn; numbers are indexes into `items`. */
export interface Running {
  readonly since: number
  readonly from: number
  /** The prompt's acknowledgement is still to come. */
  readonly prompt?: { readonly message_id?: string; readonly text: string }
  /** Streaming now. */
  readonly open: { readonly text?: number; readonly reasoning?: number }
  /** The last whole text, so that a response which repeats it is not shown. */
  readonly said?: string
}

export const empty: View = {
  items: [],
  last_seq: 0,
  tool: "",
  folder: "",
  models: [],
  modes: [],
  own_modes: [],
  commands: [],
  suggestions: [],
  can: { images: false, steer: false, set_model: false, terminal: false, edit_input: false, rewind: false },
  plan: [],
  tasks: new Map(),
  own_answers: new Map(),
  queue: [],
  settled: new Set(),
  started: false,
  over: false,
  cost: 0,
  resumes: false,
  schedules: []
}

/** Requests without an answer. */
export const openAsks = ({ items }: View): ReadonlyArray<AskItem> =>
  items.filter((item): item is AskItem => item.kind === "ask" && item.state === "open")
