/**
 * NativeStore: the contract between the relay and the place where one kind of agent keeps its conversations.
 *
 * A store lists files, says in one line what each is about, and reads a history as records that `NativeTurns` makes turns
 * of. It never writes, and takes ids only, never paths. Types of records are allowed one by one: system prompts, settings
 * and whatever the relay does not know stay where they are.
 */
import type { Effect } from "effect"
import type { EventBody, Usage } from "../../schema/index.js"
import type { FileStamp, Steps } from "./NativeFiles.js"

/** A file that may be a conversation. */
export interface NativeFile {
  readonly id: string
  readonly path: string
  readonly stamp: FileStamp
  readonly archived?: boolean
}

/** Who began it. */
export type NativeOrigin = "terminal" | "headless" | "ide" | "background"

/** A conversation in one line. Times are in seconds since 1970; texts are cut to 200 characters. */
export interface NativeSummary {
  /** As it is written in the conversation. */
  readonly folder: string
  readonly title?: string
  readonly title_by?: "user" | "agent" | "prompt"
  readonly first_prompt?: string
  readonly created_at?: number
  readonly last_active_at: number
  readonly model?: string
  /** The git branch. */
  readonly branch?: string
  readonly origin?: NativeOrigin
}

/** What has to be counted by reading all of it. */
export interface NativeCounts {
  readonly prompts: number
  readonly messages: number
  readonly tokens?: { readonly input: number; readonly output: number; readonly cached: number }
}

/** Who has it open now. */
export interface NativeHolder {
  readonly by: "terminal" | "background" | "unknown"
  readonly pid?: number
  readonly state?: "idle" | "busy" | "waiting"
  readonly waiting_for?: string
}

/** What a record means. Turns need not be closed: `NativeTurns` does that. */
export interface Translated {
  readonly events: ReadonlyArray<EventBody>
  /** Tokens of one call of the model; the same `call` again replaces them. */
  readonly usage?: Usage & { readonly call: string }
}

/** Something that was said or done. */
export interface NativeRecord {
  /** Names it in its conversation, also when the file is read again. */
  readonly key: string
  /** Seconds since 1970. */
  readonly ts: number
  /** It begins a turn: a person's words, as a turn's `text` has them. */
  readonly prompt?: string
  /** A copy of the conversation may end behind it: how `AgentSpec.fork_at` names that place. */
  readonly anchor?: string
  readonly read: () => Translated
}

export interface NativeHistory {
  /** In the order of the conversation. */
  readonly records: ReadonlyArray<NativeRecord>
  /** There is nothing before the first of them. */
  readonly complete: boolean
  /** The agent does not say when things were said. */
  readonly undated?: boolean
}

/**
 * Where conversations are not read from disk but told by the agent itself, a program that has to be started for it. What
 * it has told is remembered, and that is what `files`, `find`, `summary` and `history` give.
 */
export interface AskedStore {
  /** Bring the list up to date, of this folder or all; the reason if that cannot be done. */
  readonly list: (folder?: string) => Effect.Effect<void, AgentSilent>
  /** Fetch what was said in one. */
  readonly history: (file: NativeFile) => Effect.Effect<void, AgentSilent>
  /** What was remembered does not count any more. */
  readonly forget: Effect.Effect<void>
  /** Asked only when somebody wants this agent's conversations. */
  readonly onlyByName: boolean
}

/** The agent is not there, or does not tell of its conversations. */
export interface AgentSilent {
  readonly _tag: "AgentSilent"
  readonly state: "missing" | "unable" | "failed"
  readonly reason: string
}

export interface NativeStore {
  /** The `tool` its conversations go on with. */
  readonly tool: string
  /** The agent's name for people. */
  readonly name: string
  /** What an id looks like; anything else is not looked for. */
  readonly id: RegExp
  /** The conversation can be split off into a copy when it is opened. */
  readonly forks: boolean
  /** Such a copy may end before the conversation does: `fork_at`. */
  readonly forksAt?: true
  /** The holder is known per conversation, not only per folder. */
  readonly tellsHolder: boolean
  /** Present: it is the agent that is asked. */
  readonly ask?: AskedStore
  /** All files, in no order; of folders that cannot lie below one of these roots none. */
  readonly files: (roots: ReadonlyArray<string>) => Steps<ReadonlyArray<NativeFile>>
  readonly find: (id: string) => Steps<NativeFile | undefined>
  /** Undefined: it is no conversation of a person. */
  readonly summary: (file: NativeFile) => NativeSummary | undefined
  /** Absent: nobody counts them. */
  readonly counts?: (file: NativeFile) => Steps<NativeCounts>
  /**
   * What the last `bytes` of the file hold, at least. A copy begins with what was said in another conversation: that is told
   * if `mayTell` says so of the folder it was held in.
   */
  readonly history: (
    file: NativeFile,
    bytes: number,
    mayTell?: (folder: string) => boolean
  ) => Steps<NativeHistory>
  /** Who has conversations open, by id; the relay's own agents are left out. */
  readonly holders: () => ReadonlyMap<string, NativeHolder>
  /** Who has this one open: as `holders`, and where the agent does not tell, as far as can be guessed. */
  readonly holder: (file: NativeFile, folder: string) => NativeHolder | undefined
  /** The socket of the agent's daemon, while that has it open: who speaks to it there disturbs nobody. */
  readonly join?: (file: NativeFile) => string | undefined
  /** The command that goes on with it in a terminal, in its folder. */
  readonly command: (id: string) => ReadonlyArray<string>
  /** What a person has to know before running that. */
  readonly warning?: string
  /** Going on by that command may lose the file: keep a copy first. */
  readonly keepCopy?: boolean
  /** Empty files that command has left beside the conversation, because of which the agent would delete both. */
  readonly leftovers?: (file: NativeFile) => ReadonlyArray<NativeFile>
}
