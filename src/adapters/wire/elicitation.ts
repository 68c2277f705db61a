/**
 * elicitation: a form or a link an agent, or an MCP server behind it, asks a person to deal with, as a permission
 * request. The Agent Client Protocol, Codex and Claude Code all have MCP's own shape of it.
 *
 * A form becomes questions, one per field, with the field's type and bounds. Answers may be given by a field's name or
 * by its question, in the words of an option or in its value; they become what the form's schema wants.
 */
import { Option, Predicate, Schema } from "effect"
import {
  answersOf,
  type PermissionOption,
  type PermissionRequest,
  type Question,
  type QuestionOption,
  readAnswer,
  type RequestId
} from "../../schema/index.js"
import type { PermissionAllowed, PermissionOutcome } from "../Adapter.js"
import { resolved } from "./jsonSchema.js"
import { AnyObject, fieldsOf, flag, items, number, optional, text, withFallback } from "./lenient.js"

const Choice = Schema.Struct({
  const: Schema.Unknown,
  title: text,
  description: text,
  _meta: optional(AnyObject)
})
type Choice = typeof Choice.Type

/** In JSON a value that is one of a list may be of any type. */
const Choices = {
  enum: optional(items(Schema.Unknown)),
  enumNames: optional(items(Schema.String)),
  oneOf: optional(items(Choice)),
  anyOf: optional(items(Choice))
}
/** What a value must be; `const`: it can only be this one. */
const Value = {
  type: optional(Schema.Union([Schema.String, items(Schema.String)])),
  ...Choices,
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
  default: optional(Schema.Unknown),
  minItems: number,
  maxItems: number,
  uniqueItems: flag
})
type Field = typeof Field.Type

const Form = Schema.Struct({
  properties: optional(fieldsOf(Field)),
  required: optional(items(Schema.String)),
  /** OpenAI's own shape. */
  fields: optional(items(Schema.Struct({
    id: text,
    name: text,
    label: text,
    required: optional(Schema.Boolean),
    ...Field.fields,
    options: optional(items(Schema.Union([Schema.String, AnyObject])))
  })))
})
type Fields = Readonly<Record<string, Field>>
interface Form {
  readonly fields: Fields
  readonly required: ReadonlyArray<string>
}

/** The params of `elicitation/create`. */
export const Elicitation = Schema.Struct({
  sessionId: text,
  mode: text,
  message: withFallback(Schema.String, ""),
  toolCallId: text,
  url: text,
  elicitationId: text,
  requestedSchema: optional(Schema.Unknown)
})
export type Elicitation = typeof Elicitation.Type

/** An option of OpenAI's own shape. */
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

const readForm = Schema.decodeUnknownOption(Form)

const formOf = ({ requestedSchema: asked }: Elicitation): Form => {
  const requestedSchema = resolved(asked)
  const { fields: list = [], properties, required = [] } = Option.getOrElse(
    readForm(Array.isArray(requestedSchema) ? { fields: requestedSchema } : requestedSchema),
    (): typeof Form.Type => ({})
  )
  if (properties !== undefined) return { fields: properties, required }
  const named = list.flatMap(({ id, label, name, options, required = true, ...field }) => {
    const key = id ?? name
    return key === undefined ? [] : [{
      key,
      required,
      field: {
        ...field,
        title: field.title ?? label ?? key,
        ...(options !== undefined && { oneOf: options.map(toChoice) })
      }
    }]
  })
  return {
    fields: Object.fromEntries(named.map(({ field, key }) => [key, field])),
    required: named.flatMap(({ key, required }) => required ? [key] : [])
  }
}

/** `size_custom` beside `size` is the place for an answer that is not among the options of `size`. */
const freeTextOf = (id: string) => `${id}_custom`

const isFreeText = (id: string, fields: Fields) =>
  id.endsWith("_custom") && Object.hasOwn(fields, id.slice(0, -"_custom".length))

/** JSON Schema also takes a list, to let a value be null. One that names no type may show it otherwise. */
const typeOf = (field: Field): string => {
  const { const: only, items, properties, type } = field
  const name = typeof type === "string" ? type : type?.find((name) => name !== "null")
  if (name !== undefined) return name
  if (items !== undefined) return "array"
  if (properties !== undefined) return "object"
  return typeof only === "number" || typeof only === "boolean" ? typeof only : "string"
}

const yesAndNo: ReadonlyArray<Choice> = [{ const: true, title: "Yes" }, { const: false, title: "No" }]

