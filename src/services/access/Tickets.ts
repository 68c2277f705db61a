/**
 * Tickets: each allows one connection within half a minute.
 *
 * They are for pages whose server has the token: it requests a ticket and passes it on, so that the token never reaches a
 * browser. Only digests of tickets are stored, and the number of unused ones is limited.
 */
import { createHash, randomBytes } from "node:crypto"

export interface Tickets<Owner> {
  /** A new ticket; undefined if too many are unused, in all or of the same holder. */
  readonly give: (now: number, owner: Owner, holder?: string) => string | undefined
  /** Redeems a ticket: its owner, once, if it is not too old. */
  readonly take: (ticket: string, now: number) => Owner | undefined
}

export const validForSeconds = 30
/** Most that are unused: of one holder, who must not keep others from getting theirs, and in all. */
const most = { ofOne: 1000, ofAll: 10_000 } as const

const digest = (ticket: string) => createHash("sha256").update(ticket).digest("base64")

export const make = <Owner>(): Tickets<Owner> => {
  /** Expiry in ms and owner of each, oldest first. */
  const given = new Map<string, { readonly end: number; readonly owner: Owner; readonly holder: string }>()

  const give = (now: number, owner: Owner, holder = "") => {
    for (const [ticket, { end }] of given) {
      if (end > now) break
      given.delete(ticket)
    }
    let own = 0
    for (const other of given.values()) if (other.holder === holder) own += 1
    if (own >= most.ofOne || given.size >= most.ofAll) return undefined
    const ticket = randomBytes(32).toString("base64url")
    given.set(digest(ticket), { end: now + validForSeconds * 1000, owner, holder })
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
