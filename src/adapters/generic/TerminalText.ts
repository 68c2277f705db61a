/**
 * TerminalText: extracts the text from a program's terminal output, without escape codes.
 *
 * Characters, line feeds, returns, tabs and backspaces are kept; everything that sets colours, moves the
 * cursor, queries or beeps is removed. The text is the same wherever chunks are cut. Only the position within
 * a sequence is kept, because a sequence may be a picture of several megabytes; that is why `strip-ansi`,
 * which needs whole sequences, is not used here. The grammar is that of ECMA-48.
 */
export interface TerminalText {
  /** The text of the next chunk. */
  readonly feed: (piece: string) => string
  /** Whether the program asked for pasted text to be marked. */
  readonly marksPastes: () => boolean
}

/** Position: in an ESC sequence with a middle part, a control sequence, a string (title, picture, …). */
type Place = "text" | "escape" | "middle" | "csi" | "string" | "osc"

const escape = 0x1b
const bel = 0x07
const isControl = (code: number) => code < 0x20 || isHighControl(code) || code === 0x7f
const isHighControl = (code: number) => code >= 0x80 && code < 0xa0
const isKept = (code: number) => (code >= 0x08 && code <= 0x0a) || code === 0x0d
/** CAN and SUB abort a sequence. */
const givesUp = (code: number) => code === 0x18 || code === 0x1a

const placeAfterHighControl = (code: number): Place => {
  if (code === 0x9b) return "csi"
  if (code === 0x9d) return "osc"
  return code === 0x90 || code === 0x98 || code === 0x9e || code === 0x9f ? "string" : "text"
}

/** ESC and a letter are another spelling of the high control characters. */
const placeAfterEscape = (code: number): Place => {
  if (code < 0x30) return "middle"
  return code >= 0x40 && code <= 0x5f ? placeAfterHighControl(code + 0x40) : "text"
}

/** Longest control-sequence parameters read; those of interest are shorter. */
const maxParameters = 64
const pasteMode = "2004"

export const make = (): TerminalText => {
  let place: Place = "text"
  let parameters = ""
  let marksPastes = false

  const endControlSequence = (final: string) => {
    const [first = "", ...others] = parameters.split(";")
    const modes = first.startsWith("?") ? [first.slice(1), ...others] : []
    if (modes.includes(pasteMode) && (final === "h" || final === "l")) marksPastes = final === "h"
  }

  /** The state after a character that is neither a control character nor beyond ASCII. */
  const placeAfter = (code: number): Place => {
    switch (place) {
      case "escape":
        return placeAfterEscape(code)
      case "middle":
        return code < 0x30 ? "middle" : "text"
      case "csi":
        if (code < 0x40) {
          if (parameters.length < maxParameters) parameters += String.fromCharCode(code)
          return "csi"
        }
        endControlSequence(String.fromCharCode(code))
        return "text"
      default:
        return place
    }
  }

  const enter = (next: Place): false => {
    place = next
    return false
  }
  const begin = (next: Place): false => {
    parameters = ""
    return enter(next)
  }

  /** Consumes a character; true if it is text. */
  const pass = (code: number): boolean => {
    if (code === escape) return begin("escape")
    if (givesUp(code)) return enter("text")
    if (place === "string" || place === "osc") {
      return code === 0x9c || (code === bel && place === "osc") ? enter("text") : false
    }
    if (isHighControl(code)) return begin(placeAfterHighControl(code))
    // Inside a sequence these act as they do outside.
    if (isControl(code)) return isKept(code)
    if (code < 0x80 && place !== "text") return enter(placeAfter(code))
    place = "text"
    return true
  }

  const feed = (piece: string): string => {
    let text = ""
    let from = 0
    for (let at = 0; at < piece.length; at += 1) {
      const code = piece.charCodeAt(at)
      if ((place === "text" && !isControl(code)) || pass(code)) continue
      text += piece.slice(from, at)
      from = at + 1
    }
    return text + piece.slice(from)
  }

  return { feed, marksPastes: () => marksPastes }
}