const choicesOf = (field: Field): ReadonlyArray<Choice> => {
  const { anyOf, const: only, enum: values = [], enumNames = [], items, oneOf } = field
  if (items !== undefined) return typeOf(items) === "boolean" ? [] : choicesOf(items)
  if (typeOf(field) === "boolean") return yesAndNo.filter((choice) => (only ?? choice.const) === choice.const)
  if (only !== undefined) return [{ const: only }]
  return oneOf ?? anyOf ?? values.map((value, index) => {
    const title = enumNames[index]
    return { const: value, ...(title !== undefined && { title }) }
  })
}

/** claude-agent-acp squeezes an option's description into its title; beside it stands what it was. */
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

const toQuestions = (ask: Elicitation): ReadonlyArray<Question> => {
  const { fields, required } = formOf(ask)
  const asked = Object.entries(fields).filter(([id]) => !isFreeText(id, fields))
  // A form of one field asks in its message.
  const alone = asked.length === 1 && ask.message !== ""
  return asked.map(([id, field]) => {
    const { description, title } = field
    const type = typeOf(field)
    const choices = choicesOf(field)
    return {
      id,
      question: description ?? (alone ? ask.message : title ?? id),
      ...(title !== undefined && { header: title }),
      ...(choices.length > 0 && { options: choices.map(toOption) }),
      multiSelect: type === "array",
      type,
      required: required.includes(id),
      ...(Object.hasOwn(fields, freeTextOf(id)) && { custom: true }),
      ...told(bounds, field),
      ...(field.items !== undefined && choices.length === 0 && {
        items: { type: typeOf(field.items), ...told(valueBounds, field.items) }
      })
    }
  })
}

/** It has no field to fill in: it only wants a yes. */
export const wantsYes = (ask: Elicitation): boolean =>
  ask.url === undefined && (ask.mode ?? "form") === "form" && toQuestions(ask).length === 0 && isPlain(ask)

const isPlain = ({ requestedSchema = {} }: Elicitation): boolean =>
  Predicate.isObject(requestedSchema)
  && Object.keys(requestedSchema).every((name) =>
    ["type", "properties", "required", "$schema", "title"].includes(name)
  )

const yesOrNo: ReadonlyArray<PermissionOption> = [
  { option_id: "accept", name: "Accept", kind: "allow_once" },
  { option_id: "decline", name: "Decline", kind: "reject_once" }
]

const argsOf = (ask: Elicitation, questions: ReadonlyArray<Question>): object => {
  if (ask.url !== undefined) return { url: ask.url }
  if (questions.length > 0) return { questions }
  return wantsYes(ask) ? {} : { form: ask.requestedSchema }
}

/** `tool` asks, if a tool does. A form of a shape nobody here can read is shown as it is: it wants `answers`. */
export const toQuestion = (
  request_id: RequestId,
  ask: Elicitation,
  tool: string | undefined
): PermissionRequest => {
  const questions = toQuestions(ask)
  const isForm = ask.url === undefined && questions.length > 0
  const words = [ask.message, ask.url].filter((text) => text !== undefined && text !== "").join("\n")
  return {
    type: "permission_request",
    request_id,
    tool: tool ?? "elicitation",
    args: argsOf(ask, questions),
    ...(ask.toolCallId !== undefined && { tool_use_id: ask.toolCallId }),
    text: words,
    metadata: isForm
      ? { kind: "question" }
      : ask.url === undefined
      ? { kind: "other", options: yesOrNo }
      : { kind: "other" }
  }
}

const toContent = (ask: Elicitation, outcome: PermissionAllowed): Record<string, unknown> => {
  const { fields } = formOf(ask)
  const questions = toQuestions(ask)
  const given = answersOf(outcome)
  return Object.fromEntries(questions.flatMap((question) => {
    const { id = "", options = [] } = question
    const reading = readAnswer(question, given)
    // What breaks the form was refused before it came here.
    if (reading === undefined || "problem" in reading) return []
    const answer = [id, question.question].filter((name) =>
      Object.hasOwn(given, name)
    ).map((name) => given[name])[0]
    const words = (Array.isArray(answer) ? answer : [answer]).map(String)
    const isOffered = (word: string) =>
      options.some(({ label, value }) => label === word || (value !== undefined && String(value) === word))
    const isFree = answer !== undefined && options.length > 0 && words.some((word) => !isOffered(word))
    return isFree && Object.hasOwn(fields, freeTextOf(id))
      ? [[freeTextOf(id), words.join(", ")]]
      : [[id, reading.value]]
  }))
}

/** A form the relay cannot read is filled in as it was answered; a yes alone does not fill it in. */
const otherAnswer = (ask: Elicitation, outcome: PermissionAllowed): object => {
  if (wantsYes(ask)) return { action: "accept", content: {} }
  const content = answersOf(outcome)
  return Object.keys(content).length > 0 ? { action: "accept", content } : { action: "cancel" }
}

/** The agent's words for what a person said. */
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
