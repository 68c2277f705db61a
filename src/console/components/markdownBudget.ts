/**
 * markdownBudget: how much of a text may be rendered as Markdown. Markdown parsers are inherently slow on
 * some texts (each star may match any other) and recursive on others (each `>` is a level). An agent can
 * write anything, and the page must stay responsive. Text beyond the budget is shown as plain text.
 *
 * Costs are milliseconds on a slow machine, measured for each kind with texts of 2 to 10 KB. Doubtful cases
 * count as the more expensive one: the parser must never see more structure than is counted here.
 */

/** For a whole text, and the deepest nesting. */
const budget = 450
const deepest = 10
/** Whatever the cost. */
const mostChars = 150_000
const mostInLine = 20_000
const mostTags = 150
const deepestTags = 20

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0

/** Markers that open a level at the start of a line. Each level of a list is at least two blanks wide. */
const prefix = /^(?:[ \t]*(?:>|[-*+](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$)))*[ \t]*/
const levelsOf = (line: string): number => {
  const start = prefix.exec(line)?.[0] ?? ""
  const signs = count(start, />|[-*+]|\d+[.)]/g)
  const indent = (/^[ \t]*/.exec(start)?.[0] ?? "").replaceAll("\t", "    ").length
  return signs === 0 ? 0 : signs + Math.floor(indent / 2)
}

/** A line that begins a block of its own. */
const structure = /^[ \t]*(?:>|[-*+](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$)|#{1,6}(?:[ \t]|$)|[|<=_*-]|\[)/
/** These end a paragraph, wherever they are. */
const breaksParagraph = /^ {0,3}(?:#{1,6}[ \t]|[-*+][ \t]+\S)/
const delimiterRow = /^[ \t|:-]*-[ \t|:-]*$/

/** Markers that may match any other in their paragraph. */
interface Marks {
  brackets: number
  emphasis: number
}

const quadratic = ({ brackets, emphasis }: Marks): number => 0.0007 * brackets ** 2 + 0.0002 * emphasis ** 2

/** A line's cost regardless of context. */
const linear = (line: string): number =>
  0.003 * line.length
  + 0.3 * count(line, /[[\]!<|]/g)
  + 0.12 * count(line, /[*_~`]/g)
  + 0.02 * count(line, /[&\\]/g)
  + (structure.test(line) ? 0.7 : 0)

const fence = /^(`{3,})[^`]*$|^(~{3,})/
const closes = (line: string, open: string) =>
  new RegExp(`^ {0,3}\\${open[0]}{${open.length},}[ \\t]*$`).test(line)
/** After these, HTML may contain anything, including fences, for more than a paragraph. */
const openHtml = /^[\s>*+\-\d.)]*<(?:pre|script|style|textarea|[!?])/i

/** Upper limit of elements open at once: a closing tag may have closed another element. */
const voids = /^(?:br|hr|img|input|wbr|col|source)$/i

class Tags {
  private total = 0
  private readonly open = new Map<string, number>()
  /** False if there are too many. */
  fit(line: string): boolean {
    for (const [, slash, name = ""] of line.matchAll(/<(\/?)([a-zA-Z][\w-]*)/g)) {
      if (++this.total > mostTags) return false
      if (voids.test(name)) continue
      const key = name.toLowerCase()
      const depth = (this.open.get(key) ?? 0) + (slash === "/" ? -1 : 1)
      this.open.set(key, Math.max(0, depth))
    }
    return [...this.open.values()].reduce((sum, depth) => sum + depth, 0) <= deepestTags
  }
}

export interface Split {
  readonly rich: string
  /** Empty for almost every text. */
  readonly plain: string
}

/** Splits at the last blank line up to which everything is within the budget. */
export const splitMarkdown = (text: string): Split => {
  const tags = new Tags()
  let spent = 0
  let marks: Marks = { brackets: 0, emphasis: 0 }
  let rows = 0
  let isTable = false
  let hasHtml = false
  let anything = false
  let open: string | undefined
  let cut = 0
  let at = 0

  const endParagraph = () => {
    spent += quadratic(marks) + (rows > 0 ? 0.7 : 0)
    marks = { brackets: 0, emphasis: 0 }
    rows = 0
    isTable = false
  }

  /** False if it is too much. */
  const take = (line: string): boolean => {
    if (open !== undefined) {
      spent += 0.004 * line.length
      if (closes(line, open)) open = undefined
      return tags.fit(anything ? line : "")
    }
    if (line.trim() === "") {
      endParagraph()
      hasHtml = false
      return true
    }
    if (openHtml.test(line)) anything = true
    const opened = anything || hasHtml ? undefined : fence.exec(line)
    if (opened?.[0] !== undefined) {
      endParagraph()
      open = opened[1] ?? opened[2] ?? "```"
      spent += 1
      return true
    }
    if (/^[ \t]*</.test(line)) hasHtml = true
    if (breaksParagraph.test(line)) endParagraph()
    rows += 1
    if (rows === 2 && delimiterRow.test(line)) isTable = true
    const mine = { brackets: count(line, /[[\]!<]/g), emphasis: count(line, /[*_~`]/g) }
    if (isTable) spent += quadratic(mine)
    else {
      marks.brackets += mine.brackets
      marks.emphasis += mine.emphasis
    }
    const levels = levelsOf(line)
    spent += linear(line) + 0.08 * levels ** 2
    return levels <= deepest && tags.fit(line)
  }

  while (at < text.length && at < mostChars) {
    const end = text.indexOf("\n", at)
    const line = text.slice(at, end === -1 ? text.length : end)
    if (line.trim() === "" && open === undefined) cut = at
    if (line.length > mostInLine || !take(line) || spent + quadratic(marks) > budget) {
      return { rich: text.slice(0, cut), plain: text.slice(cut) }
    }
    at = end === -1 ? text.length : end + 1
  }
  return at < text.length ? { rich: text.slice(0, cut), plain: text.slice(cut) } : { rich: text, plain: "" }
}
