/** Share: a link to one session for somebody else: what it may do there, and until when. */
import { Schema } from "effect"
import { Scope } from "./Scope.js"

/** Seconds a link may be good for: a minute to 90 days. */
export const shareSeconds = { least: 60, most: 90 * 24 * 3600 } as const

export const Share = Schema.Struct({
  /** Not `admin`: whoever has a link should not share the relay. */
  scopes: Schema.NonEmptyArray(Schema.Literals(Scope.literals.filter((scope) => scope !== "admin"))),
  expires_in: Schema.Int.check(Schema.isBetween({ minimum: shareSeconds.least, maximum: shareSeconds.most }))
})
export type Share = typeof Share.Type
