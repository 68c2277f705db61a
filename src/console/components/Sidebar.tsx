/**
 * Sidebar: the list of sessions, those that need a person first, then by folder; on a phone it slides in.
 */
import { Plus, Undo2, X } from "lucide-react"
import { useEffect, useRef, useState } from "react"
import type { SessionLine } from "../model/sessions.js"
import { goTo } from "../relay/address.js"
import { w } from "../words/words.js"
import { isComposing } from "./isComposing.js"
import { LanguageChoice } from "./LanguageChoice.js"
import { useMay } from "./rights.js"
import { isSearched, SearchResults } from "./SearchResults.js"
import { depthsOf, groupsOf } from "./sessionGroups.js"
import { SessionRow } from "./SessionRow.js"
import { Settings } from "./Settings.js"
import { ThemeButton } from "./ThemeButton.js"
import type { Relay } from "./useRelay.js"
import { sessionName } from "./words.js"

interface Props {
  readonly relay: Relay
  readonly current: string | undefined
  readonly open: boolean
  readonly onClose: () => void
}

/** This many can be seen at a glance. */
const fewSessions = 6

export const Sidebar = ({ current, onClose, open, relay }: Props) => {
  const { sessions = [] } = relay
  const may = useMay()
  const [filter, setFilter] = useState("")
  const [showsArchive, setShowsArchive] = useState(false)
  const groups = groupsOf(sessions, filter)
  const archived = groupsOf(sessions, filter, true).flatMap(({ lines }) => lines)
  const nav = useRef<HTMLElement>(null)
  useEffect(() => {
    if (!open) return
    const onKey = (event: KeyboardEvent) => {
      // A dialog, a menu and an input method have an Escape of their own.
      const isTheirs = isComposing(event) || document.querySelector("dialog[open]") !== null
      if (event.key === "Escape" && !isTheirs) onClose()
    }
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
  }, [onClose, open])
  // It lies over the page: the keyboard is in it, and then where it was.
  useEffect(() => {
    const list = nav.current
    if (!open || list === null) return
    const opener = document.activeElement
    list.querySelector<HTMLElement>(".only-phone")?.focus()
    return () => {
      const { activeElement } = document
      const isLeft = activeElement === document.body || list.contains(activeElement)
      if (isLeft && opener instanceof HTMLElement) opener.focus()
    }
  }, [open])

  const rows = (lines: ReadonlyArray<SessionLine>) => {
    const depths = depthsOf(lines)
    return (
      <ul className="session-list">
        {lines.map((line) => (
          <SessionRow
            key={line.session_id}
            line={line}
            depth={depths.get(line.session_id) ?? 0}
            parent={sessions.find(({ session_id }) => session_id === line.opened_by?.session_id)}
            current={line.session_id === current}
            relay={relay}
            onOpen={onClose}
            onRemove={() => {
              if (line.session_id === current) goTo(undefined)
              relay.remove(line)
            }}
          />
        ))}
      </ul>
    )
  }

  return (
    <>
      {open && <div className="scrim" onClick={onClose} aria-hidden />}
      <nav ref={nav} className="sidebar" data-open={open} aria-label={w.sessions}>
        <div className="brand">
          <a href="#/" className="wordmark" onClick={onClose}>
            <img src={icon} alt="" width={24} height={24} />ai-relay
          </a>
          <Settings relay={relay} />
          <ThemeButton />
          <button type="button" className="icon-button only-phone" onClick={onClose} aria-label={w.closeList}>
            <X size={18} aria-hidden />
          </button>
        </div>
        {may("prompt") && (
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
        )}
        {(sessions.length > fewSessions || filter !== "" || sessions.some(({ turns }) => turns > 0)) && (
          <input
            type="search"
            className="session-filter"
            value={filter}
            onChange={({ target }) => setFilter(target.value)}
            placeholder={w.filterSessions}
            aria-label={w.filterSessions}
            spellCheck={false}
          />
        )}
        <div className="session-groups">
          {groups.map(({ folder, lines }) => (
            <section key={folder ?? ""} aria-label={folder ?? w.needsYou}>
              <h2 className="sidebar-title" title={folder} data-needs={folder === undefined}>
                {folder === undefined ? w.needsYou : shortened(folder)}
              </h2>
              {rows(lines)}
            </section>
          ))}
          <SearchResults query={filter} onOpen={onClose} />
          {sessions.length > 0 && groups.length === 0 && archived.length === 0 && !isSearched(filter) &&
            <p className="muted sidebar-empty">{w.noMatch}</p>}
          {archived.length > 0 && (
            <section aria-label={w.archived}>
              <button
                type="button"
                className="sidebar-title archive-toggle"
                aria-expanded={showsArchive}
                onClick={() => setShowsArchive(!showsArchive)}
              >
                {w.showArchived(archived.length)}
              </button>
              {showsArchive && rows(archived)}
            </section>
          )}
          {relay.sessions !== undefined && sessions.length === 0 && (
            <p className="muted sidebar-empty">{w.noSessions}</p>
          )}
        </div>
        {relay.removed !== undefined && <Removed line={relay.removed} onUndo={relay.undoRemove} />}
        <LanguageChoice />
      </nav>
    </>
  )
}

/** The row that had the focus is gone: the way to get it back has it, then the list. */
const Removed = ({ line, onUndo }: { readonly line: SessionLine; readonly onUndo: () => void }) => {
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    const undo = button.current
    const list = undo?.closest("nav")
    if (document.activeElement === document.body) undo?.focus()
    return () => {
      setTimeout(() => {
        if (document.activeElement !== document.body) return
        list?.querySelector<HTMLElement>(".session-row, .new-session")?.focus()
      })
    }
  }, [line])
  return (
    <p className="undo" role="status">
      <span>{w.removed(sessionName(line.tool, line.folder, line.title))}</span>
      <button type="button" className="button small" onClick={onUndo} ref={button}>
        <Undo2 size={13} aria-hidden /> {w.undo}
      </button>
    </p>
  )
}

/** The end of a path says most. */
const shortened = (folder: string): string =>
  folder.length <= 30 ? folder || "/" : `…/${folder.split("/").slice(-2).join("/")}`

const icon = new URL("../icon.svg", import.meta.url).href
