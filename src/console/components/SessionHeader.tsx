/** SessionHeader: which session this is, how full its context is, what it has cost. */
import { Activity, Menu, Power } from "lucide-react"
import type { ConnectionState, Session } from "../../client/browser.js"
import type { View } from "../model/View.js"
import { Meter } from "./Meter.js"
import { agentName, sessionName } from "./words.js"

interface Props {
  readonly view: View
  readonly link: ConnectionState
  readonly session: Session
  readonly onMenu: () => void
  readonly onInspect: () => void
}

const stateOf = ({ turn }: View, link: ConnectionState) =>
  link.status === "closed"
    ? "closed"
    : link.status === "open"
    ? turn === undefined ? "idle" : "running"
    : "waiting"

const stateText = { closed: "ended", idle: "ready", running: "working", waiting: "connecting" }

export const SessionHeader = ({ link, onInspect, onMenu, session, view }: Props) => {
  const state = stateOf(view, link)
  return (
    <header className="bar">
      <button type="button" className="icon-button only-phone" onClick={onMenu} aria-label="Sessions">
        <Menu size={18} aria-hidden />
      </button>
      <div className="bar-title">
        <h1 title={view.folder}>{sessionName(view.tool, view.folder) || "Session"}</h1>
        <p>
          <span className="dot" data-state={state} />
          {agentName(view.tool)} · {stateText[state]}
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
