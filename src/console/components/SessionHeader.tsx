/**
 * SessionHeader: the session's name, context usage, cost and actions: buttons side by side, on a phone a
 * menu.
 */
import {
  Activity,
  Ellipsis,
  FolderGit2,
  type LucideIcon,
  Menu,
  Power,
  Share2,
  SquareTerminal
} from "lucide-react"
import { type ReactNode, useEffect, useRef, useState } from "react"
import type { Session } from "../../client/browser.js"
import { openAsks } from "../../messages/View.js"
import type { State } from "../relay/SessionStore.js"
import { w } from "../words/words.js"
import { Meter } from "./Meter.js"
import { useMay } from "./rights.js"
import { Schedules } from "./Schedules.js"
import { ShareDialog } from "./ShareDialog.js"
import { agentName } from "./words.js"

interface Props {
  readonly state: State
  readonly name: string
  /** Undefined: read-only. */
  readonly session: Session | undefined
  readonly onMenu: () => void
  readonly onInspect: () => void
  /** Show or hide the file pane; undefined: there is none. */
  readonly onBeside: (() => void) | undefined
  readonly isBesideOpen: boolean
}

const stateOf = ({ link, loaded, view }: State) =>
  link.status === "closed"
    ? "ended"
    : link.status !== "open"
    ? "connecting"
    : loaded !== undefined
    ? "loading"
    : view.turn === undefined
    ? "ready"
    : openAsks(view).length > 0
    ? "asking"
    : "working"

/** A menu that opens and closes only on a phone. */
const Actions = ({ children }: { readonly children: ReactNode }) => {
  const [isOpen, setOpen] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const toggle = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!isOpen) return
    box.current?.querySelector("button")?.focus()
    const onDown = ({ target }: Event) => {
      if (!(target instanceof Node) || box.current?.contains(target) || toggle.current?.contains(target)) {
        return
      }
      setOpen(false)
    }
    addEventListener("pointerdown", onDown)
    return () => removeEventListener("pointerdown", onDown)
  }, [isOpen])
  return (
    <>
      <button
        type="button"
        ref={toggle}
        className="icon-button only-phone bar-more"
        aria-label={w.actions}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Ellipsis size={18} aria-hidden />
      </button>
      <div
        className="bar-actions"
        ref={box}
        role="group"
        aria-label={w.actions}
        data-open={isOpen}
        // Dialogs return the focus to an element that is visible.
        onClickCapture={({ target }) => {
          if (!isOpen || (target instanceof Element && target.closest("dialog") !== null)) return
          toggle.current?.focus()
          setOpen(false)
        }}
        onKeyDown={(event) => {
          if (!isOpen || event.key !== "Escape") return
          event.preventDefault()
          toggle.current?.focus()
          setOpen(false)
        }}
      >
        {children}
      </div>
    </>
  )
}

interface ActionProps {
  readonly icon: LucideIcon
  readonly label: string
  readonly onClick: () => void
  readonly isDisabled?: boolean
  /** Whether its content is shown now. */
  readonly isOpen?: boolean | undefined
}

const Action = ({ icon: Icon, isDisabled = false, isOpen, label, onClick }: ActionProps) => (
  <button
    type="button"
    className="icon-button"
    disabled={isDisabled}
    onClick={onClick}
    aria-expanded={isOpen}
    title={label}
  >
    <Icon size={17} aria-hidden /> <span>{label}</span>
  </button>
)

export const SessionHeader = ({ isBesideOpen, name, onBeside, onInspect, onMenu, session, state }: Props) => {
  const { link, view } = state
  const now = stateOf(state)
  const dialog = useRef<HTMLDialogElement>(null)
  const handing = useRef<HTMLDialogElement>(null)
  const sharing = useRef<HTMLDialogElement>(null)
  const [timesShared, setSharing] = useState(0)
  const may = useMay()
  const canHandOver = may("prompt") && session !== undefined && link.status === "open" &&
    (view.native?.drive === "own" || view.native?.drive === "joined")
  return (
    <header className="bar session-bar">
      <button type="button" className="icon-button only-phone" onClick={onMenu} aria-label={w.menu}>
        <Menu size={18} aria-hidden />
      </button>
      <div className="bar-title">
        <h1 title={view.folder}>{name || w.session}</h1>
        <p>
          <span className="dot" data-state={now} />{" "}
          <span className="bar-state">
            {view.tool !== "" && `${agentName(view.tool)} · `}
            {w.state[now]}
          </span>
        </p>
      </div>
      <Meter view={view} />
      <Actions>
        {onBeside !== undefined && (
          <Action icon={FolderGit2} label={w.beside.title} onClick={onBeside} isOpen={isBesideOpen} />
        )}
        <Action icon={Activity} label={w.events} onClick={onInspect} />
        {canHandOver && (
          <Action
            icon={SquareTerminal}
            label={w.native.handOver}
            onClick={() => handing.current?.showModal()}
          />
        )}
        {session !== undefined && may("admin") && (
          <>
            <Action
              icon={Share2}
              label={w.share.title}
              onClick={() => {
                setSharing((times) => times + 1)
                sharing.current?.showModal()
              }}
            />
            <ShareDialog
              session_id={session.session_id}
              isTerminal={view.can.terminal}
              dialog={sharing}
              opened={timesShared}
            />
          </>
        )}
        {session !== undefined && !view.can.terminal && may("prompt") && (
          <Schedules schedules={view.schedules} session={session} disabled={link.status === "closed"} />
        )}
        {session !== undefined && may("prompt") && (
          <Action
            icon={Power}
            label={w.endSession}
            onClick={() => dialog.current?.showModal()}
            isDisabled={link.status === "closed"}
          />
        )}
      </Actions>
      <dialog className="confirm" ref={handing} aria-labelledby="hand-over-title">
        <h2 id="hand-over-title">{w.native.handOverAsk}</h2>
        <p>{view.turn === undefined ? w.native.handOverHelp : w.native.handOverRunning}</p>
        <form method="dialog" className="ask-buttons">
          <button
            type="submit"
            className="button primary"
            disabled={view.turn !== undefined}
            onClick={() => void session?.send({ type: "hand_over" })}
          >
            {w.native.handOver}
          </button>
          <button type="submit" className="button">{w.cancel}</button>
        </form>
      </dialog>
      <dialog className="confirm" ref={dialog} aria-labelledby="end-title">
        <h2 id="end-title">{w.endSessionAsk}</h2>
        <p>{view.turn === undefined ? w.endSessionIdle : w.endSessionRunning}</p>
        <form method="dialog" className="ask-buttons">
          <button type="submit" className="button danger solid" onClick={() => void session?.end()}>
            {w.endSession}
          </button>
          <button type="submit" className="button">{w.cancel}</button>
        </form>
      </dialog>
    </header>
  )
}
