/**
 * SessionStore: one session's state for React. Events are worked in once per frame of the screen, so that a fast agent
 * costs no more than one that is as fast as the eye. What happened before we came is worked in without drawing it, in
 * short stretches between which the page answers, and shown when all of it is there.
 * A prompt the relay has not taken is kept by the browser, and sent again by the page that opens the session next; its
 * `message_id` sees to it that the relay carries it out once.
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
import { forgetUnsent, keepUnsent, type Unsent, unsentOf, wordsOf } from "./kept.js"

export interface State {
  readonly view: View
  readonly link: ConnectionState
  readonly unsent: ReadonlyArray<Unsent>
  /** Words of prompts the relay refused, to be written anew. */
  readonly refused: string
  /** How many events there are. */
  readonly count: number
  /** How much of what happened before is here, 0 to 1; undefined when it is shown. */
  readonly loaded: number | undefined
}

export interface SessionStore {
  readonly session: Session
  readonly state: () => State
  readonly subscribe: (listener: () => void) => () => void
  /** Every event, oldest first; the list grows. */
  readonly events: ReadonlyArray<RelayEvent>
  /** Output of a terminal, from the beginning. */
  readonly onEvent: Session["onEvent"]
  /** What happened before this connection came ends with this `seq`. */
  readonly pastSeq: () => number
  readonly prompt: (content: Content, when: When) => void
  /** The words of `state().refused` are where they can be written anew. */
  readonly takeRefused: () => void
  readonly answer: (request_id: string, answer: Answer) => void
  /** Stop the turn and what waits behind it; gives the prompts that will not run, oldest first. */
  readonly stop: () => ReadonlyArray<string>
  readonly close: () => void
}

/** Events worked in between two looks at the clock, and the longest stretch of it, in ms. */
const step = 200
const stretchMs = 12
/** So many must have been missed for a page to wait for all of them, and how often it says how far it is, in ms. */
const many = 500
const progressMs = 100

const newId = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16)).join("")

/** What this page knows of its own answer, should the relay tell less. */
const ownAnswer = ({ answers, behavior, message, updatedInput }: Answer): Decided => {
  const given = answersOf(answers)
  return {
    verdict: behavior === "deny" ? "denied" : "allowed",
    ...(message !== undefined && message !== null && { reason: message }),
    ...(updatedInput !== undefined && updatedInput !== null && { updated: updatedInput }),
    ...(given !== undefined && { answers: given })
  }
}

/** Before the next frame; a hidden page has none, and is not in a hurry. */
const soon = (run: () => void) => {
  if (document.hidden) setTimeout(run, 100)
  else requestAnimationFrame(run)
}

/** How a session is joined: it is told from its beginning. */
export type StoreOptions = Omit<ConnectOptions, "after_seq" | "onEvent" | "onState" | "session_id">

export const openStore = (session_id: string, options: StoreOptions): SessionStore => {
  const listeners = new Set<() => void>()
  const events: Array<RelayEvent> = []
  /** Of `events`, those that are in `view`. */
  let done = 0
  let view = empty
  /** The place the session had reached when this connection came to it, far from where we were. */
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
  /** Prompts there was no room to keep. */
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

  /** What the session is and can do is shown at once; what was said, when it is all there. */
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

  /** What a connection hears first tells how far the session has come. */
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
      if (!greeted && event.type === "session_start") aim(event)
      greeted = true
      events.push(event)
      schedule()
    },
    onState: (link) => {
      // A connection that breaks leaves what is there to be seen.
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
        // Left, or over before the relay took it: it is sent when the session is opened again.
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

  /** What there was no room to keep is lost with the page: the browser asks first. */
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
