/**
 * jsonSchema: a form's schema as its fields mean it. References into the schema itself (`#/$defs/…`) are replaced by
 * what they name, `allOf` by what its parts say together, and "this or null" by this. A form is flat, so its fields,
 * the entries of their lists and their choices are looked at, and no deeper.
 *
 * A reference that leads back to itself, or outside, says nothing. The work is bounded, whatever the schema holds.
 */
import { Predicate } from "effect"

type Json = Readonly<Record<string, unknown>>

/** More steps than this no form takes: references may double with each step. */
const mostSteps = 5000
/** A chain of references no person wrote is longer. */
const deepest = 32

const isNull = (schema: unknown) => Predicate.isObject(schema) && (schema as Json)["type"] === "null"

const decodeName = (name: string): string => {
  const plain = name.replaceAll("~1", "/").replaceAll("~0", "~")
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}

const targetOf = (root: unknown, ref: string): unknown => {
  if (ref !== "#" && !ref.startsWith("#/")) return undefined
  return ref.split("/").slice(1).map(decodeName).reduce<unknown>(
    (value, name) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, name)
        ? (value as Json)[name]
        : undefined,
    root
  )
}

const mapFields = (fields: Json, change: (field: unknown) => unknown): object => ({
  properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, change(field)]))
})

/** The schema of a form without references; anything else as it is. */
export const resolved = (root: unknown): unknown => {
  let steps = 0

  /** `path` holds the references that led here. */
  const resolve = (schema: unknown, path: ReadonlyArray<string>, deep: number): unknown => {
    if (!Predicate.isObject(schema) || deep === 0 || ++steps > mostSteps) return schema
    const { $ref, allOf, ...own } = schema as Json
    const followed = typeof $ref === "string" && !path.includes($ref) && path.length < deepest
      ? resolve(targetOf(root, $ref), [...path, $ref], deep)
      : undefined
    const parts = Array.isArray(allOf) ? allOf.map((part) => resolve(part, path, deep)) : []
    const all: ReadonlyArray<unknown> = [followed, ...parts, own]
    return simplified(
      all.reduce<Json>((said, part) => Predicate.isObject(part) ? { ...said, ...part } : said, {}),
      path,
      deep
    )
  }

  const simplified = (schema: Json, path: ReadonlyArray<string>, deep: number): Json => {
    const { anyOf, items, oneOf, ...rest } = schema
    const [name, all] = Array.isArray(oneOf) ? ["oneOf", oneOf] : ["anyOf", anyOf]
    const choices = Array.isArray(all) ? all.filter((choice) => !isNull(choice)) : []
    const entries = { ...(items !== undefined && { items: resolve(items, path, deep - 1) }) }
    if (choices.length === 1 && Array.isArray(all) && all.length > 1) {
      return { ...resolve(choices[0], path, deep) as Json, ...rest, ...entries }
    }
    return {
      ...rest,
      ...entries,
      ...(choices.length > 0 &&
        { [name as string]: choices.map((choice) => resolve(choice, path, deep - 1)) })
    }
  }

  if (!Predicate.isObject(root)) return root
  const form = resolve(root, [], 1) as Json
  const { properties } = form
  if (!Predicate.isObject(properties)) return root
  return { ...form, ...mapFields(properties, (field) => resolve(field, [], 3)) }
}
