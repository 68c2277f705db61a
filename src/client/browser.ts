/**
 * ai-relay/client: use a relay from a web page or from Node, without Effect and without dependencies.
 *
 * `connect` returns a `Session`. It reconnects by itself; nothing is lost and nothing is done twice.
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

/** Globals of a page that Node does not have. */
const page: {
  readonly WebSocket?: SocketConstructor
  readonly location?: { readonly protocol: string; readonly origin: string }
} = globalThis

const localRelay = "ws://localhost:8765"

const defaultUrl = (): string => {
  const { location } = page
  return location?.protocol.startsWith("http") ? location.origin : localRelay
}

/** The relay's URL and the WebSocket to use. */
const placeOf = (options: Pick<ConnectOptions, "url" | "WebSocket">) => {
  const WebSocket = options.WebSocket ?? page.WebSocket
  if (WebSocket === undefined) {
    throw new TypeError(
      "there is no global WebSocket: pass one to connect({ WebSocket, … }), such as that of `ws`"
    )
  }
  const url = new URL(options.url ?? defaultUrl())
  return { url: url.href.replace(/^http/, "ws"), WebSocket }
}

/**
 * Opens a session, or attaches to one by `session_id`. All fields of the handshake are options.
 *
 * Throws only if there is no WebSocket or `url` is not valid; all other errors come through the session.
 */
export const connect = (options: ConnectOptions = {}): Session => {
  const { url, WebSocket } = placeOf(options)
  return openSession(url, WebSocket, options)
}

/** Watches the relay's list of sessions. Throws like `connect`. */
export const watchSessions = (options: WatchOptions): SessionWatch => {
  const { url, WebSocket } = placeOf(options)
  return openWatch(url, WebSocket, options)
}
