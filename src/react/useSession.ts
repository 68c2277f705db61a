/**
 * useSession: a conversation as a React hook: what was said and done, what waits for an answer, and what a person can do.
 *
 * Events are worked in once per frame of the screen. When an option that names the session or the relay changes, the hook moves to
 * that one; functions (`token`, `ticket`, `onPermission`) are read when they are needed.
 */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react"
import type {
  Answer,
  ConnectionState,
  ConnectOptions,
  Content,
  RelayError,
  Session,
  When
} from "../client/browser.js"
import { openStore, type SessionStore, type State } from "../console/relay/SessionStore.js"
import { type AskItem, empty, type Item, openAsks, type View, whoDrives } from "../messages/index.js"

export interface SessionOptions
  extends Omit<ConnectOptions, "after_seq" | "onEvent" | "onState" | "session_id" | "signal">
{
  /** Default: a name that is kept for this tab, so that a page that is loaded again goes on with the same conversation. */
  readonly session_id?: string
  /** `false`: not connected, until it is true. */
  readonly enabled?: boolean
}

/**
 * `connecting`: not there yet. `ready`: waits for a prompt. `working`: a turn runs. `asking`: it waits for an answer of a person.
 * `offline`: the connection is lost and tried again; `reason` says why. `ended`: for good; `error` says why.
 */
export type SessionStatus = "connecting" | "ready" | "working" | "asking" | "offline" | "ended"

export interface SessionHook {
  readonly session_id: string
  readonly status: SessionStatus
  /** What was said and done, oldest first. An item's `key` is stable. */
  readonly messages: ReadonlyArray<Item>
  /** Questions nobody has answered; the oldest first. */
  readonly permissions: ReadonlyArray<AskItem>
  /** Prompts that wait for the turn to end. */
  readonly queue: View["queue"]
  /** Another client drives (`--drivers one`): this one may take over (`session.drive`) or suggest (`session.suggest`). */
  readonly watching: boolean
  /** All that is known of the session: models, modes, cost, the plan, … */
  readonly view: View
  /** Why there is no connection now, in words. */
  readonly reason: string | undefined
  readonly error: RelayError | undefined
  /** A prompt; while a turn runs it waits, joins that turn (`steer`) or stops it (`interrupt`). */
  readonly send: (content: Content, when?: When) => void
  readonly respond: (request_id: string, answer: Answer) => void
  readonly allow: (request_id: string) => void
  readonly deny: (request_id: string, message?: string) => void
  /** Take back a prompt that waits; `message_id` is the queue's. */
  readonly unqueue: (message_id: string) => void
  /** Stop the turn and what waits behind it. */
  readonly stop: () => void
  /** The client's session, for all else; undefined before the first connection is begun. */
  readonly session: Session | undefined
  /** @internal */
  readonly store: SessionStore | undefined
}

const newId = () =>
  [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("")

/** The same for the same place in this tab; where nothing can be kept, a new one. */
const rememberedId = (place: string): string => {
  const key = `ai-relay.session-of.${place}`
  try {
    const id = sessionStorage.getItem(key) ?? newId()
    sessionStorage.setItem(key, id)
    return id
  } catch {
    return newId()
  }
}

const nowhere: State = {
  view: empty,
  link: { status: "connecting" },
  unsent: [],
  refused: "",
  count: 0,
  loaded: undefined
}
const nothing = () => () => {}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

const statusOf = (link: ConnectionState, view: View): SessionStatus =>
  link.status === "closed"
    ? "ended"
    : link.status === "waiting"
    ? "offline"
    : !view.started
    ? "connecting"
    : openAsks(view).length > 0
    ? "asking"
    : view.turn !== undefined
    ? "working"
    : "ready"

export const useSession = (options: SessionOptions = {}): SessionHook => {
  const { enabled = true, onPermission, session_id, ticket, token, url, WebSocket: _, ...handshake } = options
  const given = useRef(options)
  given.current = options
  const place = JSON.stringify([url === undefined ? "" : String(url), handshake])
  const own = useMemo(() => session_id === undefined ? rememberedId(place) : "", [place, session_id])
  const id = session_id ?? own
  const [store, setStore] = useState<SessionStore>()

  const asks = { permission: onPermission !== undefined, ticket: isGiven(ticket), token: isGiven(token) }
  const what = JSON.stringify([place, id, enabled, asks])
  useEffect(() => {
    if (!enabled) return
    const { enabled: _, onPermission, session_id: _id, ticket, token, ...rest } = given.current
    const opened = openStore(id, {
      ...rest,
      ...(isGiven(ticket) && {
        ticket: () =>
          typeof given.current.ticket === "function" ? given.current.ticket() : given.current.ticket ?? ""
      }),
      ...(isGiven(token) && {
        token: () =>
          typeof given.current.token === "function" ? given.current.token() : given.current.token ?? ""
      }),
      ...(onPermission !== undefined && {
        onPermission: (request, signal) => given.current.onPermission?.(request, signal)
      })
    })
    setStore(opened)
    return () => {
      opened.close()
      setStore(undefined)
    }
    // Functions are read when they are needed; all else is in `what`.
  }, [enabled, id, what])

  const state = useSyncExternalStore(
    store?.subscribe ?? nothing,
    store?.state ?? (() => nowhere),
    () => nowhere
  )
  const { link, view } = state
  const permissions = useMemo(() => openAsks(view), [view])

  const send = useCallback((content: Content, when: When = "queue") => store?.prompt(content, when), [store])
  const respond = useCallback(
    (request_id: string, answer: Answer) => store?.answer(request_id, answer),
    [store]
  )
  const allow = useCallback((request_id: string) => respond(request_id, { behavior: "allow" }), [respond])
  const deny = useCallback(
    (request_id: string, message?: string) =>
      respond(request_id, { behavior: "deny", ...(message !== undefined && { message }) }),
    [respond]
  )
  const unqueue = useCallback(
    (message_id: string) => void store?.session.send({ type: "cancel_queued", message_id }),
    [store]
  )
  const stop = useCallback(() => void store?.stop(), [store])

  return {
    session_id: id,
    status: statusOf(link, view),
    messages: view.items,
    permissions,
    queue: view.queue,
    watching: whoDrives(view) === "other",
    view,
    reason: link.status === "waiting" ? link.reason : undefined,
    error: link.status === "closed" ? link.error : undefined,
    send,
    respond,
    allow,
    deny,
    unqueue,
    stop,
    session: store?.session,
    store
  }
}
