/**
 * SignedTokens: identifies users by a signed token (JWT), with a shared secret (HS256) or an issuer's
 * published keys (JWKS).
 *
 * The token's algorithm decides which of the two it is checked against, so a key can never be used as a
 * secret. A token without an expiry (`exp`) is refused, because it could never be revoked.
 */
import { Clock, Effect, Option, Redacted, Schema } from "effect"
import type { LabSettings } from "./LabConfig.js"

/** The token identifies nobody now, but it is not a guess: it was valid once, or cannot be checked at the moment. */
export class TokenInDoubt extends Schema.TaggedError<TokenInDoubt>()("TokenInDoubt", {
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

/** The token's user; `ended` completes with the reason when the token stops being valid. */
export interface Vouched {
  readonly user: string
  readonly ended: Effect.Effect<string>
}

/** Looks up tokens; undefined for an unknown one. */
export type Source = (token: string) => Effect.Effect<Vouched | undefined, TokenInDoubt>

/** Timers cannot run longer than some weeks. */
const longestSleepMs = 24 * 3600 * 1000

const until = (seconds: number): Effect.Effect<string> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const left = seconds * 1000 - now
    return left <= 0 ? Effect.succeed(expired.reason) : Effect.flatMap(
      Effect.sleep(Math.min(left, longestSleepMs)),
      () => until(seconds)
    )
  })

const expired = new TokenInDoubt({ reason: "the access token has expired: get a new one" })
const unchecked = new TokenInDoubt({
  reason: "access tokens cannot be checked at the moment: try again later"
})

type JwtSettings = Pick<LabSettings, "jwt_audience" | "jwt_claim" | "jwt_issuer" | "jwt_jwks" | "jwt_secret">

const asymmetric = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

/**
 * The published keys cannot be fetched or are invalid, which is for the operator to fix. Every other error is
 * the token's.
 */
const ofKeys = ["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID", "ERR_JWK_INVALID"]

/** Tolerance for tokens of machines whose clocks differ, in seconds. */
const clockTolerance = 5

export const make = Effect.fnUntraced(function*(settings: JwtSettings) {
  if (Option.isNone(settings.jwt_secret) && Option.isNone(settings.jwt_jwks)) return []
  const jose = yield* Effect.promise(() => import("jose"))
  const options = {
    clockTolerance,
    requiredClaims: ["exp"],
    ...Option.match(settings.jwt_issuer, { onNone: () => ({}), onSome: (issuer) => ({ issuer }) }),
    ...Option.match(settings.jwt_audience, { onNone: () => ({}), onSome: (audience) => ({ audience }) })
  }

  const userIn = (payload: Record<string, unknown>): string | undefined => {
    const said = payload[settings.jwt_claim]
    return typeof said === "string" ? said : undefined
  }

  const bySecret = Option.toArray(settings.jwt_secret).map((secret) => {
    const key = new TextEncoder().encode(Redacted.value(secret))
    const verify = { ...options, algorithms: ["HS256"] }
    return (token: string) => jose.jwtVerify(token, key, verify)
  })
  const byKeys = Option.toArray(settings.jwt_jwks).map((url) => {
    const keys = jose.createRemoteJWKSet(url)
    const verify = { ...options, algorithms: asymmetric }
    return (token: string) => jose.jwtVerify(token, keys, verify)
  })

  const judge = (error: unknown): Effect.Effect<undefined, TokenInDoubt> => {
    if (!(error instanceof jose.errors.JOSEError) || ofKeys.includes(error.code)) {
      return Effect.andThen(
        Effect.logWarning(`a signed token could not be checked: ${String(error)}`),
        unchecked
      )
    }
    return error instanceof jose.errors.JWTExpired
      ? expired
      : Effect.as(Effect.logDebug(`a signed token was rejected: ${error.message}`), undefined)
  }

  return [...bySecret, ...byKeys].map((verify): Source => (token) =>
    Effect.tryPromise(() => verify(token)).pipe(
      Effect.map(({ payload }) => {
        const user = userIn(payload)
        return user === undefined
          ? undefined
          // It is required.
          : { user, ended: until((payload.exp ?? 0) + clockTolerance) }
      }),
      Effect.catch(({ cause }) => judge(cause))
    )
  )
})
