/** visitor: what a request tells about who sends it. */
import type { IncomingMessage } from "node:http"
import type { Visitor } from "../services/access/Auth.js"
import { isForwarded } from "../services/access/peers.js"
import * as TrustedProxies from "../services/access/TrustedProxies.js"

/** `proxies` are believed about the address. */
export const visitorOf = (
  { headers, socket }: IncomingMessage,
  proxies: TrustedProxies.TrustedProxies = TrustedProxies.make([])
): Visitor => ({
  address: proxies.addressOf(socket.remoteAddress, headers),
  host: headers.host,
  origin: headers.origin,
  authorization: headers.authorization,
  forwarded: isForwarded(headers) || proxies.isTrusted(socket.remoteAddress),
  socket
})

/**
 * A page of another site asks, in a way that names no origin (`<img>`, an iframe, a link): browsers say at least that.
 * What it is sent to see may be the console's files, which tell nothing, but no answer of the relay's.
 */
export const isOfOtherSite = ({ headers }: IncomingMessage): boolean =>
  headers.origin === undefined
  && ["cross-site", "same-site"].includes(String(headers["sec-fetch-site"] ?? ""))
