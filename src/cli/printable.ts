/**
 * printable: makes untrusted text safe to print on a terminal.
 *
 * `plain` is for reading: it drops escape codes, control characters and characters that change the direction of text.
 * `visible` is for deciding: it drops nothing and spells out what cannot be seen (`\x1b`, `\u{202e}`). Both let line feeds
 * and tabs through, and nothing else that a terminal acts on.
 */
import * as TerminalText from "../adapters/generic/TerminalText.js"

/** Characters that change the direction of text, so that it reads in a different order than it is stored. */
const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const isReturn = (text: string) => text.includes("\r")

/** `plain` for a stream of pieces: also drops an escape code that is split between two of them. */
export const makePlain = (): (piece: string) => string => {
  const { feed } = TerminalText.make()
  let returned = false
  return (piece) => {
    let text = (returned ? "\r" : "") + feed(piece).replace(/\u0008/g, "").replace(bidi, "")
    // The line feed may come with the next piece.
    returned = text.endsWith("\r")
    if (returned) text = text.slice(0, -1)
    // A carriage return alone would overwrite the line.
    return isReturn(text) ? text.replace(/\r\n?/g, "\n") : text
  }
}

export const plain = (text: string): string => makePlain()(text)

/**
 * Characters that are invisible or only look like a space: controls, formats, unassigned and private ones, line separators,
 * spaces other than the usual one, blanks that count as letters, and those that only change how others look.
 */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu

const spell = (character: string): string => {
  if (character === "\n" || character === "\t") return character
  if (character === "\r") return "\\r"
  const code = character.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`
}

/** The whole text, with invisible characters spelled out. Line feeds and tabs stay. */
export const visible = (text: string): string => text.replace(invisible, spell)

/** The same on one line. */
export const visibleLine = (text: string): string =>
  visible(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t")

/** Characters that JSON leaves unescaped although terminals may act on them. Escaping them does not change the JSON. */
const unsafeInJson = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

export const safeJson = (json: string): string =>
  json.replace(
    unsafeInJson,
    (text) => text.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")
  )
