/**
 * onBehalf: a schedule may do what the token it was made with may do when it runs: nothing, once that was revoked or its
 * time is over, and nothing by another token that was given the same name since. What was made without a named token is the
 * operator's.
 */
import { Clock, Effect, Schema } from "effect"
import { everything, type PrincipalFields } from "../access/Principal.js"
import * as TokenFile from "../access/tokenFile.js"
import { defaultName } from "../access/Tokens.js"
import type { Schedule } from "./Schedule.js"

/** Who made it may do nothing any more. */
export class TokenGone extends Schema.TaggedError<TokenGone>()("TokenGone", { token: Schema.String }) {
  override get message() {
    return `The token "${this.token}" it was made with was revoked, or its time is over: make it anew.`
  }
}

const promptingAs = (name: string): PrincipalFields => ({
  name,
  scopes: new Set(["prompt"]),
  ended: Effect.never
})

export const principalOf = Effect.fnUntraced(
  function*(state_dir: string | undefined, { created_at, token }: Pick<Schedule, "created_at" | "token">) {
    if (token === undefined || token === defaultName) return everything
    // Tokens are in memory alone then: it may do what it took to make it.
    if (state_dir === undefined) return promptingAs(token)
    const now = (yield* Clock.currentTimeMillis) / 1000
    const tokens = yield* TokenFile.read(TokenFile.fileIn(state_dir))
    const record = tokens.find((record) =>
      record.name === token && (record.expires_at ?? Infinity) > now && record.created_at <= created_at
    )
    if (record === undefined) return yield* new TokenGone({ token })
    const { agents, folders, scopes, sessions } = record
    const principal: PrincipalFields = {
      name: token,
      scopes: new Set(scopes),
      limits: {
        ...(sessions !== undefined && { sessions }),
        ...(folders !== undefined && { folders }),
        ...(agents !== undefined && { agents })
      },
      ended: Effect.never
    }
    return principal
  }
)
