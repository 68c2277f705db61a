/** Ids: the names things go by on the wire. */
import { Schema } from "effect"
import { says } from "./fields.js"

/** Names a session. It may become a file name, so it is short and holds no separators. */
export const SessionId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[A-Za-z0-9_-][A-Za-z0-9._:-]{0,127}$/u)),
  Schema.brand("SessionId")
).annotate(says("must be 1 to 128 characters out of letters, digits and . _ : -, not starting with a dot"))
export type SessionId = typeof SessionId.Type

/** Names a question an agent waits for (a permission) or a request of a client to the agent. Opaque. */
export const RequestId = Schema.NonEmptyString.pipe(
  Schema.check(Schema.isMaxLength(256)),
  Schema.brand("RequestId")
)
  .annotate(says("must be the request_id of a permission_request or control_request, a string"))
export type RequestId = typeof RequestId.Type

/** A client's own name for a command. A second command of the same name is acknowledged but not executed again. */
export const MessageId = Schema.NonEmptyString.pipe(Schema.check(Schema.isMaxLength(256)))
  .annotate(says("must be a string of 1 to 256 characters"))
export type MessageId = typeof MessageId.Type
