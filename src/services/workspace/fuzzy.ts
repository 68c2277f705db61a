/**
 * fuzzy: finds files by words in their names, in any order and case, even by some letters of a word in order. Best matches first:
 * the whole name, its beginning, a part of it, a part of the path, then single letters.
 */

/** Paths, prepared for searching. */
export interface Searchable {
  readonly paths: ReadonlyArray<string>
  readonly lower: ReadonlyArray<string>
  /** Where the last part of each path begins. */
  readonly names: Int32Array
  /** The letters of each path, as a bit per letter or group of letters: it rules out most paths. */
  readonly letters: Int32Array
}

const bitOf = (code: number): number =>
  code >= 0x61 && code <= 0x7a
    ? 1 << (code - 0x61)
    : code >= 0x30 && code <= 0x39
    ? 1 << (26 + code % 5)
    : 1 << 31

const lettersIn = (text: string): number => {
  let bits = 0
  for (let at = 0; at < text.length; at++) bits |= bitOf(text.charCodeAt(at))
  return bits
}

export const prepare = (paths: ReadonlyArray<string>): Searchable => {
  const lower = paths.map((path) => path.toLowerCase())
  return {
    paths,
    lower,
    names: Int32Array.from(lower, (path) => path.lastIndexOf("/") + 1),
    letters: Int32Array.from(lower, lettersIn)
  }
}

const isWordStart = (text: string, at: number): boolean => at === 0 || !/[a-z0-9]/.test(text.charAt(at - 1))

/** Finds the letters in order, from `from` on; fewer gaps are better. -1: not found. */
const lettersOf = (text: string, word: string, from: number): number => {
  let at = from - 1
  let gaps = 0
  for (const letter of word) {
    const next = text.indexOf(letter, at + 1)
    if (next === -1) return -1
    if (at >= from && next > at + 1) gaps += 1
    at = next
  }
  return gaps
}

/** How well a word matches a lower-case path; 0: not at all. */
const scoreOf = (path: string, name: number, word: string): number => {
  const inName = path.indexOf(word, name)
  if (inName === name) {
    const after = name + word.length
    return after === path.length ? 1000 : path.charAt(after) === "." ? 950 : 900
  }
  if (inName !== -1) return isWordStart(path, inName) ? 800 : 700
  const anywhere = path.lastIndexOf(word)
  if (anywhere !== -1) return isWordStart(path, anywhere) ? 600 : 500
  const nameGaps = lettersOf(path, word, name)
  if (nameGaps !== -1) return Math.max(200, 400 - 20 * nameGaps)
  const gaps = lettersOf(path, word, 0)
  return gaps === -1 ? 0 : Math.max(1, 190 - 10 * gaps)
}

const wordsOf = (query: string) => query.toLowerCase().split(/\s+/).filter((word) => word !== "")

/** The best `limit` paths for a query's words; without words, the shortest paths. */
export const search = (
  { letters, lower, names, paths }: Searchable,
  query: string,
  limit: number
): ReadonlyArray<string> => {
  const words = wordsOf(query)
  const needed = lettersIn(words.join(""))
  const best: Array<{ readonly score: number; readonly path: string }> = []
  const isBetter = (score: number, path: string, than: { readonly score: number; readonly path: string }) =>
    score !== than.score
      ? score > than.score
      : path.length !== than.path.length
      ? path.length < than.path.length
      : path < than.path
  for (let index = 0; index < paths.length; index++) {
    if (((letters[index] ?? 0) & needed) !== needed) continue
    const text = lower[index] ?? ""
    let score = 0
    for (const word of words) {
      const one = scoreOf(text, names[index] ?? 0, word)
      if (one === 0) {
        score = -1
        break
      }
      score += one
    }
    if (score < 0) continue
    const path = paths[index] ?? ""
    const last = best.at(-1)
    if (best.length === limit && last !== undefined && !isBetter(score, path, last)) continue
    let low = 0
    let high = best.length
    while (low < high) {
      const middle = (low + high) >> 1
      const there = best[middle]
      if (there !== undefined && isBetter(score, path, there)) high = middle
      else low = middle + 1
    }
    best.splice(low, 0, { score, path })
    if (best.length > limit) best.pop()
  }
  return best.map(({ path }) => path)
}
