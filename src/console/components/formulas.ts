/**
 * formulas: finds formulas in Markdown (`\(…\)`, `\[…\]`, `$$…$$`, and `$…$` if it is clearly a formula:
 * prices, shells and templates use dollars too) and passes them through the Markdown parser as inline code,
 * which it leaves unchanged, even in tables. Code is left alone. Anything not closed (yet) and anything that
 * is not a formula stays text.
 */

export interface Formula {
  /** With its delimiters, as written. */
  readonly source: string
  readonly tex: string
  /** On a line of its own. */
  readonly display: boolean
}

/** Begins inline code that is a formula. A private-use character: text that already contains it gets no formulas. */
const mark = "\u{e0f0}"
/** Longest formula, and longest formula between single dollars, in characters. */
const longest = 4000
const longestInline = 300
/** Most characters before a formula that is alone on its line. */
const mostIndent = 80

const carried = (source: string, display: boolean): string =>
  `\`${mark}${display ? "d" : "i"}${encodeURIComponent(source)}\``

const texOf = (source: string): string => {
  const length = source.startsWith("$") && !source.startsWith("$$") ? 1 : 2
  return source.slice(length, -length).trim()
}

/** The formula in inline code; undefined: it is code. */
export const formulaIn = (code: string): Formula | undefined => {
  if (!code.startsWith(mark)) return undefined
  const source = decodeURIComponent(code.slice(2))
  return { source, tex: texOf(source), display: code[1] === "d" }
}

// --- what is code ------------------------------------------------------------------------------------------------------

interface Part {
  readonly text: string
  readonly isCode: boolean
}

