/**
 * SessionRow: one session in the list, with its actions.
 */
import { Archive, ArchiveRestore, Ellipsis, Pencil, Trash2 } from "lucide-react"
import { type KeyboardEvent, useCallback, useEffect, useRef, useState } from "react"
import type { SessionLine } from "../model/sessions.js"
import { w } from "../words/words.js"
import { isComposing } from "./isComposing.js"
import { useMay } from "./rights.js"
import { needsYou } from "./sessionGroups.js"
import type { Relay } from "./useRelay.js"
import { age, agentName, sessionName } from "./words.js"

interface Props {
  readonly line: SessionLine
  /** Number of sessions above it that were opened by one another's agents. */
  readonly depth: number
  /** The session whose agent opened it, if it still exists. */
  readonly parent: SessionLine | undefined
  readonly current: boolean
  readonly relay: Relay
  readonly onOpen: () => void
  readonly onRemove: () => void
}

const stateOf = (line: SessionLine) =>
  needsYou(line) ? "asking" : line.state === "running" ? "working" : line.state === "idle" ? "ready" : "ended"

const Menu = ({ name, onBack, onClose, onRemove, onRename, onArchive, archived }: {
  readonly name: string
  readonly archived: boolean
  /** Close it, back to its button. */
  readonly onBack: () => void
  readonly onClose: () => void
  readonly onRename: () => void
  readonly onArchive: () => void
  readonly onRemove: () => void
}) => {
  const box = useRef<HTMLDivElement>(null)
  const may = useMay()
  useEffect(() => {
    box.current?.querySelector("button")?.focus()
    const onElsewhere = ({ target }: Event) =>
      target instanceof Node && box.current?.contains(target) === false && onClose()
    const events = ["pointerdown", "focusin"] as const
    for (const event of events) addEventListener(event, onElsewhere)
    return () => events.forEach((event) => removeEventListener(event, onElsewhere))
  }, [onClose])
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return
    event.stopPropagation()
    onBack()
  }
  const entries = [
    [Pencil, w.rename, onRename],
    [archived ? ArchiveRestore : Archive, archived ? w.unarchive : w.archive, onArchive],
    ...(may("admin") ? [[Trash2, w.remove, onRemove] as const] : [])
  ] as const
  return (
    <div className="row-menu" role="group" aria-label={w.moreFor(name)} ref={box} onKeyDown={onKey}>
      {entries.map(([Icon, label, act]) => (
        <button
          key={label}
          type="button"
          onClick={() => {
            onClose()
            act()
          }}
        >
          <Icon size={14} aria-hidden /> {label}
        </button>
      ))}
    </div>
  )
}

/** Who opened it, if it was an agent. */
const openedBy = ({ opened_by }: SessionLine, parent: SessionLine | undefined): string | undefined => {
  if (parent !== undefined) {
    return w.openedBy(sessionName(parent.tool, parent.folder, parent.title) || agentName(parent.tool))
  }
  return opened_by?.front?.startsWith("mcp") === true ? w.openedBy(opened_by.front) : undefined
}

export const SessionRow = ({ current, depth, line, onOpen, onRemove, parent, relay }: Props) => {
  const may = useMay()
  const [mode, setMode] = useState<"shown" | "menu" | "rename">("shown")
  const name = sessionName(line.tool, line.folder, line.title) || line.session_id
  const state = stateOf(line)
  const opener = openedBy(line, parent)
  const close = useCallback(() => setMode("shown"), [])
  const row = useRef<HTMLLIElement>(null)
  const isBack = useRef(false)
  /** Close what was opened by keyboard; the focus returns to where it was opened. */
  const goBack = () => {
    isBack.current = true
    close()
  }
  useEffect(() => {
    if (mode !== "shown" || !isBack.current) return
    isBack.current = false
    row.current?.querySelector<HTMLElement>(".row-more")?.focus()
  }, [mode])

  if (mode === "rename") {
    const onKey = (event: KeyboardEvent<HTMLInputElement>) => {
      if (isComposing(event.nativeEvent)) return
      if (event.key === "Escape") {
        // Elsewhere, Escape closes the list or stops the turn.
        event.stopPropagation()
        goBack()
      }
      if (event.key !== "Enter") return
      // The same key does not press the button that gets the focus.
      event.preventDefault()
      relay.change(line, { title: event.currentTarget.value.trim() })
      goBack()
    }
    return (
      <li ref={row}>
        <input
          className="session-rename"
          defaultValue={line.title ?? ""}
          onKeyDown={onKey}
          onBlur={close}
          aria-label={w.sessionTitle}
          maxLength={200}
          autoFocus
        />
      </li>
    )
  }
  return (
    <li ref={row} className="session-item" data-menu={mode === "menu"} data-depth={Math.min(depth, 2)}>
      <a
        className="session-row"
        href={`#/s/${encodeURIComponent(line.session_id)}`}
        aria-current={current ? "page" : undefined}
        onClick={onOpen}
        title={[name, line.folder, ...opener === undefined ? [] : [opener]].join("\n")}
      >
        <span className="dot" data-state={state} />
        <span className="session-name">{name}</span>
        <span className="session-age">{age(line.last_active_at)}</span>
        <span className="session-sub">
          {state !== "ended" && (
            <span className={state === "asking" ? "attention" : ""}>{w.state[state]} ·</span>
          )} {agentName(line.tool)} · {opener ?? w.turns(line.turns)}
        </span>
      </a>
      {may("prompt") && (
        <button
          type="button"
          className="icon-button small row-more"
          aria-label={w.moreFor(name)}
          aria-expanded={mode === "menu"}
          onClick={() => setMode(mode === "menu" ? "shown" : "menu")}
        >
          <Ellipsis size={15} aria-hidden />
        </button>
      )}
      {mode === "menu" && (
        <Menu
          name={name}
          archived={line.archived === true}
          onClose={close}
          onBack={goBack}
          onRename={() => setMode("rename")}
          onArchive={() => relay.change(line, { archived: line.archived !== true })}
          onRemove={onRemove}
        />
      )}
    </li>
  )
}
