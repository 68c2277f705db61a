/**
 * Tickets: each lets one connection in, once, within half a minute.
 *
 * For pages whose server holds the token: it asks for a ticket and hands that on, so that the token never reaches a
 * browser. Only a ticket's digest is kept, and only so many wait to be used.
 */
import { createHash, randomBytes } from "node:crypto"

export interface Tickets {
  /** A new one; undefined when too many are out. */
  readonly give: (now: number) => string | undefined
  /** True once for each that was given and is not too old. */
  readonly take: (ticket: string, now: number) => boolean
}

export const validForSeconds = 30
const most = 1000

const digest = (ticket: string) => createHash("sha256").update(ticket).digest("base64")

export const make = (): Tickets => {
  /** When each ends, in ms; the oldest first. */
  const ends = new Map<string, number>()

  const give = (now: number) => {
    for (const [ticket, end] of ends) {
      if (end > now) break
      ends.delete(ticket)
    }
    if (ends.size >= most) return undefined
    const ticket = randomBytes(32).toString("base64url")
    ends.set(digest(ticket), now + validForSeconds * 1000)
    return ticket
  }

  const take = (ticket: string, now: number) => {
    const key = digest(ticket)
    const end = ends.get(key)
    ends.delete(key)
    return end !== undefined && now < end
  }

  return { give, take }
}
