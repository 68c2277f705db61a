/** DiffView: how a file changed, in one column or side by side. */
import { Columns2, Rows2 } from "lucide-react"
import { useMemo, useState } from "react"
import type { Diff } from "../model/View.js"
import { diffStyle, setDiffStyle } from "../relay/kept.js"
import { CopyButton } from "./CopyButton.js"
import { countOf, hunksOf, type Line, pairsOf } from "./diffLines.js"
import { languageOf, useColours } from "./useColours.js"
import { lastPart } from "./words.js"

/** Rows drawn before a press on a button. */
const most = 300

const marks = { added: "+", removed: "−", same: "" }

const Text = (
  { language, line }: { readonly line: Line | undefined; readonly language: string | undefined }
) => {
  const html = useColours(line?.text, language)
  return html === undefined
    ? <code>{line?.text}</code>
    : <code dangerouslySetInnerHTML={{ __html: html }} />
}

const Unified = (
  { language, lines }: { readonly lines: ReadonlyArray<Line>; readonly language: string | undefined }
) =>
  lines.map((line, index) => (
    <tr key={`${line.old ?? ""}-${line.new ?? ""}-${index}`} data-kind={line.kind}>
      <td className="number">{line.old}</td>
      <td className="number">{line.new}</td>
      <td className="mark">{marks[line.kind]}</td>
      <td className="line">
        <Text line={line} language={language} />
      </td>
    </tr>
  ))

const Split = (
  { language, lines }: { readonly lines: ReadonlyArray<Line>; readonly language: string | undefined }
) =>
  pairsOf(lines).map(({ left, right }, index) => (
    <tr key={`${left?.old ?? ""}-${right?.new ?? ""}-${index}`}>
      <td className="number" data-kind={left?.kind ?? "none"}>{left?.old}</td>
      <td className="line" data-kind={left?.kind ?? "none"}>
        <Text line={left} language={language} />
      </td>
      <td className="number" data-kind={right?.kind ?? "none"}>{right?.new}</td>
      <td className="line" data-kind={right?.kind ?? "none"}>
        <Text line={right} language={language} />
      </td>
    </tr>
  ))

export const DiffView = ({ diff, file_path }: Diff) => {
  const hunks = useMemo(() => hunksOf(diff), [diff])
  const [style, setStyle] = useState(diffStyle)
  const [all, setAll] = useState(false)
  const language = languageOf(file_path)
  if (hunks === undefined) return <pre className="tool-output" tabIndex={0}>{diff}</pre>
  const isSplit = style === "split"
  const Rows = isSplit ? Split : Unified
  const toggle = () => {
    const next = isSplit ? "unified" : "split"
    setStyle(next)
    setDiffStyle(next)
  }
  const total = hunks.reduce((sum, { lines }) => sum + lines.length, 0)
  let left = all ? Infinity : most
  return (
    <figure className="diff" data-style={style}>
      <figcaption>
        <span className="diff-path" title={file_path}>{lastPart(file_path)}</span>
        <span className="added">+{countOf(hunks, "added")}</span>
        <span className="removed">−{countOf(hunks, "removed")}</span>
        <span className="spacer" />
        <button
          type="button"
          className="icon-button small"
          onClick={toggle}
          aria-label={isSplit ? "Show in one column" : "Show side by side"}
          title={isSplit ? "Show in one column" : "Show side by side"}
        >
          {isSplit ? <Rows2 size={14} aria-hidden /> : <Columns2 size={14} aria-hidden />}
        </button>
        <CopyButton text={diff} />
      </figcaption>
      <div className="diff-body" tabIndex={0} role="region" aria-label={`Changes of ${lastPart(file_path)}`}>
        <table>
          <tbody>
            {hunks.map(({ lines, title }) => {
              const shown = lines.slice(0, Math.max(0, left))
              left -= lines.length
              return shown.length === 0 ? null : [
                hunks.length > 1 && (
                  <tr key={title} className="hunk">
                    <td colSpan={4}>{title}</td>
                  </tr>
                ),
                <Rows key={`${title} rows`} lines={shown} language={language} />
              ]
            })}
          </tbody>
        </table>
      </div>
      {total > most && !all && (
        <button
          type="button"
          className="button small more"
          onClick={() => setAll(true)}
        >
          Show all {total} lines
        </button>
      )}
    </figure>
  )
}
