/**
 * unreachable: what to check if a relay was never reached. Browsers tell a page only that there is no connection, whether the
 * relay is down or refuses the page; so possible reasons are given, once also in the developer console.
 */
import type { Lost } from "./ReconnectingSocket.js"

const page: {
  readonly location?: { readonly protocol: string; readonly origin: string }
  readonly console?: { readonly warn: (text: string) => void }
} = globalThis

const isOfThisMachine = (host: string) => host === "localhost" || /^127\.|^\[::1\]$/.test(host)

export const unreachable = (url: string, reason: string, location = page.location): string => {
  const relay = new URL(url)
  const status = /\b(40[13]|503)\b/.exec(reason)?.[1]
  const isPage = location?.protocol.startsWith("http") === true
  const isOther = isPage && new URL(location.origin).host !== relay.host
  if (location?.protocol === "https:" && relay.protocol === "ws:" && !isOfThisMachine(relay.hostname)) {
    return `cannot reach ${url}: a page that came over https may only use wss:// addresses`
  }
  if (status === "403") {
    const flag = location === undefined ? "--allow-origin" : `--allow-origin ${location.origin}`
    return `the relay at ${url} does not allow this origin or host (HTTP 403): start it with ${flag}; its log says which`
  }
  return [
    `cannot reach ${url}`,
    status === undefined ? "" : ` (HTTP ${status})`,
    ": is the relay running there",
    isOther
      ? `, and was it started with --allow-origin ${location.origin}? The browser may also ask you to allow access to your local network`
      : location?.origin === "null"
      ? ", and was it started with --allow-origin null? Serve the page over http rather than from a file"
      : "?"
  ].join("")
}

export interface Teller {
  /** Why a connection was lost, for people; with all possible reasons while the relay was never reached. */
  readonly reasonOf: (lost: Lost) => string
  /** The same for an attempt that will be repeated; also goes to the developer console, once. */
  readonly waiting: (lost: Lost) => string
  /** The relay was reached: from now on a lost connection is only that. */
  readonly reached: () => void
}

export const makeTeller = (url: string): Teller => {
  let isReached = false
  let isTold = false
  const isNever = ({ unopened = false }: Lost) => unopened && !isReached
  const reasonOf = (lost: Lost) => isNever(lost) ? unreachable(url, lost.reason) : lost.reason
  return {
    reasonOf,
    waiting: (lost) => {
      const text = reasonOf(lost)
      if (isNever(lost) && !isTold) page.console?.warn(`ai-relay: ${text}`)
      isTold ||= isNever(lost)
      return text
    },
    reached: () => void (isReached = true)
  }
}
