/**
 * Auth: who may talk to the relay.
 *
 * - A browser tells its page's origin: only the relay's own and listed ones may come. A `Host` that is neither an
 *   address nor a known name is refused: it is how a foreign page reaches a local server (DNS rebinding).
 * - A peer on this machine needs no token; any other does, and without one configured none gets in.
 */
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import { isIP } from "node:net"
import { hostname } from "node:os"

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

/** What a request tells about itself. */
export interface Visitor {
  /** The peer's address. */
  readonly address: string | undefined
  readonly host: string | undefined
  readonly origin: string | undefined
  /** The `Authorization` header. */
  readonly authorization: string | undefined
}

export interface AuthOptions {
  readonly token?: Redacted.Redacted | undefined
  /** Origins of pages that may connect, such as `https://app.example.com`; `*` allows all. */
  readonly allow_origin?: ReadonlyArray<string>
  /** Names, besides localhost and this machine's, that the relay is reached by. */
  readonly allow_host?: ReadonlyArray<string>
}

export class Auth extends Context.Tag("ai-relay/services/Auth")<Auth, {
  /** Before anything else: is the page, or the name we are called by, a trusted one? */
  readonly checkOrigin: (visitor: Visitor) => Effect.Effect<void, ForbiddenOrigin>
  /** May this visitor use the relay? `token` is the handshake's. */
  readonly admit: (visitor: Visitor, token: string | undefined) => Effect.Effect<void, Unauthorized>
}>() {
  static readonly layer = (options: AuthOptions = {}) => Layer.succeed(this, make(options))
}

const digest = (text: string) => createHash("sha256").update(text).digest()
const sameSecret = (left: string, right: string) => timingSafeEqual(digest(left), digest(right))

const isLoopback = (address: string | undefined) =>
  address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/.test(address)

const nameOf = (host: string) => host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1").toLowerCase()

const bearer = (authorization: string | undefined) => /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]

const make = ({ allow_host = [], allow_origin = [], token }: AuthOptions): Context.Tag.Service<Auth> => {
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

  const admit = ({ address, authorization }: Visitor, handshakeToken: string | undefined) => {
    const given = bearer(authorization) ?? handshakeToken
    if (given === undefined && isLoopback(address)) return Effect.void
    if (token === undefined) {
      return isLoopback(address) ? Effect.void : new Unauthorized({
        reason:
          "this relay serves only its own machine: start it with --token (or AI_RELAY_TOKEN) to serve others"
      })
    }
    return given !== undefined && sameSecret(given, Redacted.value(token))
      ? Effect.void
      : new Unauthorized({
        reason:
          "the access token is missing or wrong: send it as `Authorization: Bearer …`, or as `token` in the handshake"
      })
  }

  return { checkOrigin, admit }
}
