/**
 * NativeStore: the contract between the relay and the place where one kind of agent stores its conversations.
 *
 * A store lists files, summarizes each in one line, and reads a history as records, which `NativeTurns` turns
 * into turns. It never writes, and accepts only ids, never paths. Record types are allowed individually:
 * system prompts, settings and anything the relay does not know are left out.
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

/** How the conversation was started. */
export type NativeOrigin = "terminal" | "headless" | "ide" | "background"

/** A conversation in one line. Times are in seconds since 1970; texts are cut to 200 characters. */
export interface NativeSummary {
  /** As recorded in the conversation. */
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

/** Counts that require reading all of it. */
export interface NativeCounts {
  readonly prompts: number
  readonly messages: number
  readonly tokens?: { readonly input: number; readonly output: number; readonly cached: number }
}

/** The process that has it open now. */
export interface NativeHolder {
  readonly by: "terminal" | "background" | "unknown"
  readonly pid?: number
  readonly state?: "idle" | "busy" | "waiting"
  readonly waiting_for?: string
}

/** A record's meaning. Turns need not be closed: `NativeTurns` does that. */
export interface Translated {
  readonly events: ReadonlyArray<EventBody>
  /** Tokens of one model call; a repeated `call` replaces them. */
  readonly usage?: Usage & { readonly call: string }
}

/** Something said or done. */
export interface NativeRecord {
  /** Identifies it in its conversation, also when the file is read again. */
  readonly key: string
  /** Seconds since 1970. */
  readonly ts: number
  /** It begins a turn: a person's text, as in a turn's `text`. */
  readonly prompt?: string
  /** A copy of the conversation may end after it: the name of that point for `AgentSpec.fork_at`. */
  readonly anchor?: string
  readonly read: () => Translated
}

export interface NativeHistory {
  /** In conversation order. */
  readonly records: ReadonlyArray<NativeRecord>
  /** Nothing comes before the first of them. */
  readonly complete: boolean
  /** The agent does not record times. */
  readonly undated?: boolean
}

/**
 * For conversations that are not read from disk but requested from the agent, a program that must be started
 * for it. Results are remembered: `files`, `find`, `summary` and `history` return them.
 */
export interface AskedStore {
  /** Update the list, for this folder or all; fails with the reason. */
  readonly list: (folder?: string) => Effect.Effect<void, AgentSilent>
  /** Fetch the history of one conversation. */
  readonly history: (file: NativeFile) => Effect.Effect<void, AgentSilent>
  /** Discard what was remembered. */
  readonly forget: Effect.Effect<void>
  /** Used only if a client asks for this agent's conversations. */
  readonly onlyByName: boolean
}

/** The agent is missing or does not report its conversations. */
export interface AgentSilent {
  readonly _tag: "AgentSilent"
  readonly state: "missing" | "unable" | "failed"
  readonly reason: string
}

export interface NativeStore {
  /** The `tool` that continues its conversations. */
  readonly tool: string
  /** The agent's display name. */
  readonly name: string
  /** The format of its ids; anything else is not looked up. */
  readonly id: RegExp
  /** The conversation can be forked into a copy when it is opened. */
  readonly forks: boolean
  /** Such a copy may end before the conversation does: `fork_at`. */
  readonly forksAt?: true
  /** The holder is known per conversation, not only per folder. */
  readonly tellsHolder: boolean
  /** Present if the agent itself is asked. */
  readonly ask?: AskedStore
  /** All files, in no particular order, except in folders that cannot lie below one of these roots. */
  readonly files: (roots: ReadonlyArray<string>) => Steps<ReadonlyArray<NativeFile>>
  readonly find: (id: string) => Steps<NativeFile | undefined>
  /** Undefined: not a person's conversation. */
  readonly summary: (file: NativeFile) => NativeSummary | undefined
  /** Absent: counts are not available. */
  readonly counts?: (file: NativeFile) => Steps<NativeCounts>
  /**
   * At least the last `bytes` of the file. A copy begins with content from another conversation, which is
   * included if `mayTell` allows that conversation's folder.
   */
  readonly history: (
    file: NativeFile,
    bytes: number,
    mayTell?: (folder: string) => boolean
  ) => Steps<NativeHistory>
  /** Holders of open conversations, by id; the relay's own agents are left out. */
  readonly holders: () => ReadonlyMap<string, NativeHolder>
  /** The holder of this conversation: as in `holders`, and if the agent does not report it, a best guess. */
  readonly holder: (file: NativeFile, folder: string) => NativeHolder | undefined
  /** The socket of the agent's daemon while it has the conversation open; using it disturbs nobody. */
  readonly join?: (file: NativeFile) => string | undefined
  /** The command that continues it in a terminal, in its folder. */
  readonly command: (id: string) => ReadonlyArray<string>
  /** What a person should know before running it. */
  readonly warning?: string
  /** That command may lose the file: keep a copy first. */
  readonly keepCopy?: boolean
  /** Empty files that command left beside the conversation, which would make the agent delete both. */
  readonly leftovers?: (file: NativeFile) => ReadonlyArray<NativeFile>
}
