/**
 * Credentials: what a connection shows the relay. What is given as a function is asked for anew before each connection: a
 * ticket lets in once, and a token may have been replaced while the network was gone.
 */

/** When it fails, so has the attempt, and it is asked again with the next one; a `RelayError` gives up. */
export type Ask = () => string | Promise<string>

/** Fields of the handshake, or what gives them. */
export interface Given {
  readonly token?: string | null | Ask | undefined
  readonly ticket?: string | null | Ask | undefined
}

interface Shown {
  readonly token?: string | null | undefined
  readonly ticket?: string | null | undefined
}

export interface Credentials {
  /** Undefined when there is nothing to ask for. */
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

/** What it throws at once is a failed promise, too. */
const answerOf = async (given: Given["token"]) => typeof given === "function" ? given() : given
