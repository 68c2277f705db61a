/**
 * ai-relay/client: talk to a relay from a web page, or from Node. Without Effect, without dependencies.
 *
 * `connect` gives a `Session`. It reconnects by itself; nothing is lost and nothing is done twice.
 */
import { openSession } from "./openSession.js"
import type { SocketConstructor } from "./ReconnectingSocket.js"
import type { ConnectOptions, Session } from "./Session.js"
import { openWatch, type SessionWatch, type WatchOptions } from "./watchSessions.js"

export type {
  Attachment,
  ChangedFile,
  Changes,
  Commit,
  FileContent,
  FileDiff,
  FoundFiles,
  TreeEntry,
  TreeListing
} from "../schema/WorkspaceAnswers.js"
export type { Ask } from "./Credentials.js"
export { filesOf, type FilesOptions, type SessionFiles } from "./files.js"
export type { OnPermission, PermissionRequest } from "./Permissions.js"
export type {
  Answer,
  Command,
  Content,
  ErrorCode,
  EventOf,
  EventType,
  Handshake,
  RelayEvent,
  SessionLine,
  When
} from "./protocol.js"
export type { Socket, SocketConstructor } from "./ReconnectingSocket.js"
export { RelayError, type RelayErrorCode } from "./RelayError.js"
export type { ConnectionState, ConnectOptions, PromptOptions, Session } from "./Session.js"
export type { TurnResult } from "./Turns.js"
export type { SessionWatch, WatchOptions } from "./watchSessions.js"

/** What a page has and Node has not. */
const page: {
  readonly WebSocket?: SocketConstructor
  readonly location?: { readonly protocol: string; readonly origin: string }
} = globalThis

const localRelay = "ws://localhost:8765"

const defaultUrl = (): string => {
  const { location } = page
  return location?.protocol.startsWith("http") ? location.origin : localRelay
}

/** Where the relay is, and what to reach it with. */
const placeOf = (options: Pick<ConnectOptions, "url" | "WebSocket">) => {
  const WebSocket = options.WebSocket ?? page.WebSocket
  if (WebSocket === undefined) {
    throw new TypeError(
      "this engine has no WebSocket: give one, connect({ WebSocket, … }), such as that of `ws`"
    )
  }
  const url = new URL(options.url ?? defaultUrl())
  return { url: url.href.replace(/^http/, "ws"), WebSocket }
}

/**
 * Open a session, or attach to one by `session_id`. All fields of the handshake may be given.
 *
 * Throws only when there is no WebSocket to use, or `url` is no address; everything else is told by the session.
 */
export const connect = (options: ConnectOptions = {}): Session => {
  const { url, WebSocket } = placeOf(options)
  return openSession(url, WebSocket, options)
}

/** The relay's list of sessions, and what changes in it. Throws as `connect` does. */
export const watchSessions = (options: WatchOptions): SessionWatch => {
  const { url, WebSocket } = placeOf(options)
  return openWatch(url, WebSocket, options)
}
