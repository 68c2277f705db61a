/** fields: a message with any one field of another type, or without it. */
export type NativeFields = Readonly<Record<string, unknown>>

type Step = string | number

/** Values of every type. */
export const others: ReadonlyArray<unknown> = ["x", 7, true, null, {}, [], [null], undefined, {
  a: [{ b: ["c"] }]
}]

/** Values of the same type that nobody expects there. */
const strange: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  number: [-1, 0.5, 1e300],
  string: ["", "\u2028 \u0000"],
  list: [["x", 7, null, {}, [[]]]]
}

export const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "list" : typeof value

/** Those of another type than this, and strange ones of the same. */
export const otherTypes = (value: unknown) => [
  ...others.filter((other) =>
    typeOf(other) !== typeOf(value) || (Array.isArray(other) && other.length === 1)
  ),
  ...strange[typeOf(value)] ?? []
]

const entriesOf = (value: unknown): ReadonlyArray<readonly [Step, unknown]> =>
  Array.isArray(value)
    ? [...value.entries()]
    : typeof value === "object" && value !== null
    ? Object.entries(value)
    : []

const withField = (value: unknown, [step, ...rest]: ReadonlyArray<Step>, field: unknown): unknown => {
  if (step === undefined) return field
  const inner = withField((value as Record<Step, unknown>)[step], rest, field) // It has this step: see `places`.
  if (Array.isArray(value)) return value.with(Number(step), inner ?? null)
  const copy = { ...value as object, [step]: inner }
  return inner === undefined
    ? Object.fromEntries(Object.entries(copy).filter(([name]) => name !== step))
    : copy
}

const places = (value: unknown): ReadonlyArray<readonly [ReadonlyArray<Step>, unknown]> =>
  entriesOf(value).flatMap(([step, inner]) => [
    [[step], inner] as const,
    ...places(inner).map(([path, value]) => [[step, ...path], value] as const)
  ])

export const changedFields = (message: NativeFields) =>
  places(message).flatMap(([path, before]) =>
    otherTypes(before).map((other) => ({
      what: `${path.join(".")} = ${JSON.stringify(other) ?? "nothing"}`,
      changed: withField(message, path, other) as NativeFields // Its own fields stay what it is made of.
    }))
  )
