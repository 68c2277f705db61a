/**
 * RefusedOrigins: pages that may not use the relay are told so only in a way their browser keeps from them; so the relay's log has
 * it, once for each origin, with the flag that would let them in.
 */
import type { ForbiddenOrigin } from "../services/access/Auth.js"

/** Origins that are remembered: made-up ones fill no log. */
const most = 100

export interface RefusedOrigins {
  /** What to log, if it was not logged before. */
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
