/**
 * jsonPieces: the JSON text of a value in pieces, so that others have their turn while a long answer is made: each item of a list is
 * a piece.
 */

/** What is deeper than this is one piece. */
const levels = 4

/** Types of fields that are left out. */
const hasNoJson = new Set(["undefined", "function", "symbol"])

const isPlain = (value: object) => !("toJSON" in value)

const hasList = (value: object) =>
  Object.values(value).some((field) => Array.isArray(field) && field.length > 0)

export function* jsonPieces(value: unknown, level = levels): Generator<string> {
  if (typeof value !== "object" || value === null || level === 0 || !isPlain(value)) {
    return yield JSON.stringify(value) ?? "null"
  }
  if (Array.isArray(value)) {
    yield "["
    for (let index = 0; index < value.length; index++) {
      if (index > 0) yield ","
      yield* jsonPieces(value[index], level - 1)
    }
    return yield "]"
  }
  if (!hasList(value)) return yield JSON.stringify(value)
  let before = "{"
  for (const [name, field] of Object.entries(value)) {
    if (hasNoJson.has(typeof field)) continue
    yield `${before}${JSON.stringify(name)}:`
    yield* jsonPieces(field, level - 1)
    before = ","
  }
  yield before === "{" ? "{}" : "}"
}
