/**
 * elicitation: converts a form or link that an agent, or an MCP server behind it, puts to a person into a
 * permission request. The Agent Client Protocol, Codex and Claude Code all use MCP's own format.
 *
 * A form becomes questions, one per field, with the field's type and bounds. Answers may use a field's name
 * or its question, and an option's label or its value; they are converted to what the form's schema requires.
 */
import { Option, Predicate, Schema } from "effect"
import {
  type Alternatives,
  answersOf,
  fittingOf,
  type PermissionOption,
  type PermissionRequest,
  type Question,
  type QuestionOption,
  readAnswer,
  type RequestId
} from "../../schema/index.js"
import type { PermissionAllowed, PermissionOutcome } from "../Adapter.js"
import { type ReadField, readField, type ReadFields, readForm } from "./jsonSchema.js"
import { AnyObject, flag, id, items, number, optional, text, withFallback, words } from "./lenient.js"

const Choice = Schema.Struct({
  const: Schema.Unknown,
  title: text,
  description: text,
  _meta: optional(AnyObject)
})
type Choice = typeof Choice.Type

/** What a value must be; `const`: it can only be this one. */
const Value = {
  type: text,
  /** In JSON, a value from a list may be of any type. */
  choices: optional(items(Choice)),
  const: optional(Schema.Unknown),
  properties: optional(AnyObject),
  minimum: number,
  maximum: number,
  exclusiveMinimum: number,
  exclusiveMaximum: number,
  multipleOf: number,
  minLength: number,
  maxLength: number,
  pattern: text,
  format: text
}
const Field = Schema.Struct({
  title: text,
  description: text,
  ...Value,
  items: optional(Schema.Struct(Value)),
  any_of: optional(items(Schema.Struct(Value))),
  /** Values other than the choices are allowed too. */
  custom: flag,
  default: optional(Schema.Unknown),
  minItems: number,
  maxItems: number,
  uniqueItems: flag
})
type Field = typeof Field.Type

/** A field in OpenAI's own format; its other members follow JSON Schema. */
const ListedField = Schema.StructWithRest(
  Schema.Struct({
    id: text,
    name: text,
    label: text,
    title: text,
    required: withFallback(Schema.Boolean, true),
    options: optional(items(Schema.Union([Schema.String, AnyObject])))
  }),
  [AnyObject]
)
const ListedForm = Schema.Struct({ fields: withFallback(items(ListedField), []) })

type Fields = ReadonlyMap<string, Field>
interface FieldSet {
  readonly fields: Fields
  readonly required: ReadonlyArray<string>
}
interface Form extends FieldSet {
  readonly alternatives: ReadonlyArray<{ readonly only_one: boolean; readonly of: ReadonlyArray<FieldSet> }>
  /** Fields known only by a reference that leads nowhere. */
  readonly lost: ReadonlyArray<{ readonly id: string; readonly ref: string }>
}

/** The params of `elicitation/create`. */
export const Elicitation = Schema.Struct({
  sessionId: text,
  mode: text,
  message: words,
  toolCallId: optional(id),
  url: text,
  elicitationId: text,
  requestedSchema: optional(Schema.Unknown)
})
export type Elicitation = typeof Elicitation.Type

/** An option in OpenAI's own format. */
const toChoice = (option: string | Readonly<Record<string, unknown>>): Choice => {
  if (typeof option === "string") return { const: option }
  const { const: constant, description, id, label, title, value = constant ?? id } = option
  const name = [label, title].find((text) => typeof text === "string")
  return {
    const: value ?? name,
    ...(typeof name === "string" && { title: name }),
    ...(typeof description === "string" && { description })
  }
}

const readListed = Schema.decodeUnknownOption(ListedForm)
const readKnown = Schema.decodeUnknownOption(Field)

const toFields = ({ fields, required }: ReadFields): FieldSet => ({
  required,
  fields: new Map(
    [...fields].flatMap(([id, { field, lost }]) =>
      lost === undefined ? [[id, Option.getOrElse(readKnown(field), (): Field => ({}))]] : []
    )
  )
})

const lostOf = (fields: ReadonlyMap<string, ReadField>): Form["lost"] =>
  [...fields].flatMap(([id, { lost }]) => lost === undefined ? [] : [{ id, ref: lost }])

/** OpenAI's own format: a list of fields. */
const listedForm = (schema: unknown): Form => {
  const { fields } = Option.getOrElse(
    readListed(Array.isArray(schema) ? { fields: schema } : schema),
    (): typeof ListedForm.Type => ({ fields: [] })
  )
  const named = fields.flatMap(({ id, label, name, options, required, ...field }) => {
    const key = id ?? name
    if (key === undefined) return []
    const title = field.title ?? label ?? key
    const asked = { ...field, title, ...(options !== undefined && { oneOf: options.map(toChoice) }) }
    return [{ key, required, asked: readField(asked) }]
  })
  const all = new Map(named.map(({ asked, key }) => [key, asked]))
  const required = named.flatMap(({ key, required }) => required ? [key] : [])
  return { ...toFields({ fields: all, required }), alternatives: [], lost: lostOf(all) }
}

