/**
 * parseFields: the JSON object in a text frame.
 *
 * Clients' objects are passed on to agents, so one that could do harm on the way is refused; `oddity` says why.
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

/** The object; undefined if the frame is something else. */
export const parseFields = (frame: string): Fields | undefined => {
  const value = startsObject.test(frame) ? parseJson(frame) : undefined
  return isFields(value) ? value : undefined
}

/** Agents' parsers stop at little more, and writing JSON of some thousand levels overflows our stack. */
export const defaultLevels = 100

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
/** Past the string that begins at `start`. */
const skipString = (text: string, start: number): number => {
  for (let end = text.indexOf("\"", start + 1); end !== -1; end = text.indexOf("\"", end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes += 1
    if (slashes % 2 === 0) return end + 1
  }
  return text.length
}

/** Limits on an object: levels of nesting, and values in total, which are fields and items of lists. */
export interface JsonBounds {
  readonly levels: number
  readonly values: number
}

/** An edit of a hundred places has some hundreds; a million take seconds to go through. */
export const defaultBounds: JsonBounds = { levels: defaultLevels, values: 20_000 }

interface Extent {
  readonly levels: number
  readonly values: number
  readonly isClosed: boolean
}

/**
 * How far a text that begins as an object goes. Found out before it is parsed: a megabyte of brackets takes the parser
 * seconds and a hundred times the memory.
 */
const extentOf = (frame: string): Extent => {
  let depth = 0
  let levels = 0
  let values = 0
  for (let at = 0; at < frame.length;) {
    const code = frame.charCodeAt(at)
    if (code === quote) {
      at = skipString(frame, at)
      continue
    }
    // [ { and ] }
    if (code === 0x5b || code === 0x7b) {
      depth += 1
      values += 1
      if (depth > levels) levels = depth
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1
      if (depth === 0) return { levels, values, isClosed: true }
    } else if (code === comma) values += 1
    at += 1
  }
  return { levels, values, isClosed: false }
}

export const isTooDeep = (frame: string, levels: number): boolean => {
  if (!startsObject.test(frame)) return false
  const extent = extentOf(frame)
  return extent.isClosed && extent.levels > levels
}

export const tooDeep = (levels: number, what = "frame") =>
  `the ${what} is nested too deeply: use at most ${levels} levels`

/** Why a text, called `what` here, is beyond the bounds; undefined if it is not. */
const beyond = ({ levels, values }: Extent, bounds: JsonBounds, what: string): string | undefined =>
  levels > bounds.levels
    ? tooDeep(bounds.levels, what)
    : values > bounds.values
    ? `the ${what} contains too many values: use at most ${bounds.values}`
    : undefined

/** Limits on what other protocols send, which repeat whole conversations. */
const generousBounds: JsonBounds = { levels: 1000, values: 200_000 }

/** Why a text must not be given to the parser, be it JSON or not; undefined if it may. */
export const excessOf = (text: string): string | undefined => beyond(extentOf(text), generousBounds, "JSON")

/**
 * The JSON object in a text frame; undefined if the frame is something else; an error text if it exceeds the limits. A text
 * with unclosed brackets is not JSON and is not given to the parser.
 */
export const parseBounded = (frame: string, bounds: JsonBounds): Fields | string | undefined => {
  if (!startsObject.test(frame)) return undefined
  const extent = extentOf(frame)
  return extent.isClosed ? beyond(extent, bounds, "frame") ?? parseFields(frame) : undefined
}

/** Why an object must not be passed on; undefined if it may. Copying a `__proto__` would change the copy's prototype. */
export const oddity = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  if (Object.hasOwn(value, "__proto__")) return "`__proto__` cannot be the name of a field: leave it out"
  for (const inner of Object.values(value)) {
    const found = oddity(inner)
    if (found !== undefined) return found
  }
  return undefined
}
