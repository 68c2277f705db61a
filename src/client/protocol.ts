/**
 * protocol: the wire as a client types it: commands in the short spellings, plain strings for names. Types only, taken
 * from the schemas, so that nothing of Effect is in a page.
 */
import type * as Wire from "../schema/index.js"

/** What a person says to an agent: text, or blocks of text and images. */
export type Content = string | ReadonlyArray<Wire.ContentBlock>

/** The first frame. The client adds `session_id` and `after_seq` when it comes again. */
export type Handshake = typeof Wire.HandshakeFields.Encoded

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

/** Anything a client may tell the relay after the handshake. */
export type Command =
  | typeof Wire.ShortPrompt.Encoded
  | typeof Wire.LongPrompt.Encoded
  | (typeof Wire.PermissionAnswer.Encoded)
  | Exclude<typeof Wire.ClientCommand.Encoded, { readonly type: "user_message" | "permission_response" }>

/** What an event of this type holds, with its place in the session. */
export type EventOf<Type extends Wire.EventType> = RelayEvent & { readonly type: Type }
export type RelayEvent = typeof Wire.RelayEvent.Encoded
export type EventType = RelayEvent["type"]
export type ErrorCode = Wire.ErrorCode
export type When = Wire.When
