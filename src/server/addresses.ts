/** addresses: the URLs at which other machines can reach the relay, as far as it can tell. */
import type { Socket } from "node:net"
import { isIPv6 } from "node:net"
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os"
import { isLoopback } from "../services/access/peers.js"

/** Hosts that mean all interfaces. */
const everywhere = new Set(["0.0.0.0", "::", "[::]", ""])

const linkLocal = /^(169\.254\.|fe80:)/i

/**
 * URLs for a browser, such as `http://192.168.1.5:8765`, IPv4 first since most home networks use it. Empty if the relay
 * listens only for its own machine.
 */
export const addressesAt = (
  host: string,
  port: number,
  secure: boolean,
  interfaces: ReadonlyArray<Pick<NetworkInterfaceInfo, "address" | "family" | "internal">>
): ReadonlyArray<string> => {
  const spelled = (name: string) =>
    `${secure ? "https" : "http"}://${isIPv6(name) ? `[${name}]` : name}${
      port === (secure ? 443 : 80) ? "" : `:${port}`
    }`
  if (!everywhere.has(host)) return host === "localhost" || isLoopback(host) ? [] : [spelled(host)]
  return interfaces
    .filter(({ address, internal }) => !internal && !linkLocal.test(address))
    .toSorted((left, right) => left.family.localeCompare(right.family))
    .map(({ address }) => spelled(address))
}

/** The same, seen from the connection that a request came over. */
export const addressesOf = (host: string, socket: Socket): ReadonlyArray<string> =>
  addressesAt(
    host,
    socket.localPort ?? 0,
    "encrypted" in socket,
    Object.values(networkInterfaces()).flatMap((found) => found ?? [])
  )
