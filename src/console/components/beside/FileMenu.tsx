/**
 * FileMenu: files that match the text after an `@`.
 */
import { useEffect, useRef } from "react"
import { folderOf } from "../../relay/workspace.js"
import { w } from "../../words/words.js"
import { inOneLine } from "../hiddenChars.js"
import { lastPart } from "../words.js"

interface Props {
  readonly files: ReadonlyArray<string>
  readonly marked: number
  readonly onChoose: (path: string) => void
}

export const FileMenu = ({ files, marked, onChoose }: Props) => {
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => {
    list.current?.children[marked]?.scrollIntoView({ block: "nearest" })
  }, [marked])
  return (
    <ul className="slash-menu" id="slash-menu" role="listbox" aria-label={w.beside.files} ref={list}>
      {files.map((path, index) => (
        <li
          key={path}
          id={`slash-${index}`}
          role="option"
          aria-selected={index === marked}
          onPointerDown={(event) => {
            event.preventDefault()
            onChoose(path)
          }}
        >
          <span className="slash-name">{inOneLine(lastPart(path))}</span>
          <span className="slash-text">{inOneLine(folderOf(path))}</span>
        </li>
      ))}
    </ul>
  )
}
