/** App: the start page or a session, as the address says, beside the list of sessions. */
import { lazy, Suspense, useState, useSyncExternalStore } from "react"
import { onAddress, sessionInAddress } from "../relay/address.js"
import { Rights } from "./rights.js"
import { Sidebar } from "./Sidebar.js"
import { StartPage } from "./StartPage.js"
import { useRelay } from "./useRelay.js"

const SessionPage = lazy(() =>
  import("./SessionPage.js").then(({ SessionPage }) => ({ default: SessionPage }))
)

export const App = () => {
  const session_id = useSyncExternalStore(onAddress, sessionInAddress)
  const relay = useRelay()
  const [open, setOpen] = useState(false)
  const close = () => setOpen(false)
  const showList = () => setOpen(true)

  return (
    <Rights value={relay.scopes}>
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
    </Rights>
  )
}
