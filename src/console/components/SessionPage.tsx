/** SessionPage: a conversation: connects, shows what is said, takes what you say. */
import { lazy, Suspense, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react"
import { openAsks } from "../model/View.js"
import { handshakeOf } from "../relay/kept.js"
import { openStore, type SessionStore } from "../relay/SessionStore.js"
import { Composer } from "./Composer.js"
import { Folds } from "./Folds.js"
import { Inspector } from "./Inspector.js"
import { LinkBanner } from "./LinkBanner.js"
import { Missing } from "./Missing.js"
import { PlanBar } from "./PlanBar.js"
import { SessionHeader } from "./SessionHeader.js"
import { Transcript } from "./Transcript.js"
import type { Relay } from "./useRelay.js"
import { sessionName } from "./words.js"

const TerminalView = lazy(() =>
  import("./TerminalView.js").then(({ TerminalView }) => ({ default: TerminalView }))
)

interface Props {
  readonly session_id: string
  readonly relay: Relay
  readonly onMenu: () => void
}

export const SessionPage = ({ onMenu, relay, session_id }: Props) => {
  const [raw, setRaw] = useState(false)
  const [store, setStore] = useState<SessionStore>()
  const handshake = useMemo(() => handshakeOf(session_id), [session_id])
  // Without knowing how it was opened, only a session that is there may be joined: naming another would begin one.
  const isKnown = handshake !== undefined || relay.sessions?.some((line) => line.session_id === session_id)

  useEffect(() => {
    if (isKnown !== true) return
    const store = openStore(session_id, { ...handshake, raw })
    setStore(store)
    return () => store.close()
  }, [handshake, isKnown, raw, session_id])

  if (store === undefined) {
    return (
      <Missing
        session_id={session_id}
        looking={relay.sessions === undefined || isKnown === true}
        relay={relay}
        onMenu={onMenu}
      />
    )
  }
  return (
    <Conversation store={store} raw={raw} onRaw={setRaw} onMenu={onMenu} onChange={relay.refreshSessions} />
  )
}

interface ConversationProps {
  readonly store: SessionStore
  readonly raw: boolean
  readonly onRaw: (raw: boolean) => void
  readonly onMenu: () => void
  readonly onChange: () => void
}

const Conversation = ({ onChange, onMenu, onRaw, raw, store }: ConversationProps) => {
  const state = useSyncExternalStore(store.subscribe, store.state)
  const [inspecting, setInspecting] = useState(false)
  const [returned, setReturned] = useState("")
  const { link, view } = state
  const stop = useCallback(() => {
    // What waited does not run then, and is not lost either.
    setReturned(store.stop().filter((text) => text !== "").join("\n\n"))
  }, [store])
  const onReturned = useCallback(() => setReturned(""), [])
  const isRunning = view.turn !== undefined
  const waits = openAsks(view).length > 0
  const name = sessionName(view.tool, view.folder, view.title)

  useEffect(() => {
    document.title = `${waits ? "● " : isRunning ? "… " : ""}${name || "ai-relay"}`
    return () => void (document.title = "ai-relay")
  }, [isRunning, name, waits])

  // The list of sessions tells the same.
  useEffect(onChange, [isRunning, link.status, onChange, waits])

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || !isRunning || inspecting) return
      if (document.querySelector("dialog[open], .sidebar[data-open=true]") !== null) return
      stop()
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [inspecting, isRunning, stop])

  return (
    <main className="page session">
      <SessionHeader
        state={state}
        session={store.session}
        onMenu={onMenu}
        onInspect={() => setInspecting(true)}
      />
      <LinkBanner link={link} view={view} />
      {view.can.terminal
        ? (
          <Suspense fallback={<div className="terminal" aria-busy="true" />}>
            <TerminalView store={store} />
          </Suspense>
        )
        : (
          <Folds>
            <Transcript
              state={state}
              onAnswer={store.answer}
              onPrompt={(text) => store.prompt(text, "queue")}
            />
            <div className="dock">
              <PlanBar plan={view.plan} />
              <Composer
                view={view}
                store={store}
                closed={link.status === "closed"}
                returned={returned}
                onReturned={onReturned}
                onStop={stop}
              />
            </div>
          </Folds>
        )}
      {inspecting && (
        <Inspector
          store={store}
          count={state.count}
          raw={raw}
          onRaw={onRaw}
          onClose={() => setInspecting(false)}
        />
      )}
    </main>
  )
}
