/** findIn: where words stand in what was said, and the lines around them. */
import type { Said } from "./said.js"
import { parse } from "./SaidFile.js"

export interface Hit extends Said {
  /** Some words around the first that was found; `…` where it is cut. */
  readonly text: string
}

/** Hits of one session, characters around them. */
const mostHits = 3
const before = 60
const after = 140

/** Words of a query and their bounds: all of them must be in a session, in any order, as parts of words, in any case. */
export const wordsOf = (query: string): ReadonlyArray<string> =>
  [
    ...new Set(query.slice(0, 200).toLowerCase().split(/\s+/).filter((word) => word !== ""))
  ].slice(0, 10)

/** As they stand in a line of JSON. */
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

/** Undefined: not all words are in it. The lines that have most of them, the latest first. */
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
  // It was a name or a number of the line itself that was found.
  if (all.size < words.length) return undefined
  return found
    .toSorted((left, right) => right.count - left.count || right.said.seq - left.said.seq)
    .slice(0, mostHits)
    .map(({ said }) => toHit(said, words))
}
