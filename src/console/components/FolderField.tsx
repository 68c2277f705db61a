/** FolderField: where the agent works; the folders used before are a tap away. */
import { Folder } from "lucide-react"
import { recentFolders } from "../relay/kept.js"
import { lastPart } from "./words.js"

interface Props {
  readonly folder: string
  readonly onFolder: (folder: string) => void
}

export const FolderField = ({ folder, onFolder }: Props) => {
  const recent = recentFolders()
  return (
    <div className="field wide">
      <label htmlFor="folder">Folder</label>
      <input
        id="folder"
        value={folder}
        onChange={({ target }) => onFolder(target.value)}
        placeholder="where the relay was started"
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
      />
      {recent.length > 0 && (
        <div className="chips" role="group" aria-label="Recent folders">
          {recent.slice(0, 4).map((path) => (
            <button
              key={path}
              type="button"
              className="chip"
              title={path}
              onClick={() => onFolder(path)}
            >
              <Folder size={13} aria-hidden /> {lastPart(path)}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
