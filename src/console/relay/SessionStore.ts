/**
 * SessionStore: one session's state for React. Events are applied once per animation frame, so a fast agent
 * costs no more than the display can show. Past events are applied without drawing, in short stretches
 * between which the page responds, and shown once all are there. A prompt the relay has not accepted is
 * stored by the browser and sent again by the next page that opens the session; its `message_id` makes sure
 * that the relay carries it out once.
 */
import {
  type Answer,
  connect,
  type ConnectionState,
  type ConnectOptions,
  type Content,
  type EventOf,
  type RelayEvent,
  type Session,
  type When
} from "../../client/browser.js"
import { answersOf, number } from "../../messages/read.js"
import { reduce } from "../../messages/reduce.js"
import { type Decided, empty, type View } from "../../messages/View.js"
import { forgetUnsent, keepUnsent, rememberStarted, type Unsent, unsentOf, wordsOf } from "./kept.js"

export interface State {
  readonly view: View
  readonly link: ConnectionState
  readonly unsent: ReadonlyArray<Unsent>
  /** Text of prompts the relay refused, for the prompt box. */
  readonly refused: string
  /** Number of events. */
  readonly count: number
  /** How much of the past is loaded, 0 to 1; undefined once it is shown. */
  readonly loaded: number | undefined
}

export interface SessionStore {
  readonly session: Session
  readonly state: () => State
  readonly subscribe: (listener: () => void) => () => void
  /** Every event, oldest first; the list grows. */
  readonly events: ReadonlyArray<RelayEvent>
  /** A terminal's output, from the beginning. */
  readonly onEvent: Session["onEvent"]
  /** `seq` at which the events from before this connection end. */
  readonly pastSeq: () => number
  readonly prompt: (content: Content, when: When) => void
  /** Call once the text of `state().refused` is in the prompt box. */
  readonly takeRefused: () => void
  readonly answer: (request_id: string, answer: Answer) => void
  /** Stop the turn and everything queued after it; gives the prompts that will not run, oldest first. */
  readonly stop: () => ReadonlyArray<string>
  readonly close: () => void
}

/** Events applied between two checks of the clock, and the longest stretch, in ms. */
const step = 200
const stretchMs = 12
/** Number of missed events from which a page waits for all of them, and how often it reports progress, in ms. */
const many = 500
const progressMs = 100

const newId = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16)).join("")

/** What this page knows of its own answer, in case the relay reports less. */
const ownAnswer = ({ answers, behavior, message, updatedInput }: Answer): Decided => {
  const given = answersOf(answers)
  return {
    verdict: behavior === "deny" ? "denied" : "allowed",
    ...(message !== undefined && message !== null && { reason: message }),
    ...(updatedInput !== undefined && updatedInput !== null && { updated: updatedInput }),
    ...(given !== undefined && { answers: given })
  }
}

/** Before the next frame; a hidden page has none and need not hurry. */
const soon = (run: () => void) => {
  if (document.hidden) setTimeout(run, 100)
  else requestAnimationFrame(run)
}

/** How to join a session: from its first event. */
export type StoreOptions = Omit<ConnectOptions, "after_seq" | "onEvent" | "onState" | "session_id">

