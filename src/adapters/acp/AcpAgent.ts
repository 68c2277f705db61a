/**
 * AcpAgent: what the relay knows of one agent that speaks the Agent Client Protocol: what it knows of any agent, how to
 * start this one, and where it differs from the protocol.
 */
import type { EventBody } from "../../schema/index.js"
import type { AgentFacts } from "../AgentDescriptor.js"
import type { NativeFiles } from "../native/NativeFiles.js"
import type { Chunk, ToolFields, UsageUpdate } from "./AcpMessage.js"

export interface AcpAgent extends AgentFacts {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Variables it is given unless the relay has them set. */
  readonly defaults?: Readonly<Record<string, string>>
  /** The login method to ask for before a session is opened, if the agent offers it. */
  readonly authenticate?: string
  /** Arguments that choose a model at the start; without this it is chosen in the session. */
  readonly modelArgs?: (model: string) => ReadonlyArray<string>
  /** Further names of its modes, such as Claude's: `{"acceptEdits": "autoEdit"}`. */
  readonly modeNames?: Readonly<Record<string, string>>
  /**
   * `never`: it has no way to ask before a tool runs. Else the mode to open in when it would begin in one of the others,
   * which do not ask; without this the usual names decide.
   */
  readonly asks?: "never" | { readonly mode: string; readonly insteadOf: ReadonlyArray<string> }
  readonly quirks?: AcpQuirks
  /** The agent as whose its past conversations are listed: they are the same. */
  readonly stored_as?: string
  /** Its past conversations, where listing and loading them was tried. */
  readonly conversations?: AcpConversations
}

/** An agent of the operator's: how to start it, what to say if that fails. */
export type OwnAgent = Pick<AcpAgent, "tool" | "name" | "command" | "args" | "env" | "install" | "login">

export interface AcpConversations {
  /** The command that goes on with one in a terminal, in its folder. */
  readonly command: (native_session_id: string) => ReadonlyArray<string>
  /** It lists conversations of one folder at a time: which folders it has some of. */
  readonly foldersOf?: (files: NativeFiles) => ReadonlyArray<string>
}

/** Counts of tokens, as far as they are told. */
export interface Tokens {
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly cachedReadTokens?: number
}

/** Where an agent differs from the protocol, or says more than it has words for. */
export interface AcpQuirks {
  /** A line on stdout that says it wants a login in a terminal, and will never answer. */
  readonly wantsTerminal?: (line: string) => boolean
  /** A message chunk that is no message: the event it is. */
  readonly notMessage?: (text: string, kind: Chunk["sessionUpdate"]) => EventBody | undefined
  readonly toolName?: (call: ToolFields) => string | undefined
  /** The input of a tool call, where it stands elsewhere than in `rawInput`. */
  readonly input?: (update: ToolFields) => unknown
  /** What to show instead of the input of a tool call that has none. */
  readonly toolArgs?: (call: ToolFields) => Readonly<Record<string, unknown>> | undefined
  /** How far a running tool is, out of an update that has no content. */
  readonly toolProgress?: (call: ToolFields) => string | undefined
  /** Each thought comes in one piece; without this pieces are joined. */
  readonly wholeThoughts?: boolean
  /** It announces a call with part of its input: only when it runs, or is asked for, all of it is there. */
  readonly announcesInParts?: boolean
  /** The tokens of one call to the model, out of a piece of a message. */
  readonly usageBeside?: (chunk: Chunk) => Tokens | undefined
  /** It counts the tokens of the whole session, not of the turn. */
  readonly countsWholeSession?: boolean
  /** When its model cannot be reached it ends the turn as if all were well, without an answer. */
  readonly silentWhenFailed?: boolean
  /** It says nothing of a tool call any more once it was rejected. */
  readonly silentOnRejection?: boolean
  /** How it wants to hear the name of a past conversation. */
  readonly nameToLoad?: (native_session_id: string) => string
  /** It goes on telling the history after it has answered `session/load`. */
  readonly replaysLate?: boolean
  /** `max_tokens` means that the context window is full. */
  readonly maxTokensMeansFull?: boolean
  /** What a usage update says besides usage. */
  readonly onUsage?: (update: typeof UsageUpdate.Type) => ReadonlyArray<EventBody>
}
