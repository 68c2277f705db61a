/**
 * PastStore: a past session, read without starting its agent, even if its folder, program or login is gone.
 */
import { RelayError, type RelayEvent } from "../../client/browser.js"
import { reduce } from "../../messages/reduce.js"
import { empty } from "../../messages/View.js"
import * as http from "./http.js"
import { problemOf } from "./problem.js"
import type { State } from "./SessionStore.js"

export interface PastStore {
  readonly session_id: string
  readonly state: () => State
  readonly subscribe: (listener: () => void) => () => void
  readonly events: ReadonlyArray<RelayEvent>
  readonly pastSeq: () => number
  readonly close: () => void
}

/** Events applied between two pauses, so that the page stays responsive. */
const step = 1000

const pause = () => new Promise((resolve) => setTimeout(resolve))

export const openPast = (session_id: string): PastStore => {
  const listeners = new Set<() => void>()
  const events: Array<RelayEvent> = []
  const given = new AbortController()
  let state: State = {
    view: empty,
    link: { status: "closed", error: new RelayError("closed", "") },
    unsent: [],
    refused: "",
    count: 0,
    loaded: 0
  }
  const become = (fields: Partial<State>) => {
    state = { ...state, ...fields }
    for (const listener of listeners) listener()
  }

  const read = async () => {
    for await (const event of http.eventsOf(session_id, given.signal)) events.push(event)
    let view = empty
    for (let done = 0; done < events.length; done += step) {
      view = reduce(view, events.slice(done, done + step))
      become({ loaded: done / events.length })
      await pause()
      if (given.signal.aborted) return
    }
    become({ view, count: events.length, loaded: undefined })
  }
  read().catch((error: unknown) => {
    if (given.signal.aborted) return
    const link = { status: "closed", error: new RelayError("unreachable", problemOf(error)) } as const
    become({ link, loaded: undefined })
  })

  return {
    session_id,
    state: () => state,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    events,
    pastSeq: () => events.at(-1)?.seq ?? 0,
    close: () => given.abort()
  }
}
