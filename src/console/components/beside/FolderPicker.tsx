/**
 * FolderPicker: choose a folder on the relay's machine, level by level, within the allowed folders.
 */
import { ArrowUp, Folder, FolderGit2 } from "lucide-react"
import { useCallback, useEffect, useRef, useState } from "react"
import { createPortal } from "react-dom"
import * as workspace from "../../relay/workspace.js"
import { w } from "../../words/words.js"
import { inOneLine } from "../hiddenChars.js"
import { useAnswer } from "./useAnswer.js"

interface Props {
  /** Where to begin; if empty or missing, an allowed root. */
  readonly folder: string
  readonly onChoose: (folder: string) => void
  readonly onClose: () => void
}

/** The typed text may not be a folder yet. */
const begin = (path: string | undefined) =>
  path === undefined
    ? workspace.folders(undefined)
    : workspace.folders(path).catch(() => workspace.folders(undefined))

/** If there is only one root, begin there. */
const look = async (path: string | undefined) => {
  const listing = await begin(path)
  const [only, ...others] = listing.folders
  return listing.folder === undefined && only !== undefined && others.length === 0
    ? await workspace.folders(only.path)
    : listing
}

export const FolderPicker = ({ folder, onChoose, onClose }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const [path, setPath] = useState(folder.trim() || undefined)
  const [filter, setFilter] = useState("")
  const [hidden, setHidden] = useState(false)
  const ask = useCallback(() => look(path), [path])
  const { problem, value } = useAnswer(ask)
  useEffect(() => dialog.current?.showModal(), [])
  const go = (path: string | undefined) => {
    setFilter("")
    setPath(path)
  }
  const wanted = filter.trim().toLowerCase()
  const shown =
    value?.folders.filter((one) =>
      (hidden || one.hidden !== true) && one.name.toLowerCase().includes(wanted)
    ) ?? []
  const here = value?.folder
  // Outside the form it fills in, so that Enter here does not submit that form.
  return createPortal(
    <dialog
      className="confirm folder-picker"
      ref={dialog}
      onClose={onClose}
      aria-labelledby="folder-picker-title"
    >
      <h2 id="folder-picker-title">{w.beside.chooseFolder}</h2>
      <div className="folder-here">
        <button
          type="button"
          className="icon-button"
          disabled={here === undefined || value?.parent === undefined}
          onClick={() => go(value?.parent)}
          aria-label={w.beside.up}
          title={w.beside.up}
        >
          <ArrowUp size={17} aria-hidden />
        </button>
        <code>{here === undefined ? "" : inOneLine(here)}</code>
      </div>
      <input
        type="search"
        className="beside-find"
        value={filter}
        onChange={({ target }) => setFilter(target.value)}
        placeholder={w.beside.filterFolders}
        aria-label={w.beside.filterFolders}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
      />
      {problem !== undefined && <p className="beside-note" role="alert">{problem}</p>}
      <div
        className="folder-list"
        tabIndex={0}
        role="region"
        aria-label={w.beside.chooseFolder}
        aria-busy={value === undefined}
      >
        {value !== undefined && shown.length === 0 && <p className="beside-note">{w.beside.noFolders}</p>}
        <ul className="tree">
          {shown.map(({ name, path, repository }) => (
            <li key={path}>
              <button type="button" className="tree-row" onClick={() => go(path)}>
                {repository ? <FolderGit2 size={16} aria-hidden /> : <Folder size={16} aria-hidden />}
                <span className="tree-name">{inOneLine(name)}</span>
                {repository && <small>{w.beside.repository}</small>}
              </button>
            </li>
          ))}
        </ul>
        {value?.truncated && <p className="beside-note">{w.beside.moreEntries}</p>}
      </div>
      <label className="check">
        <input type="checkbox" checked={hidden} onChange={({ target }) => setHidden(target.checked)} />
        {w.beside.showHidden}
      </label>
      <div className="ask-buttons">
        <button
          type="button"
          className="button primary"
          disabled={here === undefined}
          onClick={() => {
            if (here !== undefined) onChoose(here)
            dialog.current?.close()
          }}
        >
          {w.beside.chooseThis}
        </button>
        <button type="button" className="button" onClick={() => dialog.current?.close()}>{w.cancel}</button>
      </div>
    </dialog>,
    document.body
  )
}
