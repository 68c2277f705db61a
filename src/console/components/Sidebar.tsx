/** Sidebar: the sessions there are; on a phone it slides in. */
import { Plus, X } from "lucide-react"
import { useEffect } from "react"
import { goTo } from "../relay/address.js"
import type { SessionLine } from "../relay/http.js"
import { w } from "../words/words.js"
import { ThemeButton } from "./ThemeButton.js"
import type { Relay } from "./useRelay.js"
import { age, agentName, sessionName } from "./words.js"

interface Props {
  readonly relay: Relay
  readonly current: string | undefined
  readonly open: boolean
  readonly onClose: () => void
}

const Row = ({ current, line, onClose }: { current: boolean; line: SessionLine; onClose: () => void }) => {
  const waits = line.pending.length > 0 && line.state !== "closed"
  const state = waits
    ? "asking"
    : line.state === "running"
    ? "working"
    : line.state === "idle"
    ? "ready"
    : "ended"
  return (
    <li>
      <a
        className="session-row"
        href={`#/s/${encodeURIComponent(line.session_id)}`}
        aria-current={current ? "page" : undefined}
        onClick={onClose}
      >
        <span className="dot" data-state={state} />
        <span className="session-name">{sessionName(line.tool, line.folder) || line.session_id}</span>
        <span className="session-age">{age(line.last_active_at)}</span>
        <span className="session-sub">
          {agentName(line.tool)} · {w.turns(line.turns)}
          {state !== "ended" && <span className={waits ? "attention" : ""}>· {w.state[state]}</span>}
        </span>
      </a>
    </li>
  )
}

export const Sidebar = ({ current, onClose, open, relay }: Props) => {
  const { sessions = [] } = relay
  useEffect(() => {
    if (!open) return
    const onKey = ({ key }: KeyboardEvent) => key === "Escape" && onClose()
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [onClose, open])
  return (
    <>
      {open && <div className="scrim" onClick={onClose} aria-hidden />}
      <nav className="sidebar" data-open={open} aria-label={w.sessions}>
        <div className="brand">
          <a href="#/" className="wordmark" onClick={onClose}>
            <img src={icon} alt="" width={24} height={24} />ai-relay
          </a>
          <ThemeButton />
          <button
            type="button"
            className="icon-button only-phone"
            onClick={onClose}
            aria-label={w.closeList}
          >
            <X size={18} aria-hidden />
          </button>
        </div>
        <button
          type="button"
          className="button new-session"
          onClick={() => {
            goTo(undefined)
            onClose()
          }}
        >
          <Plus size={16} aria-hidden /> {w.newSession}
        </button>
        {sessions.length > 0 && <h2 className="sidebar-title">{w.sessions}</h2>}
        {sessions.length > 0 && (
          <ul className="session-list">
            {sessions.map((line) => (
              <Row
                key={line.session_id}
                line={line}
                current={line.session_id === current}
                onClose={onClose}
              />
            ))}
          </ul>
        )}
        {relay.sessions !== undefined && sessions.length === 0 && (
          <p className="muted sidebar-empty">
            {w.noSessions}
          </p>
        )}
      </nav>
    </>
  )
}

const icon = new URL("../icon.svg", import.meta.url).href
