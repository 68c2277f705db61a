/** protocol: the frames as a client speaks of them. Types only. */
import type * as Wire from "./wire.js"

export type { Command, Handshake } from "./wire.js"
/** Everything the relay says, with its place in the session. */
export type RelayEvent = Wire.Event
export type EventType = RelayEvent["type"]
/** The event of this type. */
export type EventOf<Type extends EventType> = Extract<RelayEvent, { readonly type: Type }>
/** A session in the relay's list. */
export type SessionLine = EventOf<"session_changed">["session"]
export type ErrorCode = Wire.ErrorEvent["code"]
export type When = "queue" | "steer" | "interrupt"

/** What a person says to an agent: text, or blocks of text and images. */
export type Content = Wire.UserMessageCommand["content"]

/** How an answer to a permission request may be given. */
export interface Answer {
  readonly behavior?: "allow" | "deny"
  /** The chosen one of `metadata.options`. Alone, its `kind` decides. */
  readonly option_id?: string
  /** Run the tool with these arguments instead. */
  readonly updatedInput?: Readonly<Record<string, unknown>>
  /** With a deny: why, for the agent. */
  readonly message?: string
  /** `session`: do not ask again for this in this session. */
  readonly scope?: "once" | "session"
  /** With a deny: stop the turn as well. */
  readonly stop?: boolean
  /** For a question: from each question's `id` (or text) to what was chosen. */
  readonly answers?: Readonly<Record<string, string | ReadonlyArray<string>>>
}
