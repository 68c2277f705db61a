/**
 * hiddenChars: finds characters that are invisible or change how other text looks: control characters,
 * direction marks, zero-width characters, unusual spaces, long runs of blanks, stacked accents. Each is
 * named, so that a person reads exactly what a program will get.
 */

/** Verbatim text, or the name of a hidden character. */
export type Piece = string | { readonly hidden: string }

/** Longest run of blanks that still looks like one. Indentation may be wider. */
const mostBlanks = 20
const mostIndent = 120

const names: Readonly<Record<number, string>> = {
  0x00: "NUL",
  0x07: "BEL",
  0x08: "BACKSPACE",
  0x0b: "VT",
  0x0c: "FF",
  0x0d: "CR",
  0x1b: "ESC",
  0x7f: "DEL",
  0x9b: "CSI",
  0x9d: "OSC",
  0xa0: "NBSP",
  0xad: "SOFT HYPHEN",
  0x200b: "ZERO WIDTH SPACE",
  0x200c: "ZWNJ",
  0x200d: "ZWJ",
  0x200e: "LTR MARK",
  0x200f: "RTL MARK",
  0x2028: "LINE SEPARATOR",
  0x2029: "PARAGRAPH SEPARATOR",
  0x202a: "LTR EMBEDDING",
  0x202b: "RTL EMBEDDING",
  0x202c: "POP DIRECTION",
  0x202d: "LTR OVERRIDE",
  0x202e: "RTL OVERRIDE",
  0x2060: "WORD JOINER",
  0x2066: "LTR ISOLATE",
  0x2067: "RTL ISOLATE",
  0x2068: "FIRST STRONG ISOLATE",
  0x2069: "POP ISOLATE",
  0xfeff: "BOM"
}

const nameOf = (char: string): string => {
  const code = char.codePointAt(0) ?? 0
  const number = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`
  const name = names[code]
  return name === undefined ? number : `${number} ${name}`
}

/**
 * In this order: emoji with their modifiers (shown as they are), runs of blanks, more than three marks above
 * a letter, and everything without a glyph of its own. Cf, Zl, Zp, Zs, Cc, Cs, Co and Cn are the Unicode
 * classes of such characters; the rest of the list are letters and marks that are drawn as nothing.
 */
const found = new RegExp(
  [
    "(?<emoji>\\p{Extended_Pictographic}\\p{Emoji_Modifier}?\\ufe0f?(?:\\u200d\\p{Extended_Pictographic}\\p{Emoji_Modifier}?\\ufe0f?)*|[0-9#*]\\ufe0f\\u20e3)",
    `(?<blanks>[ \\t]{${mostBlanks + 1},})`,
    "(?<marks>(?<=\\p{M}{3})\\p{M}+)",
    "(?<hidden>[^\\P{C}\\n\\t]|[^\\P{Z} ]|[\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u3164\\uffa0\\u2800\\ufe00-\\ufe0f\\u{1d159}\\u{e0100}-\\u{e01ef}])"
  ].join("|"),
  "gu"
)

const isIndent = (text: string, at: number, length: number) =>
  length <= mostIndent && (at === 0 || text[at - 1] === "\n")

/** A text, split at hidden characters. Neighbours of the same name are counted, not repeated. */
export const piecesOf = (text: string): ReadonlyArray<Piece> => {
  const pieces: Array<Piece> = []
  let from = 0
  let name = ""
  let count = 0
  const flush = () => {
    if (count > 0) pieces.push({ hidden: count === 1 ? name : `${name} ×${count}` })
    count = 0
  }
  for (const match of text.matchAll(found)) {
    const { blanks, emoji, marks } = match.groups ?? {}
    if (emoji !== undefined) continue
    if (blanks !== undefined && isIndent(text, match.index, blanks.length)) continue
    const mine = blanks !== undefined
      ? `${blanks.length} blanks`
      : marks !== undefined
      ? `${[...marks].length} accents`
      : nameOf(match[0])
    if (match.index > from || mine !== name) flush()
    if (match.index > from) pieces.push(text.slice(from, match.index))
    from = match.index + match[0].length
    name = mine
    count += 1
  }
  flush()
  if (from < text.length) pieces.push(text.slice(from))
  return pieces
}

export const hidesSomething = (text: string): boolean =>
  piecesOf(text).some((piece) => typeof piece !== "string")

/** On one line as plain text, with hidden characters by name in brackets. */
export const inOneLine = (text: string): string =>
  piecesOf(text).map((piece) =>
    typeof piece === "string" ? piece.replaceAll(/[\n\t]+/g, " ⏎ ") : `[${piece.hidden}]`
  )
    .join("")
