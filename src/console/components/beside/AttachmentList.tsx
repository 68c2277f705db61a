/**
 * AttachmentList: the files attached to the next prompt, and where they are saved.
 */
import { File, TriangleAlert, X } from "lucide-react"
import { w } from "../../words/words.js"
import { inOneLine } from "../hiddenChars.js"
import type { Attachments } from "./attachments.js"

export const AttachmentList = ({ attachments }: { readonly attachments: Attachments }) => {
  const { choose, inFolder, list, remove } = attachments
  if (list.length === 0) return null
  return (
    <div className="attachments">
      <ul aria-label={w.beside.attachments}>
        {list.map(({ file, id, kept, problem }) => {
          const name = inOneLine(file.name)
          return (
            <li
              key={id}
              data-problem={problem !== undefined}
              aria-busy={kept === undefined && problem === undefined}
            >
              {problem === undefined
                ? <File size={14} aria-hidden />
                : <TriangleAlert size={14} aria-hidden />}
              <span title={problem ?? kept?.path ?? name}>{name}</span>
              <button
                type="button"
                onClick={() => remove(id)}
                aria-label={w.removeImage(name)}
                title={w.removeImage(name)}
              >
                <X size={12} aria-hidden />
              </button>
            </li>
          )
        })}
      </ul>
      {list.flatMap(({ id, problem }) =>
        problem === undefined ? [] : [<p key={id} role="alert">{problem}</p>]
      ).slice(0, 3)}
      <label className="check">
        <input type="checkbox" checked={inFolder} onChange={({ target }) => choose(target.checked)} />
        {w.beside.inFolder}
      </label>
    </div>
  )
}
