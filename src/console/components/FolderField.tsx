/**
 * FolderField: the agent's folder; recently used folders are one tap away.
 */
import { Folder, FolderOpen } from "lucide-react"
import { lazy, Suspense, useState } from "react"
import { recentFolders } from "../relay/kept.js"
import { w } from "../words/words.js"

const FolderPicker = lazy(() =>
  import("./beside/FolderPicker.js").then(({ FolderPicker }) => ({ default: FolderPicker }))
)

interface Props {
  readonly folder: string
  /** The default folder, if the relay reports it. */
  readonly home: string | undefined
  readonly onFolder: (folder: string) => void
}

/** The end of a path says most. */
const shortened = (path: string): string =>
  path.length <= 34 ? path : `…/${path.split("/").slice(-2).join("/")}`

export const FolderField = ({ folder, home, onFolder }: Props) => {
  const recent = recentFolders()
  const [choosing, setChoosing] = useState(false)
  return (
    <div className="field wide">
      <label htmlFor="folder">{w.folder}</label>
      <div className="folder-line">
        <input
          id="folder"
          value={folder}
          onChange={({ target }) => onFolder(target.value)}
          placeholder={w.folderDefault(home)}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
        />
        <button type="button" className="button" onClick={() => setChoosing(true)}>
          <FolderOpen size={15} aria-hidden /> {w.beside.browse}
        </button>
      </div>
      {choosing && (
        <Suspense>
          <FolderPicker
            folder={folder || (home ?? "")}
            onChoose={onFolder}
            onClose={() => setChoosing(false)}
          />
        </Suspense>
      )}
      {recent.length > 0 && (
        <div className="chips" role="group" aria-label={w.recentFolders}>
          {recent.slice(0, 4).map((path) => (
            <button
              key={path}
              type="button"
              className="chip"
              title={path}
              onClick={() => onFolder(path)}
            >
              <Folder size={13} aria-hidden /> {shortened(path)}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
