/**
 * Tickets: each lets one connection in, once, within half a minute.
 *
 * For pages whose server holds the token: it asks for a ticket and hands that on, so that the token never reaches a
 * browser. Only a ticket's digest is kept, and only so many wait to be used.
 */
import { createHash, randomBytes } from "node:crypto"

export interface Tickets<Owner> {
  /** A new one; undefined when too many are out. */
  readonly give: (now: number, owner: Owner) => string | undefined
  /** Whose it is, once for each that was given and is not too old. */
  readonly take: (ticket: string, now: number) => Owner | undefined
}

export const validForSeconds = 30
const most = 1000

const digest = (ticket: string) => createHash("sha256").update(ticket).digest("base64")

export const make = <Owner>(): Tickets<Owner> => {
  /** When each ends, in ms, and whose it is; the oldest first. */
  const given = new Map<string, { readonly end: number; readonly owner: Owner }>()

  const give = (now: number, owner: Owner) => {
    for (const [ticket, { end }] of given) {
      if (end > now) break
      given.delete(ticket)
    }
    if (given.size >= most) return undefined
    const ticket = randomBytes(32).toString("base64url")
    given.set(digest(ticket), { end: now + validForSeconds * 1000, owner })
    return ticket
  }

  const take = (ticket: string, now: number) => {
    const key = digest(ticket)
    const found = given.get(key)
    given.delete(key)
    return found !== undefined && now < found.end ? found.owner : undefined
  }

  return { give, take }
}
