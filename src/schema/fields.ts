/**
 * fields: building blocks of the wire's schemas.
 *
 * Every field has a text that says what belongs there, for authors of clients that get it wrong.
 */
import { Option, Schema, SchemaAST, SchemaGetter } from "effect"

/** What is said instead of the message a schema would give: `sentence` for all that is wrong with a value, also inside
 * of it; `ownSentence` only when the value itself is of the wrong kind. `decodeFrame.ts` reads them. */
export interface Sentences {
  readonly sentence?: string
  readonly ownSentence?: string
}

/** The sentences a schema was given. */
export const sentencesOf = (ast: SchemaAST.AST): Sentences => SchemaAST.resolve(ast) ?? {}

/** An optional field. `null` counts as absent, because clients in other languages send it. */
export const optional = <A, I, RD, RE>(field: Schema.Codec<A, I, RD, RE>) => {
  const { ownSentence, sentence } = sentencesOf(field.ast)
  return Schema.optionalKey(
    Schema.NullOr(field).annotate({
      ...(sentence !== undefined && { sentence }),
      ...(ownSentence !== undefined && { ownSentence })
    })
  ).pipe(
    Schema.decodeTo(Schema.optionalKey(Schema.toType(field)), {
      decode: SchemaGetter.transformOptional<A, A | null>(
        Option.filter((value): value is A => value !== null)
      ),
      encode: SchemaGetter.transformOptional<A | null, A>((value) => value)
    })
  )
}

/** A field of an event: present or absent, never null. */
export const present = <A, I, RD, RE>(field: Schema.Codec<A, I, RD, RE>) => Schema.optionalKey(field)

/** Replaces a schema's messages with one sentence that says what to put there. */
export const says = (sentence: string): Sentences & Record<string, string> => ({ sentence })

export const Text = Schema.String.annotate(says("must be a string"))
export const NonEmptyText = Schema.NonEmptyString.annotate(
  says("must be a string with at least one character")
)
export const TextList = Schema.Array(Text).annotate(
  says("must be a list of strings, such as [\"--flag\", \"value\"]")
)
export const Flag = Schema.Boolean.annotate(says("must be true or false"))
export const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate(
  says("must be a whole number, 0 or more")
)
export const Seconds = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 31_536_000 })).annotate(
  says("must be a number of seconds from 0 to 31536000 (a year)")
)
export const TextMap = Schema.Record(Schema.String, Schema.String)
  .annotate(says("must be an object whose values are strings, such as {\"NAME\": \"value\"}"))
export const AnyObject = Schema.Record(Schema.String, Schema.Unknown)
  .annotate(says("must be an object"))

/** An object of named fields. Errors are reported for the field, not for the whole object. */
export const group = <const Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.Struct(fields).annotate({ ownSentence: "must be an object" })

/** One of a fixed list of words; the message names them. */
export const oneOf = <const Words extends readonly [string, ...Array<string>]>(...words: Words) =>
  Schema.Literals(words).annotate(says(`must be one of ${words.map((word) => `"${word}"`).join(", ")}`))
