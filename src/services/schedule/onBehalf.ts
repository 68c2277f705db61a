/**
 * onBehalf: the rights of a schedule: those that the token it was made with has when it runs. It has none once that token was
 * revoked or has expired, even if a new token has the same name. A schedule made without a named token has the operator's.
 */
import { Clock, Effect, Option, Schema } from "effect"
import type { Auth } from "../access/Auth.js"
import { everything, type PrincipalFields } from "../access/Principal.js"
import * as TokenFile from "../access/tokenFile.js"
import { defaultName } from "../access/Tokens.js"
import type { Schedule } from "./Schedule.js"

/** The token that the schedule was made with is no longer valid. */
export class TokenGone extends Schema.TaggedError<TokenGone>()("TokenGone", { token: Schema.String }) {
  override get message() {
    return `The token "${this.token}" it was made with was revoked or has expired: create the schedule again.`
  }
}

const promptingAs = (name: string): PrincipalFields => ({
  name,
  scopes: new Set(["prompt"]),
  ended: Effect.never
})

/** The tokens there are now; undefined without a relay that admits anybody. */
export const tokensOf = (state_dir: string | undefined, auth: Option.Option<Auth["Service"]>) =>
  // Read from the file: other relays of the same folder make and revoke tokens, too.
  state_dir !== undefined
    ? TokenFile.read(TokenFile.fileIn(state_dir))
    : Option.isSome(auth)
    ? auth.value.tokens.list
    : undefined

export const principalOf = Effect.fnUntraced(
  function*(
    known: ReturnType<typeof tokensOf>,
    { created_at, token }: Pick<Schedule, "created_at" | "token">
  ) {
    if (token === undefined || token === defaultName) return everything
    // Then it gets the rights that were needed to make it.
    if (known === undefined) return promptingAs(token)
    const now = (yield* Clock.currentTimeMillis) / 1000
    const tokens = yield* known
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