const formOf = ({ requestedSchema }: Elicitation): Form => {
  const form = readForm(requestedSchema)
  if (form === undefined) return listedForm(requestedSchema)
  return {
    ...toFields(form),
    alternatives: form.alternatives.map(({ of, only_one }) => ({ only_one, of: of.map(toFields) })),
    lost: lostOf(form.fields)
  }
}

/** `size_custom` next to `size` takes an answer that is not among the options of `size`. */
const freeTextOf = (id: string) => `${id}_custom`

const isFreeText = (id: string, fields: Fields) =>
  id.endsWith("_custom") && fields.has(id.slice(0, -"_custom".length))

/** If no type is given, other members may imply it. */
const typeOf = ({ const: only, items, properties, type }: Field): string => {
  if (type !== undefined) return type
  if (items !== undefined) return "array"
  if (properties !== undefined) return "object"
  return typeof only === "number" || typeof only === "boolean" ? typeof only : "string"
}

const yesAndNo: ReadonlyArray<Choice> = [{ const: true, title: "Yes" }, { const: false, title: "No" }]

const choicesOf = (field: Field): ReadonlyArray<Choice> => {
  const { choices = [], const: only, items } = field
  if (items !== undefined) return typeOf(items) === "boolean" ? [] : choicesOf(items)
  if (typeOf(field) === "boolean") return yesAndNo.filter((choice) => (only ?? choice.const) === choice.const)
  if (only !== undefined) return [{ const: only }]
  return choices
}

/** claude-agent-acp merges an option's description into its title; the original is next to it. */
const describedBy = ({ _meta }: Choice): string | undefined => {
  const detail = _meta?.["_claude/askUserQuestionOption"]
  return Predicate.hasProperty(detail, "description") && typeof detail.description === "string"
    ? detail.description
    : undefined
}

const toOption = (choice: Choice): QuestionOption => {
  const apart = describedBy(choice)
  const description = apart ?? choice.description
  const value = choice.const
  const name = typeof value === "string" ? value : JSON.stringify(value) ?? ""
  const label = apart === undefined ? choice.title ?? name : name
  return {
    label,
    ...(description !== undefined && { description }),
    ...(label !== value && typeof value !== "boolean" && { value })
  }
}

const valueBounds = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "format"
] as const
const bounds = [...valueBounds, "minItems", "maxItems", "uniqueItems", "default"] as const

const told = <Name extends string>(
  names: ReadonlyArray<Name>,
  field: { readonly [name in Name]?: unknown }
): object =>
  Object.fromEntries(names.flatMap((name) => field[name] === undefined ? [] : [[name, field[name]]]))

const toQuestionsOf = (
  { fields, required }: FieldSet,
  { known = fields, message = "" }: { readonly known?: Fields; readonly message?: string }
): ReadonlyArray<Question> => {
  const asked = [...fields].filter(([id]) => !isFreeText(id, known))
  // In a form of one field, the message is the question.
  const alone = asked.length === 1 && message !== ""
  return asked.map(([id, field]) => {
    const { any_of, custom, description, title } = field
    const type = typeOf(field)
    const choices = choicesOf(field)
    return {
      id,
      question: description ?? (alone ? message : title ?? id),
      ...(title !== undefined && { header: title }),
      ...(choices.length > 0 && { options: choices.map(toOption) }),
      multiSelect: type === "array",
      type,
      required: required.includes(id),
      ...((custom === true || known.has(freeTextOf(id))) && { custom: true }),
      ...told(bounds, field),
      ...(any_of !== undefined && {
        any_of: any_of.map((kind) => ({ type: typeOf(kind), ...told(valueBounds, kind) }))
      }),
      ...(field.items !== undefined && choices.length === 0 && {
        items: { type: typeOf(field.items), ...told(valueBounds, field.items) }
      })
    }
  })
}

const toAlternatives = ({ alternatives, fields }: Form): Alternatives =>
  alternatives.map(({ of, only_one }) => ({
    ...(only_one && { only_one }),
    of: of.map((each) => toQuestionsOf(each, { known: fields }))
  }))

/** The questions for a form's fields; none if a required field cannot be shown. */
const toQuestions = (ask: Elicitation): ReadonlyArray<Question> => {
  const form = formOf(ask)
  return form.lost.some(({ id }) => form.required.includes(id)) ? [] : toQuestionsOf(form, ask)
}

