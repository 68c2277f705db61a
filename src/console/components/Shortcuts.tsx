/**
 * Shortcuts: the keyboard shortcuts, listed on `?`.
 */
import { useEffect, useRef } from "react"
import { w } from "../words/words.js"

const isMac = /Mac|iPhone|iPad/.test(navigator.platform)
/** As labelled on this machine's keyboard. */
export const spelled = (keys: string): string =>
  isMac ? keys.replace("Ctrl+", "⌘").replace("Alt+", "⌥").replace("Shift+", "⇧") : keys

const rows = [
  ["Ctrl+K", "palette"],
  ["?", "list"],
  ["Alt+N", "newSession"],
  ["Alt+W", "nextWaiting"],
  ["Enter", "send"],
  ["Shift+Enter", "newLine"],
  ["Ctrl+Enter", "steer"],
  ["↑", "recall"],
  ["Esc", "stop"],
  ["Alt+A", "allow"],
  ["Alt+S", "allowForSession"],
  ["Alt+D", "deny"]
] as const

export const Shortcuts = ({ onClose }: { readonly onClose: () => void }) => {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog className="confirm" ref={dialog} aria-labelledby="shortcuts-title" onClose={onClose}>
      <h2 id="shortcuts-title">{w.shortcuts.title}</h2>
      <dl className="facts shortcuts">
        {rows.map(([keys, name]) => (
          <div key={keys}>
            <dt>
              <kbd>{spelled(keys)}</kbd>
            </dt>
            <dd>{w.shortcuts[name]}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog" className="ask-buttons">
        <button type="submit" className="button">{w.settings.close}</button>
      </form>
    </dialog>
  )
}
