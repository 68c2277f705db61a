/**
 * printable: what others wrote, made fit for the terminal of a person.
 *
 * `plain` is for reading: escape codes, control characters and what turns the direction of text are left out. `visible`
 * is for judging: nothing is left out, what cannot be seen is spelled (`\x1b`, `\u{202e}`). Neither lets anything through
 * that a terminal acts on, but line feeds and tabs.
 */
import * as TerminalText from "../adapters/generic/TerminalText.js"

/** What turns the direction of text, so that it reads in another order than it is in. */
const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const isReturn = (text: string) => text.includes("\r")

/** For a stream of pieces: a sequence that was cut between two of them is left out, too. */
export const makePlain = (): (piece: string) => string => {
  const { feed } = TerminalText.make()
  let returned = false
  return (piece) => {
    let text = (returned ? "\r" : "") + feed(piece).replace(/\u0008/g, "").replace(bidi, "")
    // A line feed may follow in the next piece.
    returned = text.endsWith("\r")
    if (returned) text = text.slice(0, -1)
    // A return alone would write over what stands there.
    return isReturn(text) ? text.replace(/\r\n?/g, "\n") : text
  }
}

export const plain = (text: string): string => makePlain()(text)

/**
 * Characters nobody sees, or that look like a space and are none: controls, formats, unassigned and private ones, line
 * separators, spaces but the usual one, blanks that count as letters, and what only changes how others look.
 */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu

const spell = (character: string): string => {
  if (character === "\n" || character === "\t") return character
  if (character === "\r") return "\\r"
  const code = character.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`
}

/** All of it; what cannot be seen is spelled. Line feeds and tabs stay. */
export const visible = (text: string): string => text.replace(invisible, spell)

/** The same on one line. */
export const visibleLine = (text: string): string =>
  visible(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t")

/** What JSON leaves as it is though terminals may act on it; spelled, it is the same JSON. */
const unsafeInJson = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

export const safeJson = (json: string): string =>
  json.replace(
    unsafeInJson,
    (text) => text.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")
  )
