/**
 * AcpAgent: what the relay knows about one agent that speaks the Agent Client Protocol: the facts every agent
 * has, how to start it, and where it differs from the protocol.
 */
import type { EventBody } from "../../schema/index.js"
import type { AgentFacts } from "../AgentDescriptor.js"
import type { NativeFiles } from "../native/NativeFiles.js"
import type { Chunk, ToolFields, UsageUpdate } from "./AcpMessage.js"

export interface AcpAgent extends AgentFacts {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Variables it gets unless the relay's environment sets them. */
  readonly defaults?: Readonly<Record<string, string>>
  /** Login method to request before opening a session, if the agent offers it. */
  readonly authenticate?: string
  /** Arguments that choose a model at start; without this, the model is chosen in the session. */
  readonly modelArgs?: (model: string) => ReadonlyArray<string>
  /** Further names for its modes, such as Claude's: `{"acceptEdits": "autoEdit"}`. */
  readonly modeNames?: Readonly<Record<string, string>>
  /**
   * `never`: it cannot ask before running a tool. Otherwise, the mode to open in if it would start in one of
   * the listed modes, which do not ask; if absent, the usual mode names decide.
   */
  readonly asks?: "never" | { readonly mode: string; readonly insteadOf: ReadonlyArray<string> }
  readonly quirks?: AcpQuirks
  /** The agent whose past conversations it shares and is listed under. */
  readonly stored_as?: string
  /** Its past conversations, if listing and loading them was tested. */
  readonly conversations?: AcpConversations
}

/** An agent configured by the operator: how to start it and what to say if that fails. */
export type OwnAgent = Pick<AcpAgent, "tool" | "name" | "command" | "args" | "env" | "install" | "login">

export interface AcpConversations {
  /** The command that resumes a conversation in a terminal, in its folder. */
  readonly command: (native_session_id: string) => ReadonlyArray<string>
  /** For agents that list conversations one folder at a time: the folders that have some. */
  readonly foldersOf?: (files: NativeFiles) => ReadonlyArray<string>
}

/** Token counts, as far as they are reported. */
export interface Tokens {
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly cachedReadTokens?: number
  readonly cachedWriteTokens?: number
}

/** Where an agent differs from the protocol or says more than it covers. */
export interface AcpQuirks {
  /** Whether this stdout line means that it wants a login in a terminal and will never answer. */
  readonly wantsTerminal?: (line: string) => boolean
  /** For a message chunk that is not a message: the event it stands for. */
  readonly notMessage?: (text: string, kind: Chunk["sessionUpdate"]) => EventBody | undefined
  /** For a message chunk in which it tells that its turn failed: why. The turn then ends as if it had succeeded. */
  readonly failureIn?: (chunk: Chunk) => string | undefined
  readonly toolName?: (call: ToolFields) => string | undefined
  /** A tool call's input, if it is not in `rawInput`. */
  readonly input?: (update: ToolFields) => unknown
  /** What to show for a tool call without input. */
  readonly toolArgs?: (call: ToolFields) => Readonly<Record<string, unknown>> | undefined
  /** A running tool's progress, from an update without content. */
  readonly toolProgress?: (call: ToolFields) => string | undefined
  /** Each thought comes in one piece; without this, pieces are joined. */
  readonly wholeThoughts?: boolean
  /**
   * It announces a call with partial input; the input is complete only when the call runs or permission is
   * requested.
   */
  readonly announcesInParts?: boolean
  /** The tokens of one model call, from a message chunk. */
  readonly usageBeside?: (chunk: Chunk) => Tokens | undefined
  /** It counts the tokens of the whole session instead of the turn. */
  readonly countsWholeSession?: boolean
  /** If its model cannot be reached, it ends the turn normally but without an answer. */
  readonly silentWhenFailed?: boolean
  /** It reports nothing more about a rejected tool call. */
  readonly silentOnRejection?: boolean
  /** The name it expects for a past conversation. */
  readonly nameToLoad?: (native_session_id: string) => string
  /** It keeps sending history after it has answered `session/load`. */
  readonly replaysLate?: boolean
  /** `max_tokens` means that the context window is full. */
  readonly maxTokensMeansFull?: boolean
  /** Further events from a usage update. */
  readonly onUsage?: (update: typeof UsageUpdate.Type) => ReadonlyArray<EventBody>
}
