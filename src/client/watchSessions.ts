/**
 * watchSessions: the relay's list of sessions, kept up to date over a reconnecting socket. Each connection starts with the whole
 * list, so nothing is missed.
 */
import * as Credentials from "./Credentials.js"
import type { RelayEvent, SessionLine } from "./protocol.js"
import * as ReconnectingSocket from "./ReconnectingSocket.js"
import { RelayError } from "./RelayError.js"
import type { ConnectionState, ConnectOptions } from "./Session.js"
import { makeTeller } from "./unreachable.js"

export interface WatchOptions
  extends Pick<ConnectOptions, "onState" | "retries" | "signal" | "ticket" | "token" | "url" | "WebSocket">
{
  /** Called with all sessions whenever one has changed, in no particular order. */
  readonly onSessions: (sessions: ReadonlyArray<SessionLine>) => void
}

export interface SessionWatch {
  readonly sessions: () => ReadonlyArray<SessionLine>
  readonly state: () => ConnectionState
  readonly close: () => void
}

/** Close codes (RFC 6455). */
const refused = 1008

export const openWatch = (
  url: string,
  WebSocket: ReconnectingSocket.SocketConstructor,
  { onSessions, onState, retries = Infinity, signal, ticket, token }: WatchOptions
): SessionWatch => {
  const credentials = Credentials.make({ ticket, token })
  const teller = makeTeller(url)
  let lines = new Map<string, SessionLine>()
  let state: ConnectionState = { status: "connecting" }
  let refusal: RelayError | undefined

  const become = (next: ConnectionState) => {
    state = next
    onState?.(next)
  }
  const show = () => onSessions([...lines.values()])

  const follow = (event: RelayEvent) => {
    switch (event.type) {
      case "session_list":
        lines = new Map(event.sessions.map((line) => [line.session_id, line]))
        link.greeted()
        teller.reached()
        become({ status: "open" })
        return show()
      case "session_changed":
        lines.set(event.session.session_id, event.session)
        return show()
      case "session_removed":
        lines.delete(event.removed)
        return show()
      case "error":
        refusal = new RelayError(event.code, event.text, event)
    }
  }

  const verdict = ({ cause, code, reason }: ReconnectingSocket.Lost, failures: number) =>
    cause instanceof RelayError
      ? cause
      : code === refused
      ? refusal ?? new RelayError("bad_handshake", reason)
      : failures > retries
      ? new RelayError("unreachable", `no relay answers at ${url}: ${reason}`)
      : undefined

  const finish = (error: RelayError) => {
    if (state.status === "closed") return
    link.stop()
    signal?.removeEventListener("abort", close)
    become({ status: "closed", error })
  }
  const close = () => finish(new RelayError("closed", "the list was left"))

  const link = ReconnectingSocket.open({
    url,
    WebSocket,
    prepare: credentials.renew,
    // A relay that does not know `watch` refuses this, rather than begin a session.
    handshake: () => ({ watch: "sessions", must_exist: true, ...credentials.current() }),
    // What a relay sends is an event.
    onFrame: (frame) => follow(JSON.parse(frame) as RelayEvent),
    onConnecting: () => {
      refusal = undefined
      if (state.status !== "connecting") become({ status: "connecting" })
    },
    onLost: (lost, failures) => {
      const error = verdict({ ...lost, reason: teller.reasonOf(lost) }, failures)
      if (error !== undefined) finish(error)
      return error === undefined
    },
    onWaiting: (lost, retry_ms) =>
      become({ status: "waiting", code: lost.code, reason: teller.waiting(lost), retry_ms })
  })
  if (signal?.aborted) close()
  signal?.addEventListener("abort", close)
  return { sessions: () => [...lines.values()], state: () => state, close }
}
