/**
 * Auth: decides who may use the relay.
 *
 * - Browsers send the origin of their page: only the relay's own and listed origins are accepted. A `Host` that is neither an
 *   address nor a known name is refused, because that is how a foreign page reaches a local server (DNS rebinding).
 * - A program on this machine needs no token if it connects from a loopback address to a loopback name and no header says that
 *   the request was forwarded. If a token, hostnames or proxies were configured, everybody needs the token, since others may
 *   then reach the relay through something on this machine. Without a token, other machines get no access.
 * - A program that an agent started is no client, whatever it sends: it could answer its own agent's questions.
 * - A ticket works once in place of the token. After wrong tokens, an address has to wait before the next one is checked.
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

/** The origin or `Host` of a request is not allowed, whatever token it has. */
export class ForbiddenOrigin
  extends Schema.TaggedError<ForbiddenOrigin>()("ForbiddenOrigin", { reason: Schema.String })
{
  override get message() {
    return this.reason
  }
}

/** Too many wrong tokens came from this address, or too many tickets are unused. */
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

/** What a request says about its sender. */
export interface Visitor {
  /** The peer's address; behind a trusted proxy, the one that the proxy reports. */
  readonly address: string | undefined
  readonly host: string | undefined
  readonly origin: string | undefined
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  /** Whether a header says that the request was forwarded. */
  readonly forwarded?: boolean
  /** Its connection, to find the process at the other end. */
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
  /** Hostnames of the relay besides localhost and this machine's. */
  readonly allow_host?: ReadonlyArray<string>
  /** Addresses and networks of proxies whose forwarding headers are trusted. */
  readonly trusted_proxy?: ReadonlyArray<string>
  /** Where named tokens are saved; without it they last as long as the relay. */
  readonly state_dir?: string
}

/** Who needs the token by default. */
export const defaultAuth = (
  { allow_host = [], token, trusted_proxy = [] }: Pick<AuthOptions, "allow_host" | "token" | "trusted_proxy">
): "remote" | "always" =>
  token !== undefined || allow_host.length > 0 || trusted_proxy.length > 0 ? "always" : "remote"

export class Auth extends Context.Service<Auth, {
  /** Tokens of agents, for the relay's tools. */
  readonly agents: AgentTokens.AgentTokens
  /** Checked first: fails unless origin and `Host` are allowed. */
  readonly checkOrigin: (visitor: Visitor) => Effect.Effect<void, ForbiddenOrigin>
  /** Authenticates a visitor; fails if it may not use the relay. `token` and `ticket` are the handshake's. */
  readonly admit: (
    visitor: Visitor,
    token: string | undefined,
    ticket?: string
  ) => Effect.Effect<PrincipalFields, Unauthorized | TooManyAttempts>
  /** A mark that identifies somebody in saved data; undefined for an agent. It is not secret. */
  readonly markOf: (principal: PrincipalFields) => Effect.Effect<string | undefined>
  /** The holder of a mark, with current rights; undefined if the token is gone or was replaced. */
  readonly holderOf: (mark: string) => Effect.Effect<PrincipalFields | undefined>
  /** Proxies whose forwarding headers are trusted. */
  readonly proxies: TrustedProxies.TrustedProxies
  /** A ticket with the rights of this principal, for as long as the principal has them. */
  readonly ticket: (principal: PrincipalFields) => Effect.Effect<Ticket, TooManyAttempts>
  /** The named tokens. */
  readonly tokens: Tokens.Tokens
}>()("ai-relay/services/Auth") {
  static readonly layer = (options: AuthOptions = {}) => Layer.effect(this, make(options))
}

const digest = (text: string) => createHash("sha256").update(text).digest()
const sameSecret = (left: string, right: string) => timingSafeEqual(digest(left), digest(right))

/** The mark of programs on this machine that need no token. */
const localMark = "local"

const nameOf = (host: string) => host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1").toLowerCase()

/** The token in an `Authorization` header. */
export const bearer = (authorization: string | undefined) => /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]

const missing =
  "an access token is required: send it as `Authorization: Bearer …`, or as `token` in the handshake. The relay shows it on "
  + "its first start, and saves it in the file `token` in its state folder"
const notLocal =
  `${missing}. (Programs on the relay's machine need none if they connect to localhost without a proxy)`
const ofAgent =
  "this connection comes from a program that an agent of this relay started: agents may not use the relay they run under. "
  + "Connect from a terminal or page of your own"
const hasLeft =
  "the connection was closed before the relay could see which program it came from: stay connected until the answer"
const wrong =
  "the access token is wrong: send the relay's as `Authorization: Bearer …`, or as `token` in the handshake"
const over = "this access token has expired: ask the operator for a new one (`ai-relay token create`)"
const badTicket = "the ticket is wrong, used or too old: get a new one with POST /ticket for each connection"
const onlyLocal =
  "this relay serves only programs on its own machine that connect to localhost: start it with --token (or AI_RELAY_TOKEN) "
  + "to serve others"

const make = Effect.fnUntraced(function*(options: AuthOptions) {
  const { allow_host = [], allow_origin = [], auth: demand = defaultAuth(options), token } = options
  const proxies = TrustedProxies.make(options.trusted_proxy ?? [])
  const processes = PeerProcesses.make()
  const attempts = FailedAttempts.make()
  const tickets = Tickets.make<{ readonly principal: PrincipalFields; readonly mark: string }>()
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
          `"${name}" is not a hostname of this relay: use localhost, or start it with --allow-host ${name}`
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

  /** Counts wrong tokens per address. The right token always works, so that a guesser cannot lock out others at its address. */
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
      if (whose === "gone") return yield* new Unauthorized({ reason: hasLeft })
      const given = bearer(visitor.authorization) ?? handshakeToken
      const now = yield* Clock.currentTimeMillis
      if (given === undefined && ticket !== undefined) {
        const taken = tickets.take(ticket, now)
        // The token may have been revoked or changed since.
        const owner = taken?.principal.name === undefined ? taken?.principal : yield* holderOf(taken.mark)
        if (owner !== undefined) return owner
        // Tickets cannot be guessed: this one was used before or is too old, which does not count as an attempt.
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

  const ticket = Effect.fnUntraced(function*(principal: PrincipalFields) {
    const mark = (yield* markOf(principal)) ?? ""
    const given = tickets.give(yield* Clock.currentTimeMillis, { principal, mark }, mark)
    return given !== undefined
      ? { ticket: given, expires_in: Tickets.validForSeconds }
      : yield* new TooManyAttempts({
        reason: "too many tickets are unused: wait some seconds, then request one again"
      })
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
