/**
 * pushService: checks the addresses of push services, and sends notifications to them (RFC 8030).
 *
 * A subscription's address comes from a browser, or from somebody who pretends to be one. So it must be https at a host with
 * only public addresses, checked again when connecting; otherwise the relay could be made to send requests into its own
 * network. Services that the operator lists (`--allow-push-service`) may be anywhere and may use plain http. Redirects are not
 * followed, and only the status of an answer is used.
 */
import { Effect, Schema } from "effect"
import { lookup as resolve } from "node:dns"
import { request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { BlockList, isIP, type LookupFunction } from "node:net"

/** The notification was not delivered. */
export class PushFailed extends Schema.TaggedError<PushFailed>()("PushFailed", {
  /** The status of the service's answer, if there was one. */
  status: Schema.optionalKey(Schema.Number),
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

const longestEndpoint = 2048
const patienceMs = 10_000

/** Networks that are not the public internet (IANA's special-purpose registries). */
const special = new BlockList()
for (
  const [network, prefix] of [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.0.2.0", 24],
    ["192.88.99.0", 24],
    ["192.168.0.0", 16],
    ["198.18.0.0", 15],
    ["198.51.100.0", 24],
    ["203.0.113.0", 24],
    ["224.0.0.0", 4],
    ["240.0.0.0", 4]
  ] as const
) special.addSubnet(network, prefix, "ipv4")
/** Public IPv6 addresses: 2000::/3 without ranges that stand for other addresses. */
const handedOut = new BlockList()
handedOut.addSubnet("2000::", 3, "ipv6")
for (
  const [network, prefix] of [
    ["2001::", 23],
    ["2001:db8::", 32],
    ["2002::", 16],
    ["3fff::", 20]
  ] as const
) special.addSubnet(network, prefix, "ipv6")

export const isPublic = (address: string): boolean => {
  const family = isIP(address)
  if (family === 4) return !special.check(address, "ipv4")
  return family === 6 && handedOut.check(address, "ipv6") && !special.check(address, "ipv6")
}

/** Why nothing may be sent there; undefined if it may. */
export const problemOf = (endpoint: string, allowed: ReadonlyArray<string>): string | undefined => {
  if (endpoint.length > longestEndpoint || !URL.canParse(endpoint)) {
    return "it is not an address of a push service"
  }
  const { hostname, origin, password, protocol, username } = new URL(endpoint)
  if (username !== "" || password !== "") {
    return "an address of a push service must not contain a user name or password"
  }
  if (allowed.includes(origin) && /^https?:$/.test(protocol)) return undefined
  const hint = `start the relay with --allow-push-service ${origin} to allow it`
  if (protocol !== "https:") return `it is not https: ${hint}`
  const bare = hostname.replace(/^\[(.*)\]$/, "$1")
  const isLocal = isIP(bare) === 0
    ? !bare.includes(".") || /\.(local|localhost|internal|home|lan|arpa)\.?$/i.test(bare)
    : !isPublic(bare)
  return isLocal ? `${hostname} is not a public host: ${hint}` : undefined
}

/** Resolves names to public addresses only. */
const publicLookup: LookupFunction = (hostname, options, done) =>
  resolve(hostname, { ...options, all: true }, (error, found) => {
    if (error !== null) return done(error, [])
    const addresses = found.filter(({ address }) => isPublic(address))
    const [first] = addresses
    if (first === undefined || addresses.length < found.length) {
      return done(Object.assign(new Error(`${hostname} is not a public host`), { code: "EACCES" }), [])
    }
    if (options.all === true) done(null, addresses)
    else done(null, first.address, first.family)
  })

/** Sends a notification; fails with the answer's status unless the service accepted it. */
export const post = (
  endpoint: string,
  headers: Readonly<Record<string, string | number>>,
  body: Buffer,
  allowed: ReadonlyArray<string>,
  patience_ms = patienceMs
): Effect.Effect<void, PushFailed> =>
  Effect.callback<void, PushFailed>((resume) => {
    const problem = problemOf(endpoint, allowed)
    if (problem !== undefined) return resume(new PushFailed({ reason: problem }))
    const url = new URL(endpoint)
    const isListed = allowed.includes(url.origin)
    const send = url.protocol === "http:" ? requestHttp : requestHttps
    const request = send(url, {
      method: "POST",
      headers: { ...headers, "content-length": body.length },
      agent: false,
      ...(!isListed && { lookup: publicLookup })
    })
    request.once("response", (response) => {
      const { statusCode: status = 0 } = response
      response.destroy()
      resume(
        status >= 200 && status < 300
          ? Effect.void
          : new PushFailed({ status, reason: `it answered ${status}` })
      )
    })
    request.once("error", ({ message }) => resume(new PushFailed({ reason: message })))
    request.end(body)
    return Effect.sync(() => void request.destroy())
  }).pipe(Effect.timeoutOrElse({
    // Over all: one that sends a byte now and then would keep an idle timer waiting.
    duration: patience_ms,
    orElse: () => Effect.fail(new PushFailed({ reason: "it does not answer" }))
  }))
