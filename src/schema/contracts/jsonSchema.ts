/**
 * jsonSchema: every frame as JSON Schema (draft 07), made from the schemas the relay decodes with.
 *
 * Unknown fields are allowed everywhere: both sides ignore what they do not know.
 */
import { JsonSchema, Schema } from "effect"
import { commands, events, type Frame, handshake } from "./frames.js"

/** Of the protocol. It only grows. */
export const version = "1.0.0"

export type Json = { readonly [name: string]: unknown }

/** What Effect says by itself repeats the schema in other words; its ids for "anything" are not unique. */
const isNoise = (name: string, value: unknown): boolean =>
  name === "title" || name === "$id" ||
  (name === "description" && typeof value === "string" && /^an? (?!.*\.$)/.test(value))

const tidy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(tidy)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(flat(value as Json)) // An object.
      .filter(([name, inner]) => !(isNoise(name, inner) && typeof inner === "string"))
      .filter(([name, inner]) => !(name === "required" && Array.isArray(inner) && inner.length === 0))
      .map(([name, inner]) => [name, tidy(inner)])
  )
}

/** What lies in `allOf` with nothing beside it that says otherwise is said in the schema itself. */
const flat = (schema: Json): Json => {
  const { allOf, ...rest } = schema
  if (!Array.isArray(allOf)) return schema
  const parts: ReadonlyArray<Json> = allOf
  return parts.every((part) =>
      Object.keys(part).every((name) => !(name in rest) || rest[name] === part[name])
    )
    ? Object.assign({}, rest, ...parts)
    : schema
}

/** The same, where its parts lie under `path`. */
const pointingTo = (path: string, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((inner) => pointingTo(path, inner))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === "$ref" && typeof inner === "string"
        ? inner.replace(/^#\/definitions\//, path)
        : pointingTo(path, inner)
    ])
  )
}

/** The schema of one value, with its parts in `definitions`. */
export const schemaOf = (
  schema: Schema.Top,
  definitions: Record<string, JsonSchema.JsonSchema>,
  definitionPath: string
): Json => {
  const made = JsonSchema.toDocumentDraft07(Schema.toJsonSchemaDocument(schema))
  Object.assign(definitions, made.definitions)
  return pointingTo(definitionPath, tidy(made.schema)) as Json // An object in, an object out.
}

/** Each frame by its name, and `Command` and `Event` for any of them. Refers to others below `path`. */
export const definitionsAt = (path: string): Readonly<Record<string, Json>> => {
  const parts: Record<string, JsonSchema.JsonSchema> = {}
  const toEntry = ({ about, name, schema }: Frame) =>
    [name, { description: about, ...schemaOf(schema, parts, path) }] as const
  const anyOf = (frames: ReadonlyArray<Frame>) => ({
    anyOf: frames.map(({ name }) => ({ $ref: path + name }))
  })
  const frames = [handshake, ...commands, ...events].map(toEntry)
  return {
    ...Object.fromEntries(frames),
    Command: { description: "A frame of the client, after the handshake.", ...anyOf(commands) },
    Event: { description: "A frame of the relay.", ...anyOf(events) },
    ...tidy(parts) as Record<string, Json>
  }
}

export const jsonSchema = (): Json => ({
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "The protocol of ai-relay",
  description: "Every frame, by its name. docs/protocol.md says what they mean and what may be relied on.",
  anyOf: ["Handshake", "Command", "Event"].map((name) => ({ $ref: `#/definitions/${name}` })),
  definitions: definitionsAt("#/definitions/")
})
