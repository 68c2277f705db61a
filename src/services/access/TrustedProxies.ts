/** TrustedProxies: proxies whose forwarding headers are trusted. */
import { BlockList, isIP } from "node:net"

export interface TrustedProxies {
  readonly isTrusted: (address: string | undefined) => boolean
  /** The client's address: the last hop that is not a trusted proxy, according to those proxies. */
  readonly addressOf: (peer: string | undefined, headers: Headers) => string | undefined
}

type Headers = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

const familyOf = (address: string) => isIP(address) === 6 ? "ipv6" : "ipv4"

const isPrefix = (address: string, prefix: string) =>
  /^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIP(address) === 6 ? 128 : 32)

/** An IPv4 address without the prefix that IPv6 sockets give it. */
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, "")

const textOf = (headers: Headers, name: string): string => [headers[name] ?? []].flat().join(",")

/** `for="[2001:db8::1]:4711"`, `192.0.2.1:80`: without quotes, brackets and port. */
const addressIn = (hop: string): string =>
  hop.trim().replaceAll("\"", "").replace(/^\[([^\]]*)\](?::\d+)?$/, "$1").replace(/^([\d.]+):\d+$/, "$1")

/** RFC 7239: one element per proxy, `for=…` among its parameters. */
const forwardedFor = (header: string): ReadonlyArray<string> =>
  header.split(",").flatMap((element) => /(?:^|;)\s*for=("[^"]*"|[^;]*)/i.exec(element)?.[1] ?? [])

const hopsIn = (headers: Headers): ReadonlyArray<string> => {
  const list = textOf(headers, "x-forwarded-for")
  if (list.trim() !== "") return list.split(",")
  const forwarded = forwardedFor(textOf(headers, "forwarded"))
  return forwarded.length > 0 ? forwarded : [textOf(headers, "x-real-ip")]
}

/** The first entry that is neither an address nor a network such as 10.0.0.0/24; undefined if all are valid. */
export const badEntry = (entries: ReadonlyArray<string>): string | undefined =>
  entries.find((entry) => {
    const [address = "", prefix, ...more] = entry.split("/")
    return isIP(address) === 0 || more.length > 0 || (prefix !== undefined && !isPrefix(address, prefix))
  })

/** `entries`: addresses and networks; invalid ones are ignored. */
export const make = (entries: ReadonlyArray<string>): TrustedProxies => {
  const trusted = new BlockList()
  for (const entry of entries) {
    if (badEntry([entry]) !== undefined) continue
    const [address = "", prefix] = entry.split("/", 2)
    if (prefix === undefined) trusted.addAddress(address, familyOf(address))
    else trusted.addSubnet(address, Number(prefix), familyOf(address))
  }

  const isTrusted = (address: string | undefined) => {
    const known = plain(address ?? "")
    return isIP(known) !== 0 && trusted.check(known, familyOf(known))
  }

  const addressOf = (peer: string | undefined, headers: Headers) => {
    if (entries.length === 0 || !isTrusted(peer)) return peer
    const hops = hopsIn(headers).map(addressIn).filter((hop) => hop !== "").map(plain)
    return hops.findLast((hop) => !isTrusted(hop)) ?? hops[0] ?? peer
  }

  return { isTrusted, addressOf }
}
