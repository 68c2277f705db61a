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

/** Undefined when the frame is something else. */
export const parseFields = (frame: string): Fields | undefined => {
  const value = parseJson(frame)
  return isFields(value) ? value : undefined
}

/** Agents' parsers stop at little more, and writing JSON of some thousand levels overflows our stack. */
const levels = 100

/** What makes an object unfit to be passed on. Copying a `__proto__` would give the copy another prototype. */
export const oddity = (value: unknown, depth = 0): string | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  if (depth === levels) return `the frame is nested too deeply: use at most ${levels} levels`
  if (Object.hasOwn(value, "__proto__")) return "`__proto__` cannot be the name of a field: leave it out"
  for (const inner of Object.values(value)) {
    const found = oddity(inner, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
