/** toErrorEvent: the `error` event for a client whose session could not be opened or joined. */
import type { BodyOf, ErrorCode } from "../../schema/index.js"
import type { ForbiddenOrigin, TooManyAttempts, Unauthorized } from "../access/Auth.js"
import type { Forbidden } from "../access/Principal.js"
import type { NotDriving } from "./Drivers.js"
import type { JoinError } from "./SessionRegistry.js"

export type RelayError = JoinError | Unauthorized | TooManyAttempts | ForbiddenOrigin | Forbidden | NotDriving

const codes: Record<RelayError["_tag"], ErrorCode> = {
  AgentFailed: "agent_failed",
  AuthRequired: "auth_required",
  BadHandshake: "bad_handshake",
  ConversationInUse: "in_use",
  CommandNotFound: "command_not_found",
  ConversationGone: "bad_handshake",
  FolderNotFound: "folder_not_found",
  Forbidden: "forbidden",
  ForbiddenFolder: "forbidden_folder",
  ForbiddenOrigin: "unauthorized",
  JournalFailed: "internal",
  NotDriving: "not_driving",
  SessionInUse: "bad_handshake",
  SessionNotFound: "session_not_found",
  TerminalUnavailable: "agent_failed",
  TooManyAttempts: "overloaded",
  TooManySessions: "overloaded",
  Unauthorized: "unauthorized",
  UnknownTool: "unknown_tool"
}

export const toErrorEvent = (error: RelayError): BodyOf<"error"> => ({
  type: "error",
  code: codes[error._tag],
  text: error.message,
  metadata: { fatal: true }
})
