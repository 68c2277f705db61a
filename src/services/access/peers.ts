/** peers: classifies the other end of a connection by address and headers. */

/** Whether this is a loopback address. */
export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/.test(address)

/** Whether a `Host` header has a name that means this machine. */
export const isLoopbackHost = (host: string | undefined): boolean =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host ?? "")

/** Headers that proxies, tunnels, CDNs and service meshes add to forwarded requests. */
const forwarding = new RegExp(
  `^(?:${
    [
      "forwarded.*|via|cdn-.*|client-?ip|x-client-?ip|x-cluster-client-ip|true-client-ip|front-end-https|max-forwards",
      "proxy-.*|http-.*|(?:x-)?(?:source|user|peer)-?ip|surrogate-capability|x-nginx.*|x-edge-.*|x-sucuri-.*|incap-.*|ali-.*",
      "x-forward.*|x-real-.*|x-original-.*|x-originating-.*|x-remote-.*|x-proxy.*|x-scheme|x-host|x-ssl-.*",
      "cf-.*|fly-.*|fastly-.*|x-envoy-.*|x-appengine-.*|x-azure-.*|x-arr-.*|x-amz.*|x-vercel-.*|x-nf-.*|x-akamai-.*",
      "ngrok-.*|x-ngrok-.*|tailscale-.*|x-b3-.*|b3|x-cloud-trace-context|x-varnish|x-haproxy-.*|x-traefik-.*|wl-proxy-.*|cloudfront-.*",
      "x-istio-.*|x-kong-.*|do-connecting-ip|x-github-.*-ip|x-coming-from|x-lb-.*|x-github-codespaces.*"
    ].join("|")
  })$`
)

/** Whether a header says that the request was forwarded. Names in lower case, as Node gives them; some proxies use `_`. */
export const isForwarded = (headers: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(headers).some((name) => forwarding.test(name.replaceAll("_", "-")))

/** The first four of an IPv6 address's eight groups. */
const networkOf = (address: string): string => {
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? []
  const groups = head === "" ? [] : head.split(":")
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length)
  return [...groups, ...Array<string>(Math.max(0, missing)).fill("0"), ...tail?.split(":") ?? []]
    .slice(0, 4)
    .join(":")
}

/** What counts as one peer: an IPv4 address, or the /64 network of an IPv6 address, which belongs to one customer. */
export const peerOf = (address: string | undefined): string => {
  const plain = (address ?? "unknown").replace(/^::ffff:(?=\d+\.)/, "")
  return plain.includes(":") ? `${networkOf(plain)}::/64` : plain
}
