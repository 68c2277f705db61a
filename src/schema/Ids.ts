/** Ids: identifiers on the wire. */
import { Schema } from "effect"
import { says } from "./fields.js"

/** Identifies a session. It may become a file name, so it is short and has no separators. */
export const SessionId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[A-Za-z0-9_-][A-Za-z0-9._:-]{0,127}$/u)),
  Schema.brand("SessionId")
).annotate(says("must be 1 to 128 letters, digits and . _ : -, not starting with a dot"))
export type SessionId = typeof SessionId.Type
export const isSessionId = Schema.is(SessionId)

/** Identifies a permission request of an agent, or a client's request to the agent. Opaque. */
export const RequestId = Schema.NonEmptyString.pipe(
  Schema.check(Schema.isMaxLength(256)),
  Schema.brand("RequestId")
)
  .annotate(says("must be the request_id of a permission_request or control_request, a string"))
export type RequestId = typeof RequestId.Type

/** The most characters of a `MessageId`. */
export const longestMessageId = 256

/** A client's own id for a command. A second command with the same id is acknowledged but not executed again. */
export const MessageId = Schema.NonEmptyString.pipe(Schema.check(Schema.isMaxLength(longestMessageId)))
  .annotate(says(`must be a string of 1 to ${longestMessageId} characters`))
export type MessageId = typeof MessageId.Type
