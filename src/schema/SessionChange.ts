/** SessionChange: what a person makes of a session in the list. */
import { Schema } from "effect"

/** Characters a title may have. */
export const longestTitle = 200

/** A change: what is absent stays as it is; an empty title takes the name away. */
export const SessionChange = Schema.Struct({
  title: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(longestTitle))),
  archived: Schema.optionalKey(Schema.Boolean)
})
export type SessionChange = typeof SessionChange.Type
