/**
 * SessionPage: one conversation: connects, shows it and sends prompts. A past session is read from the
 * relay's store, without its agent, until it is resumed; if that fails it can still be read.
 */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react"
import type { Handshake } from "../../client/browser.js"
import type { SessionLine } from "../model/sessions.js"
import * as http from "../relay/http.js"
import { handshakeOf, isBegun } from "../relay/kept.js"
import { openPast, type PastStore } from "../relay/PastStore.js"
import { problemOf } from "../relay/problem.js"
import { openStore, type SessionStore, type StoreOptions } from "../relay/SessionStore.js"
import { w } from "../words/words.js"
import { Conversation, Past } from "./Conversation.js"
import { Missing } from "./Missing.js"
import { needsYou } from "./sessionGroups.js"
import type { Relay } from "./useRelay.js"

interface Props {
  readonly session_id: string
  readonly relay: Relay
  readonly onMenu: () => void
}

/** Why opening it failed, before there was anything to show. */
const failureOf = (store: SessionStore): string | undefined => {
  const { link, view } = store.state()
  if (link.status !== "closed" || view.items.some(({ kind }) => kind !== "notice")) return undefined
  const { code } = link.error
  return code === "session_ended" || code === "closed" || code === "unauthorized"
    ? undefined
    : problemOf(link.error)
}

/**
 * A session's original handshake without its position; this page requests everything and sends the
 * credentials the relay needs. Without a handshake the session is another's: it is joined or not there.
 */
const withoutPlace = (handshake: Handshake = { must_exist: true }): StoreOptions => {
  const { after_seq: _place, session_id: _name, ticket: _ticket, token: _token, ...options } = handshake
  // The protocol allows null for absent; this page wrote the stored value itself.
  return options as StoreOptions
}

/** The error code with which its connection was closed for good. */
const closedWith = (store: SessionStore | undefined) => {
  const link = store?.state().link
  return link?.status === "closed" ? link.error.code : undefined
}

/** It is not running here, and then it is: it was opened again elsewhere. */
const useReopened = (isOver: boolean, state: SessionLine["state"] | undefined, join: () => void) => {
  const wasListedAsOver = useRef(false)
  useEffect(() => {
    if (!isOver) wasListedAsOver.current = false
    else if (state === "closed") wasListedAsOver.current = true
    else if (state !== undefined && wasListedAsOver.current) {
      wasListedAsOver.current = false
      join()
    }
  }, [isOver, join, state])
}

const none = () => () => {}

export const SessionPage = ({ onMenu, relay, session_id }: Props) => {
  const [raw, setRaw] = useState(false)
  const [store, setStore] = useState<SessionStore>()
  const [past, setPast] = useState<PastStore>()
  const [resumed, setResumed] = useState(false)
  const [attempt, setAttempt] = useState(0)
  const [follows, setFollows] = useState(false)
  const handshake = useMemo(() => handshakeOf(session_id), [session_id])
  const line = relay.sessions?.find((line) => line.session_id === session_id)
  const wasThere = useMemo(() => isBegun(session_id), [session_id])
  // Without knowing how it was opened, only an existing session may be joined: any other name would create
  // one.
  const isKnown = wasThere || line !== undefined || (relay.sessions !== undefined && handshake !== undefined)
  const [mode, setMode] = useState<"open" | "read">()
  const wanted = mode ?? (isKnown ? line?.state === "closed" && !wasThere ? "read" : "open" : undefined)
  useEffect(() => setMode(wanted), [wanted])

  const opens = wanted === "open" || resumed
  useEffect(() => {
    if (!opens) return
    const store = openStore(session_id, {
      // As it is kept now: it may have started since.
      ...withoutPlace(handshake && handshakeOf(session_id)),
      raw,
      ...http.credentials(),
      ...(follows && { if_open: "follow" as const })
    })
    setStore(store)
    return () => {
      store.close()
      setStore(undefined)
    }
    // Each attempt opens it again.
  }, [attempt, follows, handshake, opens, raw, session_id])
  useEffect(() => {
    if (wanted !== "read") return
    const past = openPast(session_id)
    setPast(past)
    return () => past.close()
  }, [session_id, wanted])

  const others =
    relay.sessions?.filter((other) => other.session_id !== session_id && needsYou(other)).length ?? 0
  const failure = useSyncExternalStore(
    store?.subscribe ?? none,
    () => store === undefined ? undefined : failureOf(store)
  )
  const closed = useSyncExternalStore(store?.subscribe ?? none, () => closedWith(store))
  const resume = useCallback(() => {
    setResumed(true)
    setAttempt((attempt) => attempt + 1)
  }, [])
  useReopened(store === undefined ? past !== undefined : closed === "session_ended", line?.state, resume)
  const follow = useCallback(() => {
    setFollows(true)
    resume()
  }, [resume])

  if (past !== undefined && (store === undefined || failure !== undefined)) {
    return (
      <Past
        store={past}
        name={line?.title}
        others={others}
        problem={failure === undefined ? undefined : `${w.resumeFailed} ${failure}`}
        onResume={resume}
        onFollow={closed === "in_use" ? follow : undefined}
        onMenu={onMenu}
      />
    )
  }
  const isMissing = closed === "session_not_found" && failure !== undefined
  if (store === undefined || isMissing) {
    return (
      <Missing
        session_id={session_id}
        looking={!isMissing && (relay.sessions === undefined || isKnown)}
        relay={relay}
        onMenu={onMenu}
      />
    )
  }
  return (
    <Conversation
      store={store}
      name={line?.title}
      others={others}
      raw={raw}
      onRaw={setRaw}
      onMenu={onMenu}
      gone={closed === "session_ended" && relay.sessions !== undefined && line === undefined}
      onReopen={resume}
      onFollow={follow}
    />
  )
}
