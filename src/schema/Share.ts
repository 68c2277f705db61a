/** Share: a link to one session for somebody else: its rights and its lifetime. */
import { Schema } from "effect"
import { Scope } from "./Scope.js"

/** Lifetime of a link in seconds: a minute to 90 days. */
export const shareSeconds = { least: 60, most: 90 * 24 * 3600 } as const

export const Share = Schema.Struct({
  /** Not `admin`: holders of a link must not control the relay. */
  scopes: Schema.NonEmptyArray(Schema.Literals(Scope.literals.filter((scope) => scope !== "admin"))),
  expires_in: Schema.Int.check(Schema.isBetween({ minimum: shareSeconds.least, maximum: shareSeconds.most }))
})
export type Share = typeof Share.Type
