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

const countIn = (text: string, words: ReadonlyArray<string>) =>
  words.filter((word) => text.includes(word)).length

const toHit = ({ text, ...said }: Said, words: ReadonlyArray<string>): Hit => {
  const lower = text.toLowerCase()
  const places = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0)
  return { ...said, text: excerpt(text, Math.min(...places)) }
}

/** The lines with the most matching words, latest first. Undefined: not all words are in the text. */
export const findIn = (text: string, words: ReadonlyArray<string>): ReadonlyArray<Hit> | undefined => {
  const lower = text.toLowerCase()
  const needles = words.map(escaped)
  if (!needles.every((needle) => lower.includes(needle))) return undefined
  const found = parse(text)
    .map((said) => ({ said, count: countIn(said.text.toLowerCase(), words) }))
    .filter(({ count }) => count > 0)
  const all = new Set(
    found.flatMap(({ said }) => words.filter((word) => said.text.toLowerCase().includes(word)))
  )
  // The match was a field name or number of the line itself.
  if (all.size < words.length) return undefined
  return found
    .toSorted((left, right) => right.count - left.count || right.said.seq - left.said.seq)
    .slice(0, mostHits)
    .map(({ said }) => toHit(said, words))
}
