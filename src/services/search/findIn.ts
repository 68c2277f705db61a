/** findIn: finds words in a session's text, with some context. */
import type { Said } from "./said.js"
import { parse } from "./SaidFile.js"

export interface Hit extends Said {
  /** Text around the first match, with `…` where it is cut. */
  readonly text: string
}

/** Most hits per session, and characters of context. */
const mostHits = 3
const before = 60
const after = 140

/** The words of a query. A session must contain all of them, in any order and case, even as parts of words. */
export const wordsOf = (query: string): ReadonlyArray<string> =>
  [
    ...new Set(query.slice(0, 200).toLowerCase().split(/\s+/).filter((word) => word !== ""))
  ].slice(0, 10)

/** A word as it appears in JSON. */
const escaped = (word: string): string => JSON.stringify(word).slice(1, -1).toLowerCase()

const excerpt = (text: string, at: number): string => {
  const from = Math.max(0, at - before)
  const to = Math.min(text.length, at + after)
  const cut = text.slice(from, to).replaceAll(/\s+/g, " ").trim()
  return `${from > 0 ? "…" : ""}${cut}${to < text.length ? "…" : ""}`
}

const toHit = ({ text, ...said }: Said, words: ReadonlyArray<string>): Hit => {
  const lower = text.toLowerCase()
  const places = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0)
  return { ...said, text: excerpt(text, Math.min(...places)) }
}

interface Counted {
  readonly said: Said
  readonly count: number
}
const byCount = (left: Counted, right: Counted) => right.count - left.count || right.said.seq - left.said.seq

/** The lines with the most matching words, latest first. Undefined: not all words are in the text. Reads few of many that match. */
export const findIn = (text: string, words: ReadonlyArray<string>): ReadonlyArray<Hit> | undefined => {
  const needles = words.map(escaped)
  const lower = text.toLowerCase()
  if (!needles.every((needle) => lower.includes(needle))) return undefined
  const missing = new Set(words)
  let best: ReadonlyArray<Counted> = []
  const lines = text.split("\n")
  for (let index = lines.length - 1; index >= 0; index--) {
    const line = (lines[index] ?? "").toLowerCase()
    const least = best.length < mostHits ? 0 : best.at(-1)?.count ?? 0
    if (missing.size === 0 && least === words.length) break
    const mayBe = words.filter((_, at) => line.includes(needles[at] ?? ""))
    if (mayBe.length <= least && !mayBe.some((word) => missing.has(word))) continue
    for (const said of parse(lines[index] ?? "")) {
      // The match may be a field name or number of the line itself.
      const found = mayBe.filter((word) => said.text.toLowerCase().includes(word))
      for (const word of found) missing.delete(word)
      const count = found.length
      if (count > 0) best = [...best, { said, count }].toSorted(byCount).slice(0, mostHits)
    }
  }
  return missing.size > 0 ? undefined : best.map(({ said }) => toHit(said, words))
}
