/**
 * parseFields: the JSON object in a text frame.
 *
 * What a client sends is passed on to agents, so an object that would harm on its way is refused: `oddity` says why.
 */

export type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const startsObject = /^\s*\{/

/** Undefined when the frame is something else. */
export const parseFields = (frame: string): Fields | undefined => {
  const value = startsObject.test(frame) ? parseJson(frame) : undefined
  return isFields(value) ? value : undefined
}

/** Agents' parsers stop at little more, and writing JSON of some thousand levels overflows our stack. */
export const defaultLevels = 100

const quote = 0x22
const backslash = 0x5c
const opening = new Set([0x5b, 0x7b])
const closing = new Set([0x5d, 0x7d])

/** Past the string that begins at `start`. */
const skipString = (text: string, start: number): number => {
  for (let end = text.indexOf("\"", start + 1); end !== -1; end = text.indexOf("\"", end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes += 1
    if (slashes % 2 === 0) return end + 1
  }
  return text.length
}

/**
 * Is it a JSON object with more than so many levels? Found out before it is parsed: a megabyte of brackets takes the
 * parser seconds and a hundred times the memory.
 */
export const isTooDeep = (frame: string, levels: number): boolean => {
  if (!startsObject.test(frame)) return false
  let depth = 0
  let deepest = 0
  for (let at = 0; at < frame.length;) {
    const code = frame.charCodeAt(at)
    if (code === quote) {
      at = skipString(frame, at)
      continue
    }
    if (opening.has(code)) deepest = Math.max(deepest, ++depth)
    if (closing.has(code) && --depth === 0) return deepest > levels
    at += 1
  }
  // What is not closed is no JSON.
  return false
}

export const tooDeep = (levels: number) => `the frame is nested too deeply: use at most ${levels} levels`

/** What makes an object unfit to be passed on. Copying a `__proto__` would give the copy another prototype. */
export const oddity = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  if (Object.hasOwn(value, "__proto__")) return "`__proto__` cannot be the name of a field: leave it out"
  for (const inner of Object.values(value)) {
    const found = oddity(inner)
    if (found !== undefined) return found
  }
  return undefined
}
