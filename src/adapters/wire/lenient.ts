/**
 * lenient: how native messages are read. A field of another type than expected costs that field, never the message: an
 * agent that tells its cost as a text has still ended its turn.
 */
import { Option, Schema } from "effect"
import { NativeBlock } from "../../schema/ContentBlock.js"

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** To the compiler a lenient field is as strict as the agent's own types, which a test compares with them. */
type Optional<A, I> = Schema.PropertySignature<"?:", A, never, "?:", I | null | undefined>
type Defaulted<A, I> = Schema.PropertySignature<":", A, never, "?:", I | null | undefined>

/** A field that is absent when it is missing, null, or of another type. */
export const optional = <A, I>(field: Schema.Codec<A, I>): Optional<A, I> => {
  const read = Schema.decodeUnknownOption(field)
  return Schema.optionalToOptional(Schema.Unknown, Schema.typeSchema(field), {
    decode: Option.flatMap((value) => value === null || value === undefined ? Option.none() : read(value)),
    encode: (value) => value
  }) as unknown as Optional<A, I> // See above.
}

/** A field that is `fallback` when it is missing, null, or of another type. */
export const withFallback = <A, I>(field: Schema.Codec<A, I>, fallback: A): Defaulted<A, I> => {
  const read = Schema.decodeUnknownOption(field)
  return Schema.optionalToRequired(Schema.Unknown, Schema.typeSchema(field), {
    decode: (value) => Option.getOrElse(Option.flatMap(value, (value) => read(value)), () => fallback),
    encode: Option.some
  }) as unknown as Defaulted<A, I> // See above.
}

export const text = optional(Schema.String)
export const number = optional(Schema.Finite)
export const flag = optional(Schema.Boolean)
export const AnyObject = Schema.Record(Schema.String, Schema.Unknown)

/** A list without the entries that are of another type. */
export const items = <A, I>(
  element: Schema.Codec<A, I>
): Schema.Schema<ReadonlyArray<A>, ReadonlyArray<I>> => {
  const read = Schema.decodeUnknownOption(element)
  return Schema.transform(Schema.Array(Schema.Unknown), Schema.Array(Schema.typeSchema(element)), {
    strict: false,
    decode: (entries) => entries.flatMap((entry) => Option.toArray(read(entry))),
    encode: (entries) => entries
  }) as unknown as Schema.Schema<ReadonlyArray<A>, ReadonlyArray<I>> // See above.
}

/** An object without the fields that are of another type. */
export const fieldsOf = <A, I>(
  value: Schema.Codec<A, I>
): Schema.Schema<{ readonly [name: string]: A }, { readonly [name: string]: I }> => {
  const read = Schema.decodeUnknownOption(value)
  return Schema.transform(AnyObject, Schema.Record(Schema.String, Schema.typeSchema(value)), {
    strict: false,
    decode: (fields) =>
      Object.fromEntries(
        Object.entries(fields).flatMap(([name, field]) =>
          Option.toArray(read(field)).map((known) => [name, known])
        )
      ),
    encode: (fields) => fields
  }) as unknown as Schema.Schema<{ readonly [name: string]: A }, { readonly [name: string]: I }> // See above.
}

/** A block of whatever an agent put where one belongs; a text alone is a text block. */
const toBlocks = (value: unknown): ReadonlyArray<NativeBlock> => {
  if (typeof value === "string") return [{ type: "text", text: value }]
  if (!isObject(value)) return []
  const { text, type } = value
  if (typeof type === "string") return [value as NativeBlock] // It has a `type`, and its fields are open.
  return typeof text === "string" ? [{ ...value, type: "text" }] : []
}

/** Content: a list of blocks, a block, or a text. */
export const readBlocks = (value: unknown): ReadonlyArray<NativeBlock> =>
  Array.isArray(value) ? value.flatMap(toBlocks) : toBlocks(value)

export const Blocks = Schema.transform(Schema.Unknown, Schema.Array(NativeBlock), {
  strict: false,
  decode: readBlocks,
  encode: (blocks) => blocks
}) as unknown as Schema.Schema<ReadonlyArray<NativeBlock>, ReadonlyArray<typeof NativeBlock.Encoded>> // See above.
