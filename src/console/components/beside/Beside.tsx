/**
 * Beside: the session's folder next to the conversation: its files and git changes. A column if there is
 * room, otherwise a sheet over the page.
 */
import { X } from "lucide-react"
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from "react"
import type { View } from "../../../messages/View.js"
import { w } from "../../words/words.js"
import { IconButton } from "../IconButton.js"
import { isComposing } from "../isComposing.js"
import { ChangesView } from "./ChangesView.js"
import { FilesView } from "./FilesView.js"

export type Tab = "changes" | "files"

interface Props {
  readonly session_id: string
  readonly view: View
  readonly tab: Tab
  readonly onTab: (tab: Tab) => void
  /** Insert a file's name into the prompt; undefined: prompts cannot be written here. */
  readonly onMention: ((path: string) => void) | undefined
  readonly onClose: () => void
}

const narrow = "(max-width: 1100px)"
const onNarrow = (call: () => void) => {
  const query = matchMedia(narrow)
  query.addEventListener("change", call)
  return () => query.removeEventListener("change", call)
}

const Frame = ({ children, onClose }: { readonly children: ReactNode; readonly onClose: () => void }) => {
  const isSheet = useSyncExternalStore(onNarrow, () => matchMedia(narrow).matches)
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isSheet) dialog.current?.showModal()
  }, [isSheet])
  // Elsewhere, Escape stops the turn.
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented || isComposing(event.nativeEvent)) return
    event.preventDefault()
    const { target } = event
    const isWriting = target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement
    if (isWriting && target.value !== "" && target.type !== "checkbox") target.blur()
    else onClose()
  }
  return isSheet
    ? (
      <dialog className="beside" data-sheet ref={dialog} onClose={onClose} aria-label={w.beside.title}>
        {children}
      </dialog>
    )
    : <aside className="beside" aria-label={w.beside.title} onKeyDown={onKeyDown}>{children}</aside>
}

const tabs = ["changes", "files"] as const

export const Beside = ({ onClose, onMention, onTab, session_id, tab, view }: Props) => {
  const [shown, setShown] = useState<string>()
  const onTabKey = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return
    const other = tab === "changes" ? "files" : "changes"
    onTab(other)
    document.getElementById(`beside-${other}`)?.focus()
  }
  return (
    <Frame onClose={onClose}>
      <header className="beside-bar">
        <h2 className="visually-hidden">{w.beside.title}</h2>
        <div role="tablist" aria-label={w.beside.title} className="beside-tabs" onKeyDown={onTabKey}>
          {tabs.map((name) => (
            <button
              key={name}
              id={`beside-${name}`}
              type="button"
              role="tab"
              aria-selected={tab === name}
              aria-controls="beside-panel"
              tabIndex={tab === name ? 0 : -1}
              onClick={() => onTab(name)}
            >
              {w.beside[name]}
            </button>
          ))}
        </div>
        <span className="spacer" />
        <IconButton label={w.close} onClick={onClose}>
          <X size={18} aria-hidden />
        </IconButton>
      </header>
      <div id="beside-panel" role="tabpanel" aria-labelledby={`beside-${tab}`} className="beside-panel">
        {tab === "files"
          ? (
            <FilesView
              session_id={session_id}
              shown={shown}
              onShow={setShown}
              onMention={onMention && ((path) => {
                onMention(path)
                // A sheet covers the prompt box.
                if (matchMedia(narrow).matches) onClose()
              })}
            />
          )
          : (
            <ChangesView
              session_id={session_id}
              turn={view.turn !== undefined}
              seen={view.items.length}
              onOpen={(path) => {
                setShown(path)
                onTab("files")
              }}
            />
          )}
      </div>
    </Frame>
  )
}
