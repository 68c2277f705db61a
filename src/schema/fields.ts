/**
 * fields: the small vocabulary the wire's schemas are written in.
 *
 * Every field says in words what belongs there, because its message is what a client author reads when it is wrong.
 */
import { Schema } from "effect"

/** A field that may be left out. `null` means the same: clients in other languages send it for "absent". */
export const optional = <A, I, R>(field: Schema.Schema<A, I, R>) =>
  Schema.optionalWith(field, { exact: true, nullable: true })

/** A field of an event: present or absent, never null. */
export const present = <A, I, R>(field: Schema.Schema<A, I, R>) => Schema.optionalKey(field)

/** Replace a schema's messages by one sentence: what to put there. */
export const says = (message: string) => ({ message: () => ({ message, override: true }) })

export const Text = Schema.String.annotate(says("must be a string"))
export const NonEmptyText = Schema.NonEmptyString.annotate(
  says("must be a string with at least one character")
)
export const TextList = Schema.Array(Text).annotate(
  says("must be a list of strings, such as [\"--flag\", \"value\"]")
)
export const Flag = Schema.Boolean.annotate(says("must be true or false"))
export const Count = Schema.NonNegativeInt.annotate(says("must be a whole number, 0 or more"))
export const Seconds = Schema.Number.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 31_536_000 })))
  .annotate(
    says("must be a number of seconds from 0 to 31536000 (a year)")
  )
export const TextMap = Schema.Record(Schema.String, Schema.String)
  .annotate(says("must be an object whose values are strings, such as {\"NAME\": \"value\"}"))
export const AnyObject = Schema.Record(Schema.String, Schema.Unknown)
  .annotate(says("must be an object"))

/** An object of named fields. What is wrong in one of them is said of that field, not of the whole. */
export const group = <Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.Struct(fields).annotate({
    message: (issue) => ({
      message: "must be an object",
      override: issue._tag === "Transformation" && issue.issue._tag === "Type"
    })
  })

/** A word out of a fixed list; the message names the list. */
export const oneOf = <const Words extends readonly [string, ...Array<string>]>(...words: Words) =>
  Schema.Literals([...words]).annotate(says(`must be one of ${words.map((word) => `"${word}"`).join(", ")}`))
