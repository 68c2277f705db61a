/**
 * Auth: who may talk to the relay.
 *
 * - A browser tells its page's origin: only the relay's own and listed ones may come. A `Host` that is neither an
 *   address nor a known name is refused: it is how a foreign page reaches a local server (DNS rebinding).
 * - A program of this machine needs no token: it connects from a loopback address, to a loopback name, and nobody says
 *   that the request was passed on. Where a token was chosen, or names or proxies were told, everybody needs it, as then
 *   others reach the relay through something on this machine. Without a token configured nobody else gets in.
 * - What an agent started is no client, whatever it sends: it could answer its own agent's questions.
 * - Instead of the token a ticket will do, once. Who sends wrong tokens has to wait before the next wrong one is looked at.
 */
import { Clock, Context, Effect, Layer, Redacted, Schema } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import { isIP } from "node:net"
import { hostname } from "node:os"
import * as AgentTokens from "./AgentTokens.js"
import { Audit } from "./Audit.js"
import * as FailedAttempts from "./FailedAttempts.js"
import * as PeerProcesses from "./PeerProcesses.js"
import { isLoopback, isLoopbackHost } from "./peers.js"
import { everything, type PrincipalFields } from "./Principal.js"
import * as Tickets from "./Tickets.js"
import * as Tokens from "./Tokens.js"
import * as TrustedProxies from "./TrustedProxies.js"

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
  /** The peer's address; behind a trusted proxy, the one it tells. */
  readonly address: string | undefined
  readonly host: string | undefined
  readonly origin: string | undefined
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  /** A proxy says that it passes the request on. */
  readonly forwarded?: boolean
  /** Its connection, to see whose process is at the other end. */
  readonly socket?: PeerProcesses.Ends
}

export interface AuthOptions {
  readonly token?: Redacted.Redacted | undefined
  /**
   * Who needs the token: other machines (`remote`), everybody (`always`), or nobody (`never`). Default: `always` where
   * there is a `token`, an `allow_host` or a `trusted_proxy`; else `remote`.
   */
  readonly auth?: "remote" | "always" | "never"
  /** Origins of pages that may connect, such as `https://app.example.com`; `*` allows all. */
  readonly allow_origin?: ReadonlyArray<string>
  /** Names, besides localhost and this machine's, that the relay is reached by. */
  readonly allow_host?: ReadonlyArray<string>
  /** Addresses and networks of proxies that are believed about whom they forward. */
  readonly trusted_proxy?: ReadonlyArray<string>
  /** Where named tokens are kept; without it they last as long as the relay. */
  readonly state_dir?: string
}

/** Who needs the token, where nobody said it. */
export const defaultAuth = (
  { allow_host = [], token, trusted_proxy = [] }: Pick<AuthOptions, "allow_host" | "token" | "trusted_proxy">
): "remote" | "always" =>
  token !== undefined || allow_host.length > 0 || trusted_proxy.length > 0 ? "always" : "remote"

export class Auth extends Context.Service<Auth, {
  /** Tokens of agents, for the tools the relay has for them. */
  readonly agents: AgentTokens.AgentTokens
  /** Before anything else: is the page, or the name we are called by, a trusted one? */
  readonly checkOrigin: (visitor: Visitor) => Effect.Effect<void, ForbiddenOrigin>
  /** Who is it, if this visitor may use the relay? `token` and `ticket` are the handshake's. */
  readonly admit: (
    visitor: Visitor,
    token: string | undefined,
    ticket?: string
  ) => Effect.Effect<PrincipalFields, Unauthorized | TooManyAttempts>
  /** What stands for somebody in what the relay keeps for later; undefined for an agent. It is no secret. */
  readonly markOf: (principal: PrincipalFields) => Effect.Effect<string | undefined>
  /** Who has this mark, with the rights of now; undefined when their token is gone, or another one. */
  readonly holderOf: (mark: string) => Effect.Effect<PrincipalFields | undefined>
  /** Who is believed about where a request comes from. */
  readonly proxies: TrustedProxies.TrustedProxies
  /** A ticket: its bearer may do what this principal may, as long as that may stay. */
  readonly ticket: (principal: PrincipalFields) => Effect.Effect<Ticket, TooManyAttempts>
  /** The named tokens. */
  readonly tokens: Tokens.Tokens
}>()("ai-relay/services/Auth") {
  static readonly layer = (options: AuthOptions = {}) => Layer.effect(this, make(options))
}

const digest = (text: string) => createHash("sha256").update(text).digest()
const sameSecret = (left: string, right: string) => timingSafeEqual(digest(left), digest(right))

/** Programs of this machine that need no token. */
const localMark = "local"

const nameOf = (host: string) => host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1").toLowerCase()

/** The token of an `Authorization` header. */
export const bearer = (authorization: string | undefined) => /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]

const missing =
  "an access token is needed: send it as `Authorization: Bearer …`, or as `token` in the handshake. The relay shows it at "
  + "its first start, and keeps it in the file `token` of its state folder"
const notLocal =
  `${missing}. (Programs on the relay's machine need none if they connect to localhost, by no proxy)`