export const openStore = (session_id: string, options: StoreOptions): SessionStore => {
  const listeners = new Set<() => void>()
  const events: Array<RelayEvent> = []
  /** Number of `events` applied to `view`. */
  let done = 0
  let view = empty
  /** The session's position when this connection joined it, if it was far ahead. */
  let goal: number | undefined
  let pastSeq = 0
  let shownAt = 0
  let scheduled = false
  let state: State = {
    view,
    link: { status: "connecting" },
    unsent: unsentOf(session_id),
    refused: "",
    count: 0,
    loaded: undefined
  }
  /** Prompts that did not fit into storage. */
  const unkept = new Set<string>()

  const become = (fields: Partial<State>) => {
    state = { ...state, ...fields }
    for (const listener of listeners) listener()
  }

  const isSettled = ({ message_id }: Unsent) => view.settled.has(message_id)

  const show = () => {
    for (const { message_id } of state.unsent.filter(isSettled)) settle(message_id)
    become({
      view,
      unsent: state.unsent.filter((prompt) => !isSettled(prompt)),
      count: events.length,
      loaded: undefined
    })
  }

  const settle = (message_id: string) => {
    forgetUnsent(message_id)
    unkept.delete(message_id)
  }

  /** The session's properties are shown at once; its messages once all are there. */
  const showProgress = (goal: number) => {
    if (performance.now() - shownAt < progressMs) return
    shownAt = performance.now()
    become({ view: { ...view, items: state.view.items }, loaded: view.last_seq / goal })
  }

  const work = () => {
    scheduled = false
    const until = performance.now() + stretchMs
    while (done < events.length && performance.now() < until) {
      view = reduce(view, events.slice(done, done + step))
      done = Math.min(events.length, done + step)
    }
    if (goal !== undefined && view.last_seq >= goal) goal = undefined
    if (goal === undefined) show()
    else showProgress(goal)
    if (done < events.length) schedule()
  }

  const schedule = () => {
    if (scheduled) return
    scheduled = true
    if (goal === undefined) soon(work)
    else setTimeout(work)
  }

  /** The first message on a connection tells the session's position. */
  const aim = ({ metadata }: EventOf<"session_start">) => {
    const last_seq = number(metadata?.["last_seq"]) ?? 0
    pastSeq = Math.max(pastSeq, last_seq)
    if (last_seq - session.seq() < many) return
    goal = last_seq
    become({ loaded: view.last_seq / goal })
  }

  let greeted = false
  const session = connect({
    ...options,
    session_id,
    after_seq: 0,
    onEvent: (event) => {
      if (!greeted && event.type === "session_start") {
        rememberStarted(session_id)
        aim(event)
      }
      greeted = true
      events.push(event)
      schedule()
    },
    onState: (link) => {
      // If the connection breaks, show what is there.
      if (link.status !== "open") {
        greeted = false
        goal = undefined
      }
      become({ link })
      schedule()
    }
  })

  const give = ({ content, message_id, when }: Unsent) => {
    session.prompt(content, { message_id, when }).then(
      () => settle(message_id),
      () => {
        // Left, or ended before the relay accepted it: it is sent when the session is opened again.
        if (session.state().status === "closed") return
        settle(message_id)
        become({
          unsent: state.unsent.filter((prompt) => prompt.message_id !== message_id),
          refused: [state.refused, wordsOf(content)].filter((text) => text !== "").join("\n\n")
        })
      }
    )
  }
  for (const prompt of state.unsent) give(prompt)

  /** Prompts that did not fit into storage are lost with the page: the browser asks first. */
  const onLeave = (event: BeforeUnloadEvent) => {
    if (unkept.size > 0) event.preventDefault()
  }
  addEventListener("beforeunload", onLeave)

  return {
    session,
    state: () => state,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    events,
    onEvent: session.onEvent,
    pastSeq: () => pastSeq,
    prompt: (content, when) => {
      const prompt = { message_id: newId(), content, when }
      if (!keepUnsent(session_id, prompt)) unkept.add(prompt.message_id)
      become({ unsent: [...state.unsent, prompt] })
      give(prompt)
    },
    takeRefused: () => become({ refused: "" }),
    answer: (request_id, answer) => {
      const own = ownAnswer(answer)
      view = { ...view, own_answers: new Map(view.own_answers).set(request_id, own) }
      void session.respond(request_id, answer)
    },
    stop: () => {
      const { queue } = view
      for (const { message_id } of queue) void session.send({ type: "cancel_queued", message_id })
      void session.interrupt()
      return queue.map(({ text }) => text)
    },
    close: () => {
      removeEventListener("beforeunload", onLeave)
      session.close()
    }
  }
}
