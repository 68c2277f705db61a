/**
 * App: the start page or a session, depending on the URL, next to the list of sessions; and page-wide
 * keyboard shortcuts.
 */
import { lazy, Suspense, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react"
import { goTo, onAddress, sessionInAddress } from "../relay/address.js"
import { onCalled } from "../relay/shell.js"
import { w } from "../words/words.js"
import { type Command, Commands, type Offer } from "./commands.js"
import { Palette } from "./Palette.js"
import { Files, Rights } from "./rights.js"
import { needsYou } from "./sessionGroups.js"
import { Shortcuts, spelled } from "./Shortcuts.js"
import { Sidebar } from "./Sidebar.js"
import { StartPage } from "./StartPage.js"
import { useCalls } from "./useCalls.js"
import { useKeys } from "./useKeys.js"
import { useRelay } from "./useRelay.js"

const SessionPage = lazy(() =>
  import("./SessionPage.js").then(({ SessionPage }) => ({ default: SessionPage }))
)

const none: ReadonlyArray<Command> = []

/** The commands of the page and of the current view. */
const useOffered = () => {
  const [offered, setOffered] = useState<ReadonlyArray<ReadonlyArray<Command>>>([])
  const offer: Offer = useCallback((commands) => {
    setOffered((all) => [...all, commands])
    return () => setOffered((all) => all.filter((other) => other !== commands))
  }, [])
  return { offer, offered: offered.length === 0 ? none : offered.flat() }
}

export const App = () => {
  const session_id = useSyncExternalStore(onAddress, sessionInAddress)
  const relay = useRelay()
  const [open, setOpen] = useState(false)
  const [showing, setShowing] = useState<"palette" | "shortcuts">()
  const { offer, offered } = useOffered()
  useCalls(relay.sessions, session_id)
  const close = () => setOpen(false)
  const showList = () => setOpen(true)
  const hide = () => setShowing(undefined)

  useEffect(() =>
    onCalled(() => {
      setOpen(false)
      setShowing(undefined)
    }), [])

  // A file dropped beside the conversation does not open in place of the page.
  useEffect(() => {
    const onDrag = (event: DragEvent) => {
      if (event.defaultPrevented || event.dataTransfer?.types.includes("Files") !== true) return
      event.preventDefault()
      event.dataTransfer.dropEffect = "none"
    }
    addEventListener("dragover", onDrag)
    addEventListener("drop", onDrag)
    return () => {
      removeEventListener("dragover", onDrag)
      removeEventListener("drop", onDrag)
    }
  }, [])

  // A link to a single session shows no files.
  const mayLook = relay.self?.sessions === undefined || relay.scopes?.has("prompt") === true
    || relay.scopes?.has("admin") === true
  const waiting = relay.sessions?.filter((line) => needsYou(line)) ?? []
  const next = (waiting.find((line) => line.session_id !== session_id) ?? waiting[0])?.session_id
  const commands = useMemo((): ReadonlyArray<Command> => [
    { id: "new", name: w.shortcuts.newSession, keys: spelled("Alt+N"), run: () => goTo(undefined) },
    ...next === undefined
      ? []
      : [{ id: "next", name: w.shortcuts.nextWaiting, keys: spelled("Alt+W"), run: () => goTo(next) }],
    {
      id: "settings",
      name: w.settings.title,
      // The button is in the list.
      run: () => document.getElementById("open-settings")?.click()
    },
    { id: "shortcuts", name: w.shortcuts.title, keys: "?", run: () => setShowing("shortcuts") }
  ], [next])
  useKeys({
    palette: () => setShowing("palette"),
    help: () => setShowing("shortcuts"),
    newSession: () => goTo(undefined),
    nextWaiting: () => next !== undefined && goTo(next)
  })

  return (
    <Rights value={relay.scopes}>
      <Commands value={offer}>
        <Files value={mayLook}>
          <div className="app">
            <Sidebar relay={relay} current={session_id} open={open} onClose={close} />
            {session_id === undefined
              ? <StartPage relay={relay} onMenu={showList} />
              : (
                <Suspense fallback={<main className="page" aria-busy="true" />}>
                  <SessionPage key={session_id} session_id={session_id} relay={relay} onMenu={showList} />
                </Suspense>
              )}
          </div>
        </Files>
        {showing === "palette" && (
          <Palette commands={[...offered, ...commands]} sessions={relay.sessions ?? []} onClose={hide} />
        )}
        {showing === "shortcuts" && <Shortcuts onClose={hide} />}
      </Commands>
    </Rights>
  )
}
