/** protocol: types of the frames. */
import type * as Wire from "./wire.js"

export type { Command, Handshake } from "./wire.js"
/** Any event of the relay. */
export type RelayEvent = Wire.Event
export type EventType = RelayEvent["type"]
/** The event of this type. */
export type EventOf<Type extends EventType> = Extract<RelayEvent, { readonly type: Type }>
/** A session in the relay's list. */
export type SessionLine = EventOf<"session_changed">["session"]
export type ErrorCode = Wire.ErrorEvent["code"]
export type When = "queue" | "steer" | "interrupt"

/** A prompt: text, or blocks of text and images. */
export type Content = Wire.UserMessageCommand["content"]

/** An answer to a permission request. */
export interface Answer {
  readonly behavior?: "allow" | "deny"
  /** The chosen option of `metadata.options`. Without `behavior`, its `kind` decides. */
  readonly option_id?: string
  /** Run the tool with these arguments instead. */
  readonly updatedInput?: Readonly<Record<string, unknown>>
  /** For a denial: the reason, for the agent. */
  readonly message?: string
  /** `session`: do not ask again for this in this session. */
  readonly scope?: "once" | "session"
  /** For a denial: stop the turn, too. */
  readonly stop?: boolean
  /** For a question: from each question's `id` (or text) to what was chosen. */
  readonly answers?: Readonly<Record<string, string | ReadonlyArray<string>>>
}
