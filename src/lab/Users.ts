/**
 * Users: identifies users by an access token (from the token file, or signed) or by a trusted proxy that has
 * already authenticated them.
 *
 * A token comes as `Authorization: Bearer …` or as the handshake's `token`; the login page's cookie stands
 * for one until the browser logs out or the lab ends. A proxy's header is believed only from the configured
 * addresses. As with the relay itself, clients that send wrong tokens have to wait, but a right token is accepted at once,
 * so somebody who guesses cannot lock out others at the same address.
 */
import { Clock, Context, Effect, Layer, Option, Schema } from "effect"
import { randomBytes } from "node:crypto"
import type { IncomingHttpHeaders, IncomingMessage } from "node:http"
import { TooManyAttempts } from "../services/access/Auth.js"
import * as FailedAttempts from "../services/access/FailedAttempts.js"
import { LabConfig } from "./LabConfig.js"
import * as Proxies from "./Proxies.js"
import * as SignedTokens from "./SignedTokens.js"
import * as TokenFile from "./TokenFile.js"
import * as User from "./User.js"

/** The user cannot be identified. */
export class UnknownUser extends Schema.TaggedError<UnknownUser>()("UnknownUser", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

export interface Visitor {
  readonly address: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** The sender of this request. */
export const visitorIn = ({ headers, socket }: IncomingMessage): Visitor => ({
  address: socket.remoteAddress,
  headers
})

/** An admitted user, and for how long. */
export interface Admitted {
  readonly user: User.User
  /** Completes with the reason when access ends; a proxy's word lasts as long as the connection. */
  readonly ended: Effect.Effect<string>
}

export type NotAdmitted = UnknownUser | TooManyAttempts

export class Users extends Context.Service<Users, {
  /** The user named by the request, without reading a handshake; undefined if it names none. */
  readonly ofRequest: (visitor: Visitor) => Effect.Effect<Admitted | undefined, NotAdmitted>
  /** The user of a token this visitor sends in another way. */
  readonly ofToken: (visitor: Visitor, token: string | undefined) => Effect.Effect<Admitted, NotAdmitted>
  /**
   * A cookie that stands for this visitor's token from now on. It is not the token and is worth nothing
   * elsewhere.
   */
  readonly logIn: (visitor: Visitor, token: string) => Effect.Effect<string, NotAdmitted>
  /** The visitor's cookie stops being valid. */
  readonly logOut: (visitor: Visitor) => Effect.Effect<void>
  /** A trusted proxy reports that the browser uses TLS. */
  readonly isSecure: (visitor: Visitor) => boolean
}>()("ai-relay/lab/Users") {
  static readonly layer = Layer.effect(this, Effect.suspend(() => make))
}

export const cookieName = "ai_relay_lab"

const bearer = (authorization: string | undefined) => /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]

/** The cookie set by the login page. */
const cookie = ({ headers }: Visitor): string | undefined =>
  headers.cookie?.split(/; */).find((pair) => pair.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1)

/** Number of logins remembered; the oldest is dropped. */
const mostLogins = 10_000

const missing = new UnknownUser({
  reason: "an access token is needed: send it as `Authorization: Bearer …`, or as `token` in the handshake"
})
const wrong = new UnknownUser({ reason: "the access token is wrong: get a new one" })

/** Long enough for any id, short enough for any log. */
const toUser = (id: string, ended: Effect.Effect<string> = Effect.never) =>
  id.length > 0 && id.length <= 256
    ? Effect.succeed<Admitted>({ user: User.make(id), ended })
    : Effect.fail(new UnknownUser({ reason: "a user's id must have 1 to 256 characters" }))

const make = Effect.gen(function*() {
  const settings = yield* LabConfig
  const proxies = yield* Proxies.make(settings)
  const sources = [
    ...Option.isSome(settings.tokens_file) ? [yield* TokenFile.make(settings.tokens_file.value)] : [],
    ...(yield* SignedTokens.make(settings))
  ]

  const attempts = FailedAttempts.make()

  /** The token's user, or why an unknown token may still be somebody's. */
  const lookUp = Effect.fnUntraced(function*(token: string) {
    let doubt: SignedTokens.TokenInDoubt | undefined
    for (const source of sources) {
      const said = yield* Effect.match(source(token), {
        onFailure: (doubt) => doubt,
        onSuccess: (vouched) => vouched
      })
      if (said === undefined) continue
      if ("user" in said) return said
      doubt ??= said
    }
    return doubt
  })

  const ofToken = Effect.fn("Users.ofToken")(function*(visitor: Visitor, token: string | undefined) {
    if (token === undefined) return yield* missing
    const address = proxies.addressOf(visitor)
    const said = yield* lookUp(token)
    if (said !== undefined && "user" in said) {
      attempts.succeeded(address)
      return yield* toUser(said.user, said.ended)
    }
    const now = yield* Clock.currentTimeMillis
    const refusal = attempts.refusalOf(address, now)
    if (refusal !== undefined) return yield* new TooManyAttempts({ reason: refusal })
    if (said !== undefined) return yield* new UnknownUser({ reason: said.reason })
    attempts.failed(address, now)
    return yield* wrong
  })

  const ofRequest = Effect.fn("Users.ofRequest")(function*(visitor: Visitor) {
    const id = proxies.userOf(visitor)
    if (id !== undefined) return yield* toUser(id)
    const token = bearer(visitor.headers.authorization) ?? logins.get(cookie(visitor) ?? "")
    return token === undefined ? undefined : yield* ofToken(visitor, token)
  })

  /** The token each cookie stands for. */
  const logins = new Map<string, string>()
  const logIn = Effect.fn("Users.logIn")(function*(visitor: Visitor, token: string) {
    yield* ofToken(visitor, token)
    const id = randomBytes(32).toString("base64url")
    logins.set(id, token)
    for (const oldest of logins.keys()) {
      if (logins.size <= mostLogins) break
      logins.delete(oldest)
    }
    return id
  })
  const logOut = (visitor: Visitor) => Effect.sync(() => void logins.delete(cookie(visitor) ?? ""))

  const isSecure = ({ address, headers }: Visitor) =>
    proxies.isTrusted(address) && headers["x-forwarded-proto"] === "https"

  return Users.of({ isSecure, logIn, logOut, ofRequest, ofToken })
})