/** Whether it has no field to fill in and only needs a yes. */
export const wantsYes = (ask: Elicitation): boolean => {
  if (ask.url !== undefined || (ask.mode ?? "form") !== "form" || !isPlain(ask)) return false
  const { fields, lost } = formOf(ask)
  return fields.size === 0 && lost.length === 0
}

const isPlain = ({ requestedSchema = {} }: Elicitation): boolean =>
  Predicate.isObject(requestedSchema)
  && Object.keys(requestedSchema).every((name) =>
    ["type", "properties", "required", "$schema", "title"].includes(name)
  )

const yesOrNo: ReadonlyArray<PermissionOption> = [
  { option_id: "accept", name: "Accept", kind: "allow_once" },
  { option_id: "decline", name: "Decline", kind: "reject_once" }
]

/** The only option for a form that cannot be shown is no: filling it in requires `answers`. */
const onlyNo = yesOrNo.slice(1)

const argsOf = (ask: Elicitation, questions: ReadonlyArray<Question>): object => {
  if (ask.url !== undefined) return { url: ask.url }
  const alternatives = questions.length > 0 ? toAlternatives(formOf(ask)) : []
  if (questions.length > 0) return { questions, ...(alternatives.length > 0 && { alternatives }) }
  return wantsYes(ask) ? {} : { form: ask.requestedSchema }
}

/** What a person must know about fields that cannot be shown. */
const missing = (ask: Elicitation, isForm: boolean): ReadonlyArray<string> => {
  if (ask.url !== undefined || wantsYes(ask)) return []
  const { lost, required } = formOf(ask)
  const left = lost.filter(({ id }) => isForm || required.includes(id)).map(({ id, ref }) =>
    `The field "${id}" cannot be shown: its schema (${ref}) is not part of the form.`
  )
  return isForm
    ? left
    : [
      ...left,
      "This form cannot be shown as fields. Decline it, or answer with `answers`: a value for each of its names."
    ]
}

/** `tool`: the tool that asks, if any. A form in an unreadable format is shown as is and requires `answers`. */
export const toQuestion = (
  request_id: RequestId,
  ask: Elicitation,
  tool: string | undefined
): PermissionRequest => {
  const questions = toQuestions(ask)
  const isForm = ask.url === undefined && questions.length > 0
  const words = [ask.message, ask.url, ...missing(ask, isForm)].filter((text) =>
    text !== undefined && text !== ""
  )
  return {
    type: "permission_request",
    request_id,
    tool: tool ?? "elicitation",
    args: argsOf(ask, questions),
    ...(ask.toolCallId !== undefined && { tool_use_id: ask.toolCallId }),
    text: words.join("\n"),
    metadata: isForm
      ? { kind: "question" }
      : ask.url === undefined
      ? { kind: "other", options: wantsYes(ask) ? yesOrNo : onlyNo }
      : { kind: "other" }
  }
}

const toContent = (ask: Elicitation, outcome: PermissionAllowed): Record<string, unknown> => {
  const form = formOf(ask)
  const given = answersOf(outcome)
  // A field's alternatives apply where they match.
  const closer = new Map(fittingOf(toAlternatives(form), given).map((question) => [question.id, question]))
  return Object.fromEntries(
    toQuestions(ask).flatMap((shown) => {
      const { id = "", options = [] } = shown
      const reading = readAnswer(closer.get(id) ?? shown, given)
      // Answers that violate the form were already refused.
      if (reading === undefined || "problem" in reading) return []
      const answer = [id, shown.question].filter((name) =>
        Object.hasOwn(given, name)
      ).map((name) => given[name])[0]
      const words = (Array.isArray(answer) ? answer : [answer]).map(String)
      const isOffered = (word: string) =>
        options.some(({ label, value }) => label === word || (value !== undefined && String(value) === word))
      const isFree = answer !== undefined && options.length > 0 && words.some((word) => !isOffered(word))
      return isFree && form.fields.has(freeTextOf(id))
        ? [[freeTextOf(id), words.join(", ")]]
        : [[id, reading.value]]
    })
  )
}

/** For a form the relay cannot read, the answers are passed on unchanged; a plain yes does not fill it in. */
const otherAnswer = (ask: Elicitation, outcome: PermissionAllowed): object => {
  if (wantsYes(ask)) return { action: "accept", content: {} }
  const content = answersOf(outcome)
  return Object.keys(content).length > 0 ? { action: "accept", content } : { action: "cancel" }
}

/** A person's answer in the agent's format. */
export const toElicitationAnswer = (ask: Elicitation, outcome: PermissionOutcome): object => {
  switch (outcome.behavior) {
    case "allow":
      if (ask.url !== undefined) return { action: "accept" }
      return toQuestions(ask).length > 0
        ? { action: "accept", content: toContent(ask, outcome) }
        : otherAnswer(ask, outcome)
    case "deny":
      return { action: "decline" }
    case "cancelled":
      return { action: "cancel" }
  }
}
