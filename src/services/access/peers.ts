/** peers: who is at the other end of a connection, by address. */

/** One of this machine's own. */
export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/.test(address)

/** The first four of an IPv6 address's eight groups. */
const networkOf = (address: string): string => {
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? []
  const groups = head === "" ? [] : head.split(":")
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length)
  return [...groups, ...Array<string>(Math.max(0, missing)).fill("0"), ...tail?.split(":") ?? []]
    .slice(0, 4)
    .join(":")
}

/** What counts as one peer: an IPv4 address, or the /64 network of an IPv6 one, which is one customer's. */
export const peerOf = (address: string | undefined): string => {
  const plain = (address ?? "unknown").replace(/^::ffff:(?=\d+\.)/, "")
  return plain.includes(":") ? `${networkOf(plain)}::/64` : plain
}
