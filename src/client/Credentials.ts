/**
 * Credentials: the token or ticket of a connection. A function is called before each connection, because a ticket works once,
 * and a token may have been replaced while the network was down.
 */

/** If it fails, the attempt fails and it is called again for the next one; a `RelayError` gives up. */
export type Ask = () => string | Promise<string>

/** Fields of the handshake, or functions that give them. */
export interface Given {
  readonly token?: string | null | Ask | undefined
  readonly ticket?: string | null | Ask | undefined
}

interface Shown {
  readonly token?: string | null | undefined
  readonly ticket?: string | null | undefined
}

export interface Credentials {
  /** Calls the functions; undefined if there are none. */
  readonly renew: () => Promise<void> | undefined
  readonly current: () => Shown
}

export const make = ({ ticket, token }: Given): Credentials => {
  if (typeof token !== "function" && typeof ticket !== "function") {
    return { renew: () => undefined, current: () => ({ ticket, token }) }
  }
  let shown: Shown = {}
  const renew = async () => {
    const [newTicket, newToken] = await Promise.all([answerOf(ticket), answerOf(token)])
    shown = { ticket: newTicket, token: newToken }
  }
  return { renew, current: () => shown }
}

/** Turns a synchronous exception into a failed promise. */
const answerOf = async (given: Given["token"]) => typeof given === "function" ? given() : given
