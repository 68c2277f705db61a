/**
 * useSession: a conversation as a React hook: its messages, pending questions, and the actions a person can
 * take.
 *
 * Events are applied once per animation frame. When an option that names the session or the relay changes,
 * the hook moves to that one; functions (`token`, `ticket`, `onPermission`) are read when they are needed.
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
  /** Default: a name stored for this tab, so that a reloaded page continues the same conversation. */
  readonly session_id?: string
  /** `false`: do not connect until it is true. */
  readonly enabled?: boolean
}

/**
 * `connecting`: not connected yet. `ready`: waiting for a prompt. `working`: a turn is running. `asking`:
 * waiting for a person's answer. `offline`: the connection is lost and being retried; `reason` says why.
 * `ended`: for good; `error` says why.
 */
export type SessionStatus = "connecting" | "ready" | "working" | "asking" | "offline" | "ended"

export interface SessionHook {
  readonly session_id: string
  readonly status: SessionStatus
  /** Messages and actions, oldest first. An item's `key` is stable. */
  readonly messages: ReadonlyArray<Item>
  /** Unanswered questions, oldest first. */
  readonly permissions: ReadonlyArray<AskItem>
  /** Prompts waiting for the turn to end. */
  readonly queue: View["queue"]
  /**
   * Another client drives (`--drivers one`): this one can take over (`session.drive`) or suggest prompts
   * (`session.suggest`).
   */
  readonly watching: boolean
  /** Everything known about the session: models, modes, cost, the plan, … */
  readonly view: View
  /** Why there is no connection now, as text. */
  readonly reason: string | undefined
  readonly error: RelayError | undefined
  /** Send a prompt; while a turn is running it waits, joins that turn (`steer`) or stops it (`interrupt`). */
  readonly send: (content: Content, when?: When) => void
  readonly respond: (request_id: string, answer: Answer) => void
  readonly allow: (request_id: string) => void
  readonly deny: (request_id: string, message?: string) => void
  /** Remove a waiting prompt from the queue; `message_id` is the queue's. */
  readonly unqueue: (message_id: string) => void
  /** Stop the turn and everything queued after it. */
  readonly stop: () => void
  /** The client's session, for everything else; undefined before the first connection attempt. */
  readonly session: Session | undefined
  /** @internal */
  readonly store: SessionStore | undefined
}

const newId = () =>
  [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("")

/** The same id for the same place in this tab; a new one if nothing can be stored. */
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
    // Functions are read when they are needed; everything else is in `what`.
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
