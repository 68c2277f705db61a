/**
 * jsonSchema: reads a form's schema into its fields.
 *
 * References within the schema (`#/$defs/…`) are replaced by their targets, `allOf` by its parts combined,
 * and "this or null" by this. Values to choose from become `choices` and types to choose from `any_of`,
 * however they are expressed. A form is flat, so only its fields, the entries of their lists and their
 * choices are read, no deeper.
 *
 * A reference that leads back to itself or outside is `lost`, and so is a field about which nothing else is
 * known. The work is bounded, whatever the schema contains.
 */
import { Predicate } from "effect"

export type Json = Readonly<Record<string, unknown>>

/** Limits no real field or form exceeds: references may double with each step. */
const mostSteps = { field: 2000, form: 50_000 } as const
/** No person writes a longer chain of references. */
const deepest = 32
/** A field, the entries of its list, their choices. */
const fieldDepth = 4

const isObject = (value: unknown): value is Json => Predicate.isObject(value) && !Array.isArray(value)

const isNull = (schema: unknown) =>
  isObject(schema) && (schema["type"] === "null" || schema["const"] === null)

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

// --- what two schemas say together -----------------------------------------------------------------------------------

type Join = (one: unknown, other: unknown) => unknown

const numbers = (choose: (one: number, other: number) => number): Join => (one, other) =>
  typeof one === "number" && typeof other === "number" ? choose(one, other) : other

const lists =
  (join: (one: ReadonlyArray<unknown>, other: ReadonlyArray<unknown>) => unknown): Join => (one, other) =>
    Array.isArray(one) && Array.isArray(other) ? join(one, other) : other

const keyOf = (value: unknown): string => JSON.stringify(value) ?? ""
const unique = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> => [
  ...new Map(values.map((value) => [keyOf(value), value])).values()
]

const bothSchemas: Join = (one, other) => ({ allOf: [one, other] })

const bothFields: Join = (one, other) => {
  if (!isObject(one) || !isObject(other)) return other
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])]
  return Object.fromEntries(names.map((name) => [
    name,
    Object.hasOwn(one, name) && Object.hasOwn(other, name)
      ? bothSchemas(one[name], other[name])
      : Object.hasOwn(other, name)
      ? other[name]
      : one[name]
  ]))
}

const wholeMultiple = (one: number, other: number): number => {
  const divisor = (a: number, b: number): number => b === 0 ? a : divisor(b, a % b)
  return Number.isInteger(one) && Number.isInteger(other) && one > 0 && other > 0
    ? one / divisor(one, other) * other
    : other
}

const bothTypes: Join = (one, other) => {
  const all = (types: unknown) => Array.isArray(types) ? types : [types]
  const common = all(one).flatMap((type: unknown) =>
    all(other).includes(type)
      ? [type]
      : type === "number" && all(other).includes("integer")
      ? ["integer"]
      : type === "integer" && all(other).includes("number")
      ? ["integer"]
      : []
  )
  return common.length === 0 ? other : common.length === 1 ? common[0] : common
}

const bothPatterns: Join = (one, other) =>
  typeof one === "string" && typeof other === "string" && one !== other
    ? `^(?=[^]*?(?:${one}))(?=[^]*?(?:${other}))`
    : other

/** Members not listed here: if both schemas have one, the second wins. */
const joins: Readonly<Record<string, Join>> = {
  properties: bothFields,
  required: lists((one, other) => unique([...one, ...other])),
  type: bothTypes,
  choices: lists((one, other) => {
    const offered = new Set(one.map((choice) => keyOf((choice as Choice).const)))
    return other.filter((choice) => offered.has(keyOf((choice as Choice).const)))
  }),
  groups: lists((one, other) => [...one, ...other]),
  items: bothSchemas,
  minimum: numbers(Math.max),
  exclusiveMinimum: numbers(Math.max),
  minLength: numbers(Math.max),
  minItems: numbers(Math.max),
  maximum: numbers(Math.min),
  exclusiveMaximum: numbers(Math.min),
  maxLength: numbers(Math.min),
  maxItems: numbers(Math.min),
  multipleOf: numbers(wholeMultiple),
  pattern: bothPatterns,
  uniqueItems: (one, other) => one === true || other === true
}

const both = (one: Json, other: Json): Json => {
  const shared = Object.keys(other).filter((name) => Object.hasOwn(one, name) && Object.hasOwn(joins, name))
  return {
    ...one,
    ...other,
    ...Object.fromEntries(shared.map((name) => [name, joins[name]?.(one[name], other[name])]))
  }
}

// --- forms -----------------------------------------------------------------------------------------------------------

