/** visitor: what a request tells about its sender. */
import type { IncomingMessage } from "node:http"
import type { Visitor } from "../services/access/Auth.js"
import { isForwarded } from "../services/access/peers.js"
import * as TrustedProxies from "../services/access/TrustedProxies.js"

/** `proxies`: whose forwarding headers are trusted. */
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
 * Whether a page of another site sent this, in a way that names no origin (`<img>`, an iframe, a link). Such requests may get
 * the console's files, which contain nothing private, but no answer of the relay.
 */
export const isOfOtherSite = ({ headers }: IncomingMessage): boolean =>
  headers.origin === undefined
  && ["cross-site", "same-site"].includes(String(headers["sec-fetch-site"] ?? ""))
