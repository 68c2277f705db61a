/**
 * Ending: why a session ends that somebody still uses. Clients that wait for its turn or for a queued prompt are told, and what to
 * do next; otherwise an answer that was cut off would look as if it were complete, or cancelled by its reader.
 */
import type { BodyOf } from "../../schema/index.js"

export type Ending = "relay_stopped" | "session_deleted" | "session_ended" | "agent_ended"

interface Words {
  readonly what: string
  /** What the next prompt does. */
  readonly next: string
  /** What to do with a prompt whose turn has not begun. */
  readonly again: string
}

const again = "send it again"
const words: Record<Ending, Words> = {
  relay_stopped: {
    what: "The relay was stopped",
    next: "When it is back, the next prompt continues the conversation.",
    again: `${again} when it is back`
  },
  session_deleted: {
    what: "The session was deleted",
    next: "The next prompt begins a new conversation.",
    again: `${again} to begin a new conversation`
  },
  session_ended: { what: "The session was ended", next: "The next prompt reopens it.", again },
  agent_ended: { what: "The agent stopped", next: "The next prompt starts it again.", again }
}

/** For the running turn, before it is stopped. */
export const toError = (reason: Ending): BodyOf<"error"> => ({
  type: "error",
  code: "turn_failed",
  text: `${words[reason].what} during this turn. ${words[reason].next}`,
  metadata: { fatal: true, reason }
})

/** Metadata of the `input_ack` of a prompt that will have no turn. */
export const toWithdrawal = (reason: Ending): Readonly<Record<string, string>> => ({
  reason,
  why: `${words[reason].what} before the prompt's turn began: ${words[reason].again}.`
})

/** The `text` of the `session_end`. */
export const toEnd = (reason: Ending): string => `${words[reason].what}. ${words[reason].next}`