const ofAgent =
  "this connection comes from a program that an agent of this relay started: agents may not use the relay they run under. "
  + "Connect from a terminal or page of your own"
const wrong =
  "the access token is wrong: send the relay's as `Authorization: Bearer …`, or as `token` in the handshake"
const over =
  "the time of this access token is over: ask the operator for another one (`ai-relay token create`)"
const badTicket = "the ticket is wrong, used or too old: get a new one with POST /ticket for each connection"
const onlyLocal =
  "this relay serves only programs of its own machine that connect to localhost: start it with --token (or AI_RELAY_TOKEN) "
  + "to serve others"

const make = Effect.fnUntraced(function*(options: AuthOptions) {
  const { allow_host = [], allow_origin = [], auth: demand = defaultAuth(options), token } = options
  const proxies = TrustedProxies.make(options.trusted_proxy ?? [])
  const processes = PeerProcesses.make()
  const attempts = FailedAttempts.make()
  const tickets = Tickets.make<PrincipalFields>()
  const tokens = yield* Tokens.make(options.state_dir)
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

  const isOfThisMachine = ({ address, forwarded = false, host }: Visitor) =>
    isLoopback(address) && isLoopbackHost(host) && !forwarded

  /** The right token is let in whatever came before it: who shares an address with a guesser is not kept out. */
  const judge = Effect.fnUntraced(function*(address: string | undefined, isRight: boolean) {
    const now = yield* Clock.currentTimeMillis
    if (isRight) return attempts.succeeded(address)
    const refusal = attempts.refusalOf(address, now)
    if (refusal !== undefined) return yield* new TooManyAttempts({ reason: refusal })
    attempts.failed(address, now)
    return yield* new Unauthorized({ reason: wrong })
  })

  const judgeVisitor: Auth["Service"]["admit"] = Effect.fnUntraced(
    function*(visitor, handshakeToken, ticket) {
      const { socket } = visitor
      const whose = socket === undefined ? "other" : yield* processes.whose(socket)
      if (whose === "agent") return yield* new Unauthorized({ reason: ofAgent })
      const given = bearer(visitor.authorization) ?? handshakeToken
      const now = yield* Clock.currentTimeMillis
      if (given === undefined && ticket !== undefined) {
        const owner = tickets.take(ticket, now)
        if (owner !== undefined) return owner
        // Nobody guesses one: it was used before, or is too old. That is no attempt.
        return demand === "never" ? everything : yield* new Unauthorized({ reason: badTicket })
      }
      const named = given === undefined ? undefined : tokens.find(given, now)
      if (named !== undefined && named !== "expired") {
        attempts.succeeded(visitor.address)
        return named
      }
      if (demand === "never") return everything
      if (named === "expired") return yield* new Unauthorized({ reason: over })
      const needsNone = demand === "remote" && isOfThisMachine(visitor) && whose === "other"
      if (token === undefined) return needsNone ? everything : yield* new Unauthorized({ reason: onlyLocal })
      if (given !== undefined) {
        yield* judge(visitor.address, sameSecret(given, Redacted.value(token)))
        return Tokens.ofOperator
      }
      if (needsNone) return everything
      return yield* new Unauthorized({ reason: demand === "remote" ? notLocal : missing })
    }
  )

  const audit = yield* Audit
  const admit: Auth["Service"]["admit"] = (visitor, token, ticket) =>
    Effect.tapError(
      judgeVisitor(visitor, token, ticket),
      ({ _tag, message }) =>
        Effect.sync(() =>
          audit.writeOfStranger("refused", { address: visitor.address }, {
            why: _tag === "TooManyAttempts" ? "too many attempts" : message,
            ...(visitor.origin !== undefined && { origin: visitor.origin })
          })
        )
    )

  const ticket = (principal: PrincipalFields) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const given = tickets.give(now, principal)
      return given === undefined
        ? new TooManyAttempts({
          reason: "too many tickets wait to be used: wait some seconds, then ask again"
        })
        : Effect.succeed({ ticket: given, expires_in: Tickets.validForSeconds })
    })

  const operatorMark = token === undefined
    ? undefined
    : `operator ${createHash("sha256").update(Redacted.value(token)).digest("hex")}`

  const markOf: Auth["Service"]["markOf"] = ({ name, session_id }) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (session_id !== undefined) return undefined
      if (name === undefined) return localMark
      if (name === Tokens.defaultName) return operatorMark
      const hash = tokens.named(name, now)?.hash
      return hash === undefined ? undefined : `token ${hash} ${name}`
    })

  const holderOf: Auth["Service"]["holderOf"] = (mark) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (mark === localMark) return demand === "always" ? undefined : everything
      if (mark === operatorMark) return Tokens.ofOperator
      const [, hash, name = ""] = /^token (\w+) (.*)$/.exec(mark) ?? []
      const found = tokens.named(name, now)
      return found?.hash === hash ? found?.principal : undefined
    })

  return Auth.of({
    agents: AgentTokens.make(),
    checkOrigin,
    admit,
    markOf,
    holderOf,
    proxies,
    ticket,
    tokens
  })
})
