/** SessionHeader: which session this is, how full its context is, what it has cost. */
import { Activity, Menu, Power } from "lucide-react"
import type { Session } from "../../client/browser.js"
import { openAsks } from "../model/View.js"
import type { State } from "../relay/SessionStore.js"
import { Meter } from "./Meter.js"
import { agentName, sessionName } from "./words.js"

interface Props {
  readonly state: State
  readonly session: Session
  readonly onMenu: () => void
  readonly onInspect: () => void
}

const stateOf = ({ link, loaded, view }: State) =>
  link.status === "closed"
    ? "closed"
    : link.status !== "open"
    ? "waiting"
    : loaded !== undefined
    ? "loading"
    : view.turn === undefined
    ? "idle"
    : openAsks(view).length > 0
    ? "asking"
    : "running"

const stateText = {
  asking: "waits for you",
  closed: "ended",
  idle: "ready",
  loading: "loading",
  running: "working",
  waiting: "connecting"
}

export const SessionHeader = ({ onInspect, onMenu, session, state }: Props) => {
  const { link, view } = state
  const now = stateOf(state)
  return (
    <header className="bar">
      <button type="button" className="icon-button only-phone" onClick={onMenu} aria-label="Sessions">
        <Menu size={18} aria-hidden />
      </button>
      <div className="bar-title">
        <h1 title={view.folder}>{sessionName(view.tool, view.folder) || "Session"}</h1>
        <p>
          <span className="dot" data-state={now} />
          {agentName(view.tool)} · {stateText[now]}
        </p>
      </div>
      <Meter view={view} />
      <button type="button" className="icon-button" onClick={onInspect} aria-label="Events" title="Events">
        <Activity size={17} aria-hidden />
      </button>
      <button
        type="button"
        className="icon-button"
        disabled={link.status === "closed"}
        onClick={() => void session.end()}
        aria-label="End session"
        title="End session"
      >
        <Power size={17} aria-hidden />
      </button>
    </header>
  )
}
