/**
 * RefusedOrigins: logs origins that were refused, once each, with the flag that would allow them. Browsers hide the reason
 * from the page, so the log is where an operator finds it.
 */
import type { ForbiddenOrigin } from "../services/access/Auth.js"

/** How many origins are remembered, so that made-up ones cannot fill the log. */
const most = 100

export interface RefusedOrigins {
  /** The text to log; undefined if this origin was logged before. */
  readonly newsOf: (refusal: ForbiddenOrigin) => string | undefined
}

export const make = (): RefusedOrigins => {
  const told = new Set<string>()
  return {
    newsOf: ({ message }) => {
      if (told.has(message) || told.size >= most) return undefined
      told.add(message)
      return `refused: ${message}`
    }
  }
}
