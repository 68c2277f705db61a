/**
 * AcpAgent: what the relay knows of one agent that speaks the Agent Client Protocol: how to start it, what to tell a
 * user who lacks it or its login, and where it differs from the protocol.
 */
import type { EventBody } from "../../schema/index.js"
import type { Chunk, ToolFields, UsageUpdate } from "./AcpMessage.js"

export interface AcpAgent {
  /** Its name in the handshake. */
  readonly tool: string
  /** Its name for people. */
  readonly name: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** What to run when the program is missing. */
  readonly install: string
  /** What to run when a login is missing. */
  readonly login: string
  /** The login method to ask for before a session is opened, if the agent offers it. */
  readonly authenticate?: string
  /** Arguments that choose a model at the start; without this it is chosen in the session. */
  readonly modelArgs?: (model: string) => ReadonlyArray<string>
  /** Further names of its modes, such as Claude's: `{"acceptEdits": "autoEdit"}`. */
  readonly modeNames?: Readonly<Record<string, string>>
  readonly quirks?: AcpQuirks
}

/** Where an agent differs from the protocol, or says more than it has words for. */
export interface AcpQuirks {
  /** A line on stdout that says it wants a login in a terminal, and will never answer. */
  readonly wantsTerminal?: (line: string) => boolean
  /** A message chunk that is no message: the event it is. */
  readonly notMessage?: (text: string, kind: Chunk["sessionUpdate"]) => EventBody | undefined
  readonly toolName?: (call: ToolFields) => string | undefined
  /** The input of a tool call without `rawInput`. */
  readonly toolArgs?: (call: ToolFields) => Readonly<Record<string, unknown>> | undefined
  /** How far a running tool is, out of an update that has no content. */
  readonly toolProgress?: (call: ToolFields) => string | undefined
  /** Each thought comes in one piece; without this pieces are joined. */
  readonly wholeThoughts?: boolean
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