const fence = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`]*$)|~{3,})/
const listItem = /^[ \t>]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/
/** HTML is not parsed as Markdown until an empty line. */
const htmlLine = /^[ \t>]*<[a-zA-Z!/?]/

/** Code by lines: fences, indented code and HTML. */
const partsOf = (text: string): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  let open: string | undefined
  let html = false
  let inList = false
  let blank = true
  let indented = false
  let from = 0
  let isCode = false
  const cut = (at: number, next: boolean) => {
    if (next === isCode) return
    if (at > from) parts.push({ text: text.slice(from, at), isCode })
    from = at
    isCode = next
  }
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf("\n", at)
    const end = newline === -1 ? text.length : newline + 1
    const line = text.slice(at, newline === -1 ? end : newline)
    const isBlank = line.trim() === ""
    if (open !== undefined) {
      const closing = /^[ \t>]*(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1]
      if (closing?.startsWith(open)) open = undefined
      cut(at, true)
    } else {
      open = fence.exec(line)?.[1]
      if (isBlank) html = false
      else if (htmlLine.test(line)) html = true
      const isDeep = /^(?: {4}|\t| {1,3}\t)/.test(line)
      if (listItem.test(line)) inList = true
      else if (!isBlank && !/^[ \t]/.test(line)) inList = false
      indented = !isBlank && isDeep && !inList && (blank || indented)
      cut(at, open !== undefined || html || indented)
    }
    blank = isBlank
    at = end
  }
  if (text.length > from) parts.push({ text: text.slice(from), isCode })
  return parts
}

// --- what is a formula -------------------------------------------------------------------------------------------------

const command = /\\(?:[a-zA-Z]+|[{}|,;:!])/
/** More than one word, and not the text of a command. */
const prose = /[A-Za-z]{4,}[,.;:]?\s+[A-Za-z]{2,}|[A-Za-z]{2,}\s+[A-Za-z]{4,}/
const signs = /[\^_=<>+*/|!~≤≥≠≈±×÷·∈∑∏∫√∞→-]/
/** A letter or two, a number, a function of something, or a tuple. */
const plain = /^(?:[A-Za-zα-ωΑ-Ω]{1,2}'*|-?\d+(?:[.,]\d+)?%?|[A-Za-z]{0,3}\([\w\s,.+-]{1,40}\))$/

const isClearlyMaths = (tex: string): boolean => {
  if (command.test(tex)) return true
  return !prose.test(tex) && (signs.test(tex) || plain.test(tex))
}

/** Position of the next match; called with growing positions, so that the text is read once. */
const finder = (text: string, what: string) => {
  let found = -2
  return (from: number): number => {
    if (found !== -1 && found < from) found = text.indexOf(what, from)
    return found
  }
}

interface Found {
  readonly end: number
  /** Undefined: it is closed, but not a formula. */
  readonly display?: boolean
}

/** Nothing else is on its lines, except quote or list markers. */
const isAlone = (text: string, at: number, end: number): boolean => {
  const before = /(?:^|\n)([^\n]*)$/.exec(text.slice(Math.max(0, at - mostIndent), at))?.[1] ?? ""
  const after = text.slice(end, end + mostIndent).split("\n", 1)[0] ?? ""
  return before.length < mostIndent && /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?$/.test(before)
    && /^[ \t]*[.,;:]?[ \t]*$/.test(after)
}

const look = (text: string) => {
  const round = finder(text, "\\)")
  const square = finder(text, "\\]")
  const dollars = finder(text, "$$")

  const inBrackets = (at: number, close: (from: number) => number): Found | undefined => {
    const end = close(at + 2)
    if (end === -1 || end - at > longest) return undefined
    const inner = text.slice(at + 2, end)
    if (inner.trim() === "" || /\\[([]/.test(inner.replaceAll("\\\\", ""))) return undefined
    const isDisplay = text[at + 1] === "["
    // `\[x\]` is Markdown for brackets that are no link.
    if (isDisplay && !/^\s|\s$/.test(inner) && !signs.test(inner) && !command.test(inner)) {
      return { end: end + 2 }
    }
    return !isDisplay && /\n[ \t]*\n/.test(inner) ? undefined : { end: end + 2, display: isDisplay }
  }

  const inTwoDollars = (at: number): Found | undefined => {
    const close = dollars(at + 2)
    if (close === -1 || close - at > longest) return undefined
    const end = close + 2
    const inner = text.slice(at + 2, close)
    if (inner.trim() === "" || text[end] === "$" || inner.startsWith("$")) return undefined
    if (isAlone(text, at, end)) return { end, display: true }
    return inner.length > longestInline || /^\s|\s$|\n/.test(inner) || !isClearlyMaths(inner)
      ? undefined
      : { end, display: false }
  }

  const inOneDollar = (at: number): Found | undefined => {
    if (/[A-Za-z0-9$\\/.}%&#@+=)\]]/.test(text[at - 1] ?? " ")) return undefined
    const [found, inner = ""] = /^\$((?:[^$\\\n]|\\[^\n])+)\$/.exec(text.slice(at, at + longestInline)) ?? []
    if (found === undefined || /^\s|\s$/.test(inner)) return undefined
    const end = at + found.length
    const next = text[end] ?? " "
    return /[A-Za-z0-9${(/_]/.test(next) || !isClearlyMaths(inner) ? undefined : { end, display: false }
  }

  return (at: number): Found | undefined => {
    const two = text.slice(at, at + 2)
    return two === "\\("
      ? inBrackets(at, round)
      : two === "\\["
      ? inBrackets(at, square)
      : two === "$$"
      ? inTwoDollars(at)
      : two.startsWith("$")
      ? inOneDollar(at)
      : undefined
  }
}

/** Where inline code beginning here ends; if nothing closes it, the backticks are text. */
const codeEnds = (text: string) => {
  const runs = new Map<number, { readonly places: Array<number>; next: number }>()
  for (const { 0: run, index } of text.matchAll(/`+/g)) {
    const same = runs.get(run.length)
    if (same === undefined) runs.set(run.length, { places: [index], next: 0 })
    else same.places.push(index)
  }
  return (at: number): number => {
    let end = at
    while (text[end] === "`") end += 1
    const same = runs.get(end - at)
    if (same === undefined) return end
    while ((same.places[same.next] ?? Infinity) <= at) same.next += 1
    const close = same.places[same.next]
    return close === undefined ? end : close + end - at
  }
}

const inProse = (text: string): string => {
  const formulaAt = look(text)
  const codeEnd = codeEnds(text)
  const out: Array<string> = []
  let from = 0
  const sign = /[`\\$]/g
  for (let at = 0;;) {
    sign.lastIndex = at
    const found = sign.exec(text)
    if (found === null) break
    at = found.index
    if (found[0] === "`") {
      at = codeEnd(at)
      continue
    }
    const formula = formulaAt(at)
    if (formula !== undefined) {
      const { display, end } = formula
      // Next to a backtick, ours would become part of a longer run.
      if (display !== undefined && text[at - 1] !== "`" && text[end] !== "`") {
        out.push(text.slice(from, at), carried(text.slice(at, end), display))
        from = end
      }
      at = end
    } else if (found[0] === "\\") {
      // Markdown would remove the backslash.
      if (/[()[\]]/.test(text[at + 1] ?? "")) {
        out.push(text.slice(from, at), "\\")
        from = at
      }
      at += 2
    } else while (text[at] === "$") at += 1
  }
  out.push(text.slice(from))
  return out.join("")
}

/** Markdown with its formulas as inline code (`formulaIn`). */
export const markMaths = (text: string): string =>
  !/\\[()[\]]|\$/.test(text) || text.includes(mark) || /\p{Surrogate}/u.test(text)
    ? text
    : partsOf(text).map(({ isCode, text }) => isCode ? text : inProse(text)).join("")
