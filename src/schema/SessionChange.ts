/** SessionChange: a person's change to a session in the list. */
import { Schema } from "effect"

/** Most characters of a title. */
export const longestTitle = 200

/** A change: absent fields stay as they are; an empty title removes the title. */
export const SessionChange = Schema.Struct({
  title: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(longestTitle))),
  archived: Schema.optionalKey(Schema.Boolean)
})
export type SessionChange = typeof SessionChange.Type
