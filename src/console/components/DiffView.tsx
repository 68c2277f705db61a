/**
 * DiffView: a file's changes, in one column or side by side.
 */
import { Columns2, Rows2 } from "lucide-react"
import { useMemo, useState } from "react"
import type { Diff } from "../../messages/View.js"
import { diffStyle, setDiffStyle } from "../relay/kept.js"
import { w } from "../words/words.js"
import { CopyButton } from "./CopyButton.js"
import { countOf, type Hunk, hunksOf, type Line, pairsOf } from "./diffLines.js"
import { Exact } from "./Exact.js"
import { hidesSomething } from "./hiddenChars.js"
import { LongText } from "./LongText.js"
import { short } from "./plain.js"
import { languageOf, useColours } from "./useColours.js"
import { lastPart } from "./words.js"

/**
 * Rows shown at first and per press of the button, and the characters of a row before it gets a button of its
 * own.
 */
const most = 300
const mostMore = 1000
const mostChars = 1000
/** Longer lines have no colours. */
const mostColoured = 400

const marks = { added: "+", removed: "−", same: "" }

type ColourOf = ReturnType<typeof useColours>

const Text = ({ colourOf, line }: { readonly line: Line | undefined; readonly colourOf: ColourOf }) => {
  const html = colourOf(line?.text)
  return html === undefined || hidesSomething(line?.text ?? "")
    ? (
      <code>
        <LongText text={line?.text ?? ""} chars={mostChars} exact />
      </code>
    )
    : <code dangerouslySetInnerHTML={{ __html: html }} />
}

interface RowsProps {
  readonly lines: ReadonlyArray<Line>
  readonly colourOf: ColourOf
}

const Unified = ({ colourOf, lines }: RowsProps) =>
  lines.map((line, index) => (
    <tr key={`${line.old ?? ""}-${line.new ?? ""}-${index}`} data-kind={line.kind}>
      <td className="number">{line.old}</td>
      <td className="number">{line.new}</td>
      <td className="mark">{marks[line.kind]}</td>
      <td className="line">
        <Text line={line} colourOf={colourOf} />
      </td>
    </tr>
  ))

const Split = ({ colourOf, lines }: RowsProps) =>
  pairsOf(lines).map(({ left, right }, index) => (
    <tr key={`${left?.old ?? ""}-${right?.new ?? ""}-${index}`}>
      <td className="number" data-kind={left?.kind ?? "none"}>{left?.old}</td>
      <td className="line" data-kind={left?.kind ?? "none"}>
        <Text line={left} colourOf={colourOf} />
      </td>
      <td className="number" data-kind={right?.kind ?? "none"}>{right?.new}</td>
      <td className="line" data-kind={right?.kind ?? "none"}>
        <Text line={right} colourOf={colourOf} />
      </td>
    </tr>
  ))

/** The first `count` lines of all hunks together. */
const firstOf = (hunks: ReadonlyArray<Hunk>, count: number): ReadonlyArray<Hunk> => {
  let left = count
  return hunks.flatMap(({ lines, title }) => {
    const shown = lines.slice(0, Math.max(0, left))
    left -= lines.length
    return shown.length === 0 ? [] : [{ title, lines: shown }]
  })
}

export const DiffView = ({ diff, file_path }: Diff) => {
  const hunks = useMemo(() => hunksOf(diff), [diff])
  const [style, setStyle] = useState(diffStyle)
  const [rows, setRows] = useState(most)
  const shown = useMemo(() => firstOf(hunks ?? [], rows), [hunks, rows])
  const toColour = useMemo(
    () =>
      firstOf(shown, most).flatMap(({ lines }) =>
        lines.map(({ text }) => text).filter(({ length }) => length <= mostColoured)
      ),
    [shown]
  )
  const colourOf = useColours(toColour, languageOf(file_path))
  if (hunks === undefined) {
    return <pre className="tool-output" tabIndex={0}><LongText text={diff} exact /></pre>
  }
  const isSplit = style === "split"
  const Rows = isSplit ? Split : Unified
  const toggle = () => {
    const next = isSplit ? "unified" : "split"
    setStyle(next)
    setDiffStyle(next)
  }
  const total = hunks.reduce((sum, { lines }) => sum + lines.length, 0)
  return (
    <figure className="diff" data-style={style}>
      <figcaption>
        <span className="diff-path" title={file_path}>
          <Exact text={short(lastPart(file_path))} />
        </span>
        <span className="added">+{countOf(hunks, "added")}</span>
        <span className="removed">−{countOf(hunks, "removed")}</span>
        <span className="spacer" />
        <button
          type="button"
          className="icon-button small"
          onClick={toggle}
          aria-label={isSplit ? w.oneColumn : w.sideBySide}
          title={isSplit ? w.oneColumn : w.sideBySide}
        >
          {isSplit ? <Rows2 size={14} aria-hidden /> : <Columns2 size={14} aria-hidden />}
        </button>
        <CopyButton text={diff} />
      </figcaption>
      <div className="diff-body" tabIndex={0} role="region" aria-label={w.changesOf(lastPart(file_path))}>
        <table>
          <tbody>
            {shown.map(({ lines, title }, index) => [
              shown.length > 1 && (
                <tr key={`${index} ${title}`} className="hunk">
                  <td colSpan={4}>{title}</td>
                </tr>
              ),
              <Rows key={`${index} rows`} lines={lines} colourOf={colourOf} />
            ])}
          </tbody>
        </table>
      </div>
      {total > rows && (
        <button
          type="button"
          className="button small more"
          onClick={() => setRows(rows + mostMore)}
        >
          {w.moreLines(total - rows)}
        </button>
      )}
    </figure>
  )
}
