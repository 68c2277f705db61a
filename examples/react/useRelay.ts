/**
 * useRelay: a session as a React hook. `const { events, state, permissions, session } = useRelay({ tool: "claude" })`.
 *
 * Options are read once, when the component is mounted; mount it anew (with a `key`) for another session.
 */
import {
  connect,
  type ConnectionState,
  type ConnectOptions,
  type RelayEvent,
  type Session
} from "ai-relay/client"
import { useEffect, useRef, useState } from "react"

export interface Relay {
  readonly session: Session | undefined
  readonly state: ConnectionState
  /** What happened so far, without the streamed pieces: they come again, whole. */
  readonly events: ReadonlyArray<RelayEvent>
  /** The text of the message that is being written. */
  readonly writing: string
  /** What waits for an answer: `session.allow(request_id)`, `session.deny(request_id)`. */
  readonly permissions: ReturnType<Session["permissions"]>
}

const nothing: Relay = {
  session: undefined,
  state: { status: "connecting" },
  events: [],
  writing: "",
  permissions: []
}

const withEvent = (relay: Relay, event: RelayEvent): Pick<Relay, "events" | "writing"> => {
  if (event.type === "stream_event") {
    return { events: relay.events, writing: relay.writing + (event.delta === "text" ? event.text ?? "" : "") }
  }
  const written = event.type === "assistant_message" || event.type === "turn_end"
  return { events: [...relay.events, event], writing: written ? "" : relay.writing }
}

export const useRelay = (options: ConnectOptions): Relay => {
  const first = useRef(options)
  const [relay, setRelay] = useState(nothing)
  useEffect(() => {
    const session = connect(first.current)
    setRelay({ ...nothing, session })
    session.onState((state) => setRelay((relay) => ({ ...relay, state })))
    session.onEvent((event) =>
      setRelay((relay) => ({ ...relay, ...withEvent(relay, event), permissions: session.permissions() }))
    )
    return session.close
  }, [])
  return relay
}
