/**
 * SessionStore: one session's state for React. Events are worked in once per frame of the screen, so that a fast agent
 * costs no more than one that is as fast as the eye; when many come at once (a long session is replayed) a part per frame.
 */
import {
  connect,
  type ConnectionState,
  type Content,
  type RelayEvent,
  type Session,
  type When
} from "../../client/browser.js"
import type { Handshake } from "../../client/browser.js"
import { reduce } from "../model/reduce.js"
import { empty, type View } from "../model/View.js"
import { token } from "./address.js"

/** A prompt the relay has not taken yet. */
export interface Unsent {
  readonly message_id: string
  readonly content: Content
}

export interface State {
  readonly view: View
  readonly link: ConnectionState
  readonly unsent: ReadonlyArray<Unsent>
  /** How many events there are. */
  readonly count: number
}

export interface SessionStore {
  readonly session: Session
  readonly state: () => State
  readonly subscribe: (listener: () => void) => () => void
  /** Every event, oldest first; the list grows. */
  readonly events: ReadonlyArray<RelayEvent>
  /** Output of a terminal, from the beginning. */
  readonly onEvent: Session["onEvent"]
  readonly prompt: (content: Content, when: When) => void
  readonly close: () => void
}

/** Events worked in before the screen is drawn. */
const mostPerFrame = 1500

const newId = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16)).join("")

/** Before the next frame; a hidden page has none, and is not in a hurry. */
const soon = (run: () => void) => {
  if (document.hidden) setTimeout(run, 100)
  else requestAnimationFrame(run)
}

export const openStore = (session_id: string, handshake: Handshake): SessionStore => {
  const listeners = new Set<() => void>()
  const events: Array<RelayEvent> = []
  let waiting: Array<RelayEvent> = []
  let scheduled = false
  let state: State = { view: empty, link: { status: "connecting" }, unsent: [], count: 0 }

  const become = (fields: Partial<State>) => {
    state = { ...state, ...fields }
    for (const listener of listeners) listener()
  }

  const work = () => {
    scheduled = false
    const batch = waiting.slice(0, mostPerFrame)
    waiting = waiting.slice(mostPerFrame)
    const view = reduce(state.view, batch)
    become({
      view,
      unsent: state.unsent.filter(({ message_id }) => !view.settled.has(message_id)),
      count: events.length
    })
    if (waiting.length > 0) schedule()
  }

  const schedule = () => {
    if (scheduled) return
    scheduled = true
    soon(work)
  }

  const given = token()
  const session = connect({
    ...handshake,
    session_id,
    after_seq: 0,
    ...(given !== undefined && { token: given }),
    onEvent: (event) => {
      events.push(event)
      waiting.push(event)
      schedule()
    },
    onState: (link) => become({ link })
  })

  return {
    session,
    state: () => state,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    events,
    onEvent: session.onEvent,
    prompt: (content, when) => {
      const message_id = newId()
      become({ unsent: [...state.unsent, { message_id, content }] })
      session.prompt(content, { message_id, when }).catch(() =>
        become({ unsent: state.unsent.filter((prompt) => prompt.message_id !== message_id) })
      )
    },
    close: session.close
  }
}
