/**
 * LongText: text of any length, verbatim. Its first part is rendered; the rest opens part by part, with its
 * size shown. A line of a megabyte costs the page as little as one of a hundred characters.
 */
import { useState } from "react"
import { w } from "../words/words.js"
import { Exact } from "./Exact.js"

interface Props {
  readonly text: string
  /** Lines and characters shown before the first press of a button. */
  readonly lines?: number
  readonly chars?: number
  /** Make hidden characters visible. */
  readonly exact?: boolean
}

/** Each press shows this many times as much as before, but no more at once than a page can render. */
const growth = 8
const mostMore = 200_000

/** Where the part with at most this many lines and characters ends. */
export const endOf = (text: string, lines: number, chars: number): number => {
  let end = -1
  for (let line = 0; line < lines; line++) {
    end = text.indexOf("\n", end + 1)
    if (end === -1) return Math.min(chars, text.length)
    if (end >= chars) return chars
  }
  return end
}

/** Never between the two halves of a surrogate pair. */
const whole = (text: string, end: number): number =>
  end > 0 && end < text.length && /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? end - 1 : end

const linesIn = (text: string, from: number): number => {
  let count = 0
  for (let at = text.indexOf("\n", from); at !== -1; at = text.indexOf("\n", at + 1)) count += 1
  return count
}

/** The size of the rest, in the more telling unit. */
const leftOf = (text: string, end: number): string => {
  const rest = text.replace(/\n+$/, "")
  const lines = linesIn(rest, end)
  return lines > 0 ? w.moreLines(lines) : w.moreCharacters(text.length - end)
}

export const LongText = ({ chars = 20_000, exact = false, lines = 400, text }: Props) => {
  const [presses, setPresses] = useState(0)
  const factor = growth ** presses
  const end = whole(
    text,
    endOf(text, lines * factor, Math.min(chars * factor, chars + presses * mostMore))
  )
  const shown = text.slice(0, end)
  const isCut = text.slice(end).trim() !== "" || text.length - end > 200
  return (
    <>
      {exact ? <Exact text={shown} /> : shown}
      {isCut && (
        <button type="button" className="more-text" onClick={() => setPresses(presses + 1)}>
          {leftOf(text, end)}
        </button>
      )}
    </>
  )
}
