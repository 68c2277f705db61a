/**
 * Auth: who may talk to the relay.
 *
 * - A browser tells its page's origin: only the relay's own and listed ones may come. A `Host` that is neither an
 *   address nor a known name is refused: it is how a foreign page reaches a local server (DNS rebinding).
 * - A peer on this machine needs no token; any other does, and without one configured none gets in. What a proxy on
 *   this machine forwards comes from another.
 * - Instead of the token a ticket will do, once. Who sends wrong ones has to wait.
 */
import { Clock, Context, Effect, Layer, Redacted, Schema } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import { isIP } from "node:net"
import { hostname } from "node:os"
import * as FailedAttempts from "./FailedAttempts.js"
import { isLoopback } from "./peers.js"
import * as Tickets from "./Tickets.js"

export class Unauthorized
  extends Schema.TaggedError<Unauthorized>()("Unauthorized", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** The page or host a request comes from is not allowed, whatever token it has. */
export class ForbiddenOrigin
  extends Schema.TaggedError<ForbiddenOrigin>()("ForbiddenOrigin", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** Too many wrong tokens came from this address, or too many tickets wait to be used. */
export class TooManyAttempts
  extends Schema.TaggedError<TooManyAttempts>()("TooManyAttempts", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

export interface Ticket {
  readonly ticket: string
  /** Seconds. */
  readonly expires_in: number
}

/** What a request tells about itself. */
export interface Visitor {
  /** The peer's address. */
  readonly address: string | undefined
  readonly host: string | undefined
  readonly origin: string | undefined
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  /** A proxy says that it passes the request on. */
  readonly forwarded?: boolean
}

export interface AuthOptions {
  readonly token?: Redacted.Redacted | undefined
  /** Who needs the token: peers on other machines (`remote`, the default), everybody, or nobody. */
  readonly auth?: "remote" | "always" | "never"
  /** Origins of pages that may connect, such as `https://app.example.com`; `*` allows all. */
  readonly allow_origin?: ReadonlyArray<string>
  /** Names, besides localhost and this machine's, that the relay is reached by. */
  readonly allow_host?: ReadonlyArray<string>
}

export class Auth extends Context.Service<Auth, {
  /** Before anything else: is the page, or the name we are called by, a trusted one? */
  readonly checkOrigin: (visitor: Visitor) => Effect.Effect<void, ForbiddenOrigin>
  /** May this visitor use the relay? `token` and `ticket` are the handshake's. */
  readonly admit: (
    visitor: Visitor,
    token: string | undefined,
    ticket?: string
  ) => Effect.Effect<void, Unauthorized | TooManyAttempts>
  /** A ticket, for a visitor who was admitted. */
  readonly ticket: Effect.Effect<Ticket, TooManyAttempts>
}>()("ai-relay/services/Auth") {
  static readonly layer = (options: AuthOptions = {}) => Layer.sync(this, () => make(options))
}

const digest = (text: string) => createHash("sha256").update(text).digest()
const sameSecret = (left: string, right: string) => timingSafeEqual(digest(left), digest(right))

const nameOf = (host: string) => host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1").toLowerCase()

const bearer = (authorization: string | undefined) => /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]

const missing =
  "an access token is needed: send it as `Authorization: Bearer …`, or as `token` in the handshake"
const wrong =
  "the access token is wrong: send the relay's as `Authorization: Bearer …`, or as `token` in the handshake"
const spent = "the ticket is wrong, used or too old: get a new one with POST /ticket for each connection"
const onlyLocal =
  "this relay serves only its own machine: start it with --token (or AI_RELAY_TOKEN) to serve others"

const make = (options: AuthOptions): Auth["Service"] => {
  const { allow_host = [], allow_origin = [], auth: demand = "remote", token } = options
  const attempts = FailedAttempts.make()
  const tickets = Tickets.make()
  const names = new Set([
    "localhost",
    hostname().toLowerCase(),
    ...allow_host.map((host) => host.toLowerCase())
  ])

  const checkOrigin = ({ host, origin }: Visitor) => {
    const name = nameOf(host ?? "")
    if (isIP(name) === 0 && !names.has(name)) {
      return new ForbiddenOrigin({
        reason:
          `the relay does not go by the name "${name}": use localhost, or start it with --allow-host ${name}`
      })
    }
    const own = origin !== undefined && [`http://${host}`, `https://${host}`].includes(origin)
    return origin === undefined || own || allow_origin.includes("*") || allow_origin.includes(origin)
      ? Effect.void
      : new ForbiddenOrigin({
        reason: `pages of ${origin} may not use this relay: start it with --allow-origin ${origin}`
      })
  }

  const needsNone = ({ address, forwarded = false }: Visitor) =>
    demand === "remote" && isLoopback(address) && !forwarded

  /** Look at what was sent, unless too much of it was wrong before. */
  const judge = Effect.fnUntraced(
    function*(address: string | undefined, isRight: (now: number) => boolean, no: string) {
      const now = yield* Clock.currentTimeMillis
      const refusal = attempts.refusalOf(address, now)
      if (refusal !== undefined) return yield* new TooManyAttempts({ reason: refusal })
      if (isRight(now)) return attempts.succeeded(address)
      attempts.failed(address, now)
      return yield* new Unauthorized({ reason: no })
    }
  )

  const admit: Auth["Service"]["admit"] = (visitor, handshakeToken, ticket) => {
    const given = bearer(visitor.authorization) ?? handshakeToken
    if (demand === "never") return Effect.void
    if (given === undefined && ticket !== undefined) {
      return judge(visitor.address, (now) => tickets.take(ticket, now), spent)
    }
    if (token === undefined) return needsNone(visitor) ? Effect.void : new Unauthorized({ reason: onlyLocal })
    if (given !== undefined) {
      return judge(visitor.address, () => sameSecret(given, Redacted.value(token)), wrong)
    }
    return needsNone(visitor) ? Effect.void : new Unauthorized({ reason: missing })
  }

  const ticket = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const given = tickets.give(now)
    return given === undefined
      ? new TooManyAttempts({ reason: "too many tickets wait to be used: wait some seconds, then ask again" })
      : Effect.succeed({ ticket: given, expires_in: Tickets.validForSeconds })
  })

  return { checkOrigin, admit, ticket }
}
