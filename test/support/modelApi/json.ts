/**
 * json: reads JSON that others wrote (a CLI's request body) without trusting its shape.
 *
 * Each reader answers something empty for what is absent or of another type, so a dialect reads straight on.
 */

export type Json = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const record = (value: unknown): Json => isRecord(value) ? value : {}

export const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

export const records = (value: unknown): ReadonlyArray<Json> => list(value).filter(isRecord)

export const string = (value: unknown): string => typeof value === "string" ? value : ""

/** The request's body; what is not a JSON object is `{}`. */
export const parse = (text: string): Json => {
  try {
    return record(JSON.parse(text))
  } catch {
    return {}
  }
}

/** The smallest value that fits a JSON schema: what a side call that asked for JSON gets. */
export const sampleOf = (schema: unknown): unknown => {
  const { enum: choices, items, properties, type } = record(schema)
  if (list(choices).length > 0) return list(choices)[0]
  switch (string(type).toLowerCase()) {
    case "object":
      return Object.fromEntries(
        Object.entries(record(properties)).map(([key, value]) => [key, sampleOf(value)])
      )
    case "array":
      return items === undefined ? [] : [sampleOf(items)]
    case "integer":
    case "number":
      return 1
    case "boolean":
      return false
    default:
      return "scripted"
  }
}
