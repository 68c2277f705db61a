/**
 * Palette: finds every command and session by a few letters of its name: Ctrl+K, on a Mac Cmd+K.
 */
import { useEffect, useId, useMemo, useRef, useState } from "react"
import type { SessionLine } from "../model/sessions.js"
import { goTo } from "../relay/address.js"
import { w } from "../words/words.js"
import { type Command, matching } from "./commands.js"
import { isComposing } from "./isComposing.js"
import { agentName, sessionName } from "./words.js"

const toCommand = ({ folder, session_id, title, tool }: SessionLine): Command => ({
  id: `session ${session_id}`,
  name: sessionName(tool, folder, title),
  about: `${agentName(tool)} · ${folder}`,
  run: () => goTo(session_id)
})

interface Props {
  readonly commands: ReadonlyArray<Command>
  readonly sessions: ReadonlyArray<SessionLine>
  readonly onClose: () => void
}

export const Palette = ({ commands, onClose, sessions }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const [query, setQuery] = useState("")
  const [at, setAt] = useState(0)
  const list = useId()
  useEffect(() => dialog.current?.showModal(), [])
  const all = useMemo(
    () => [
      ...commands,
      ...sessions.filter(({ archived }) => archived !== true)
        .toSorted((left, right) => right.last_active_at - left.last_active_at).map(toCommand)
    ],
    [commands, sessions]
  )
  const found = matching(all, query)
  const chosen = Math.min(at, found.length - 1)
  useEffect(() => {
    document.getElementById(`${list}-${chosen}`)?.scrollIntoView({ block: "nearest" })
  }, [chosen, list])
  const run = (command: Command | undefined) => {
    if (command === undefined) return
    // The command may move the focus.
    dialog.current?.close()
    command.run()
  }
  const steps: Readonly<Record<string, () => void>> = {
    ArrowDown: () => setAt((chosen + 1) % Math.max(1, found.length)),
    ArrowUp: () => setAt((chosen - 1 + found.length) % Math.max(1, found.length)),
    Enter: () => run(found[chosen])
  }

  return (
    <dialog className="palette" ref={dialog} aria-label={w.palette.title} onClose={onClose}>
      <input
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={found.length > 0 ? `${list}-${chosen}` : undefined}
        aria-autocomplete="list"
        aria-label={w.palette.title}
        placeholder={w.palette.placeholder}
        value={query}
        spellCheck={false}
        autoComplete="off"
        autoFocus
        onChange={({ target }) => {
          setQuery(target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          const step = isComposing(event.nativeEvent) ? undefined : steps[event.key]
          if (step === undefined) return
          event.preventDefault()
          step()
        }}
      />
      <ul id={list} role="listbox" aria-label={w.palette.title}>
        {found.map((command, index) => (
          <li
            key={command.id}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === chosen}
            onPointerMove={() => setAt(index)}
            onClick={() => run(command)}
          >
            <span className="palette-name">{command.name}</span>
            {command.about !== undefined && <span className="palette-about">{command.about}</span>}
            {command.keys !== undefined && <kbd>{command.keys}</kbd>}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="muted" role="status">{w.noMatch}</p>}
    </dialog>
  )
}