/** A value to choose from. */
export interface Choice {
  readonly const: unknown
  readonly title?: unknown
  readonly description?: unknown
}

/** Schemas of which at least one must match or, with `only_one`, exactly one. */
interface Group {
  readonly only_one: boolean
  readonly of: ReadonlyArray<unknown>
}

/** A schema without references, parts and alternatives at its top; those are in `choices` and `groups`. */
interface Flat extends Json {
  readonly groups?: ReadonlyArray<Group>
  readonly choices?: ReadonlyArray<Choice>
}

export interface ReadField {
  /** `choices` and `any_of` replace `enum`, `oneOf` and `anyOf`. */
  readonly field: Json
  /** The first reference that leads nowhere, if nothing else is known about the field. */
  readonly lost?: string
}

export interface ReadFields {
  readonly fields: ReadonlyMap<string, ReadField>
  readonly required: ReadonlyArray<string>
}

export interface ReadForm extends ReadFields {
  /** One alternative of each group must match as well. */
  readonly alternatives: ReadonlyArray<{ readonly only_one: boolean; readonly of: ReadonlyArray<ReadFields> }>
}

const namesIn = (list: unknown): ReadonlyArray<string> =>
  Array.isArray(list) ? list.filter((name) => typeof name === "string") : []

const toGroups = (anyOf: unknown, oneOf: unknown): ReadonlyArray<Group> =>
  [{ only_one: false, of: anyOf }, { only_one: true, of: oneOf }].flatMap(({ of, only_one }) =>
    Array.isArray(of) && of.length > 0 ? [{ only_one, of }] : []
  )

const toChoices = ({ enum: values, enumNames }: Json): ReadonlyArray<Choice> | undefined =>
  Array.isArray(values)
    ? values.map((value: unknown, index) => {
      const title: unknown = Array.isArray(enumNames) ? enumNames[index] : undefined
      return { const: value, ...(typeof title === "string" && { title }) }
    })
    : undefined

/** Members that say what kind of value it is. */
const telling = ["type", "choices", "any_of", "const", "items", "properties"]

/** The form a schema describes; undefined if it describes none. */
export const readForm = (root: unknown): ReadForm | undefined => {
  if (!isObject(root)) return undefined
  const { readFields, flat } = makeReader(root)
  const form = flat(root)
  const groups = form.groups ?? []
  // A group of one is not a choice.
  const [alone, choices] = [
    groups.filter(({ of }) => of.length === 1),
    groups.filter(({ of }) => of.length > 1)
  ]
  const base = alone.reduce<Json>((said, { of }) => both(said, flat(of[0])), form)
  const branches = choices.map(({ of, only_one }) => ({ only_one, of: of.map((branch) => flat(branch)) }))
    .filter(({ of }) => of.some((branch) => "properties" in branch || "required" in branch))
  if (!isObject(base["properties"]) && branches.length === 0) return undefined
  const own = isObject(base["properties"]) ? base["properties"] : {}
  const propertiesOf = ({ properties }: Json): Json => isObject(properties) ? properties : {}

  /** A field present in all branches takes one of their definitions. */
  const inBranches = branches.map(({ of }): Json => {
    const names = [...new Set(of.flatMap((branch) => Object.keys(propertiesOf(branch))))]
    return Object.fromEntries(names.flatMap((name) => {
      const said = of.flatMap((branch) => {
        const properties = propertiesOf(branch)
        return Object.hasOwn(properties, name) ? [properties[name]] : []
      })
      const isKnown = Object.hasOwn(own, name) && said.length < of.length
      return isKnown ? [] : [[name, said.length === 1 ? said[0] : { anyOf: said }]]
    }))
  })
  const properties = inBranches.reduce<Json>((said, more) => bothFields(said, more) as Json, own)
  const more = base["additionalProperties"]
  const required = namesIn(base["required"])
  const always = branches.flatMap(({ of }) => {
    const [first, ...others] = of.map((branch) => namesIn(branch["required"]))
    return (first ?? []).filter((name) => others.every((names) => names.includes(name)))
  })
  return {
    ...readFields(properties, [...new Set([...required, ...always])], isObject(more) ? more : {}),
    alternatives: branches.map(({ of, only_one }) => ({
      only_one,
      of: of.map((branch) => {
        const names = namesIn(branch["required"])
        const wanted = names.filter((name) => !Object.hasOwn(propertiesOf(branch), name))
        const known = Object.fromEntries(
          wanted.flatMap((name) => Object.hasOwn(properties, name) ? [[name, properties[name]]] : [])
        )
        const said = Object.fromEntries(
          Object.entries(propertiesOf(branch)).map(([name, field]) => [
            name,
            Object.hasOwn(own, name) ? bothSchemas(own[name], field) : field
          ])
        )
        return readFields({ ...said, ...known }, names, {})
      })
    }))
  }
}

