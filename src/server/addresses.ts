/** addresses: where other machines reach the relay, as far as it can know. */
import type { Socket } from "node:net"
import { isIPv6 } from "node:net"
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os"
import { isLoopback } from "../services/access/peers.js"

/** Those that listen everywhere. */
const everywhere = new Set(["0.0.0.0", "::", "[::]", ""])

const linkLocal = /^(169\.254\.|fe80:)/i

/**
 * Addresses as a browser takes them, such as `http://192.168.1.5:8765`; none where the relay serves only its own machine. The ones
 * with IPv4 first: they are what most networks at home have.
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

/** By the connection a request came over. */
export const addressesOf = (host: string, socket: Socket): ReadonlyArray<string> =>
  addressesAt(
    host,
    socket.localPort ?? 0,
    "encrypted" in socket,
    Object.values(networkInterfaces()).flatMap((found) => found ?? [])
  )
