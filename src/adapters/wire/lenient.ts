/**
 * lenient: how native messages are read. A field of an unexpected type loses only that field, never the
 * message: an agent that reports its cost as a string has still ended its turn.
 */
import { Option, Schema, SchemaGetter } from "effect"
import { NativeBlock } from "../../schema/ContentBlock.js"
import type { optional as strictOptional } from "../../schema/fields.js"
import { wordsIn } from "./words.js"

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** For the compiler, a lenient field is as strict as the agent's own types; a test compares the two. */
type Optional<A, I> = ReturnType<typeof strictOptional<A, I, never, never>>

/** What `read` has decoded: looking at it once more would double the work on each level of a message. */
export const decoded = <A, I>(_field: Schema.Codec<A, I>) => Schema.Unknown as unknown as Schema.Codec<A>

const isThere = (value: unknown) => value !== null && value !== undefined

/** A field that counts as absent if it is missing, null or of another type. */
export const optional = <A, I>(field: Schema.Codec<A, I>): Optional<A, I> => {
  const read = Schema.decodeUnknownOption(field)
  return Schema.optionalKey(Schema.Unknown).pipe(
    Schema.decodeTo(Schema.optionalKey(decoded(field)), {
      decode: SchemaGetter.transformOptional<A, unknown>(
        Option.flatMap((value) => isThere(value) ? read(value) : Option.none())
      ),
      encode: SchemaGetter.transformOptional<unknown, A>((value) => value)
    })
  ) as unknown as Optional<A, I> // See above.
}

/** A field that is `fallback` if it is missing, null or of another type. */
export const withFallback = <A, I>(field: Schema.Codec<A, I>, fallback: A) => {
  const read = Schema.decodeUnknownOption(field)
  return Schema.optionalKey(Schema.Unknown).pipe(
    Schema.decodeTo(decoded(field), {
      decode: SchemaGetter.transformOptional<A, unknown>((value) =>
        Option.some(Option.getOrElse(Option.flatMap(value, (value) => read(value)), () => fallback))
      ),
      encode: SchemaGetter.transformOptional<unknown, A>((value) => value)
    })
  )
}

export const text = optional(Schema.String)
export const number = optional(Schema.Finite)
/** An amount or a count: negative numbers are ignored. */
export const Amount = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
export const amount = optional(Amount)
/** Seconds since 1970, within the range of a date. */
export const moment = optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 8.64e12 })))
export const flag = optional(Schema.Boolean)
export const AnyObject = Schema.Record(Schema.String, Schema.Unknown)

/** A list without its entries of another type. */
export const items = <A, I>(
  element: Schema.Codec<A, I>
): Schema.Codec<ReadonlyArray<A>, ReadonlyArray<I>> => {
  const read = Schema.decodeUnknownOption(element)
  return Schema.Array(Schema.Unknown).pipe(
    Schema.decodeTo(decoded(Schema.Array(element)), {
      decode: SchemaGetter.transform((entries: ReadonlyArray<unknown>) =>
        entries.flatMap((entry) => Option.toArray(read(entry)))
      ),
      encode: SchemaGetter.transform((entries: ReadonlyArray<unknown>) => entries)
    })
  ) as unknown as Schema.Codec<ReadonlyArray<A>, ReadonlyArray<I>> // See above.
}

/** Ids are strings; numbers are accepted. */
export const id = Schema.Union([Schema.NonEmptyString, Schema.Finite]).pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform((id: string | number) => String(id)),
    encode: SchemaGetter.transform((id: string): string | number => id)
  })
)

/** Text for people: a string, or the text found in any other value. */
export const words = Schema.optionalKey(Schema.Unknown).pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transformOptional<string, unknown>((value) =>
      Option.some(Option.getOrElse(
        Option.map(value, (value) => typeof value === "string" ? value : shownWords(value)),
        () => ""
      ))
    ),
    encode: SchemaGetter.transformOptional<unknown, string>((value) => value)
  })
)

/** Null and an empty string count as no text. */
const shownWords = (value: unknown): string =>
  wordsIn(value) ?? (typeof value === "number" || typeof value === "boolean" ? String(value) : "")

type Named<A> = { readonly [name: string]: A }

/** An object without its fields of another type. */
export const fieldsOf = <A, I>(value: Schema.Codec<A, I>): Schema.Codec<Named<A>, Named<I>> => {
  const read = Schema.decodeUnknownOption(value)
  return AnyObject.pipe(
    Schema.decodeTo(decoded(Schema.Record(Schema.String, value)), {
      decode: SchemaGetter.transform((fields: Named<unknown>): Named<A> =>
        Object.fromEntries(
          Object.entries(fields).flatMap(([name, field]) =>
            Option.toArray(read(field)).map((known) => [name, known] as const)
          )
        )
      ),
      encode: SchemaGetter.transform((fields: Named<unknown>) => fields)
    })
  ) as unknown as Schema.Codec<Named<A>, Named<I>> // See above.
}

/** Nesting limit for lists, deeper than any in use. */
const mostLists = 8

/**
 * Content: a list of blocks, a block or a string. Lists may be nested; a value with text that is no block
 * becomes one of unknown kind.
 */
export const readBlocks = (value: unknown, deep = mostLists): ReadonlyArray<NativeBlock> => {
  if (typeof value === "string") return [{ type: "text", text: value }]
  if (typeof value === "number" || typeof value === "boolean") return [{ type: "text", text: String(value) }]
  if (Array.isArray(value)) return deep === 0 ? [] : value.flatMap((entry) => readBlocks(entry, deep - 1))
  if (!isObject(value) || Object.keys(value).length === 0) return []
  const { text, type } = value
  if (type === "text" && typeof text !== "string") return [{ ...value, type, text: wordsIn(text) ?? "" }]
  if (typeof type === "string" && type !== "") return [value as NativeBlock] // It has a `type`, and its fields are open.
  return [{ ...value, type: typeof text === "string" ? "text" : "unknown" }]
}

export const Blocks = Schema.Unknown.pipe(
  Schema.decodeTo(decoded(Schema.Array(NativeBlock)), {
    decode: SchemaGetter.transform((value: unknown) => readBlocks(value)),
    encode: SchemaGetter.transform((blocks: unknown) => blocks)
  })
) as unknown as Schema.Codec<ReadonlyArray<NativeBlock>, ReadonlyArray<typeof NativeBlock.Encoded>> // See above.