/** Reads a single field. */
export const readField = (schema: unknown): ReadField => makeReader(schema).readField(schema)

const makeReader = (root: unknown) => {
  let steps = 0
  let all = 0
  let lost: Array<string> = []

  const flat = (schema: unknown, path: ReadonlyArray<string> = []): Flat => {
    if (!isObject(schema)) return {}
    if (++steps > mostSteps.field || ++all > mostSteps.form) {
      lost.push("a form without end")
      return {}
    }
    const { $ref, allOf, anyOf, any_of: _types, choices: _choices, groups: _groups, oneOf, ...own } = schema
    const { enum: _enum, enumNames: _names, ...others } = own
    const choices = toChoices(own)
    const groups = toGroups(anyOf, oneOf).map(({ of, only_one }) => ({
      only_one,
      of: of.length > 1 ? of.filter((one) => !isNull(one)) : of
    })).filter(({ of }) => of.length > 0)
    const parts = [
      ...typeof $ref === "string" ? [follow($ref, path)] : [],
      ...Array.isArray(allOf) ? allOf.map((part) => flat(part, path)) : [],
      { ...others, ...(choices !== undefined && { choices }), ...(groups.length > 0 && { groups }) }
    ]
    return parts.reduce<Json>(both, {})
  }

  const follow = ($ref: string, path: ReadonlyArray<string>): Json => {
    const target = targetOf(root, $ref)
    if (isObject(target) && !path.includes($ref) && path.length < deepest) {
      return flat(target, [...path, $ref])
    }
    lost.push($ref)
    return {}
  }

  /** Its own values first, then the types it may have. */
  const fieldOf = (schema: unknown, deep = fieldDepth): Json => {
    if (deep === 0) {
      lost.push("a form without end")
      return {}
    }
    const { groups = [], items, ...said } = flat(schema)
    const entries = isObject(items) ? { items: fieldOf(items, deep - 1) } : {}
    return groups.reduce<Json>((field, { of }) => {
      const kinds = unique(of.map((one) => fieldOf(one, deep - 1))) as ReadonlyArray<Json>
      const choices = kinds.flatMap((kind) => choicesIn(kind) ?? [])
      const [kind, ...more] = kinds.filter((kind) => choicesIn(kind) === undefined)
      const whole = more.length === 0 && kind !== undefined ? both(kind, field) : field
      return {
        ...whole,
        ...(choices.length > 0 && {
          choices: joins["choices"]?.(field["choices"], choices),
          ...(kind !== undefined && { custom: true })
        }),
        ...(more.length > 0 && { any_of: [kind, ...more] })
      }
    }, { ...typesOf(said), ...entries })
  }

  const readField = (schema: unknown): ReadField => {
    lost = []
    steps = 0
    const field = fieldOf(schema)
    const isKnown = (said: unknown) => isObject(said) && telling.some((name) => name in said)
    const [first] = lost
    const isLost = first !== undefined && (!isKnown(field) || ("items" in field && !isKnown(field["items"])))
    return { field, ...(isLost && { lost: first }) }
  }

  return {
    flat,
    readField,
    /** `more`: the definition of a field that is required but not described anywhere. */
    readFields: (properties: Json, required: ReadonlyArray<string>, more: Json): ReadFields => {
      const undescribed = required.filter((name) => !Object.hasOwn(properties, name))
      const all = [...Object.entries(properties), ...undescribed.map((name) => [name, more] as const)]
      return { required, fields: new Map(all.map(([name, schema]) => [name, readField(schema)])) }
    }
  }
}

/** Values of a field that can only be one of several. */
const choicesIn = ({ choices, const: only, ...said }: Json): ReadonlyArray<Choice> | undefined => {
  if (only !== undefined) return [{ ...said, const: only }]
  return Array.isArray(choices) && said["custom"] !== true ? choices as ReadonlyArray<Choice> : undefined
}

/** A list of types allows null or several types. */
const typesOf = ({ type, ...said }: Json): Json => {
  if (!Array.isArray(type)) return type === undefined ? said : { ...said, type }
  const types = type.filter((name) => typeof name === "string" && name !== "null")
  return types.length < 2 || said["choices"] !== undefined
    ? { ...said, ...(types.length > 0 && { type: types[0] as unknown }) }
    : { ...said, any_of: types.map((name: unknown) => ({ ...said, type: name })) }
}
