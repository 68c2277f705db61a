/**
 * elicitation: a form or a link an agent asks a person to deal with (`elicitation/create`), as a permission request.
 *
 * A form becomes questions, one per field. Answers may be given by a field's name or by its question, in the words of
 * an option or in its value; they become what the form's schema wants.
 */
import { Predicate, Schema } from "effect"
import { optional } from "../../schema/fields.js"
import type { PermissionRequest, RequestId } from "../../schema/index.js"
import type { PermissionAllowed, PermissionOutcome } from "../Adapter.js"

const text = optional(Schema.String)
const Choice = Schema.Struct({
  const: Schema.String,
  title: text,
  description: text,
  _meta: optional(Schema.Record(Schema.String, Schema.Unknown))
})
type Choice = typeof Choice.Type
const Choices = {
  enum: optional(Schema.Array(Schema.String)),
  oneOf: optional(Schema.Array(Choice)),
  anyOf: optional(Schema.Array(Choice))
}
const Field = Schema.Struct({
  type: text,
  title: text,
  description: text,
  ...Choices,
  items: optional(Schema.Struct(Choices))
})
type Field = typeof Field.Type

/** The params of `elicitation/create`. */
export const Elicitation = Schema.Struct({
  mode: optional(Schema.String),
  message: Schema.String,
  toolCallId: text,
  url: text,
  elicitationId: text,
  requestedSchema: optional(Schema.Struct({
    properties: optional(Schema.Record(Schema.String, Field))
  }))
})
export type Elicitation = typeof Elicitation.Type

const fieldsOf = ({ requestedSchema }: Elicitation) => requestedSchema?.properties ?? {}

/** `size_custom` beside `size` is the place for an answer that is not among the options of `size`. */
const freeTextOf = (id: string) => `${id}_custom`

const isFreeText = (id: string, fields: Readonly<Record<string, Field>>) =>
  id.endsWith("_custom") && Object.hasOwn(fields, id.slice(0, -"_custom".length))

const choicesOf = ({ anyOf, enum: values, items, oneOf, type }: Field): ReadonlyArray<Choice> => {
  if (items !== undefined) return choicesOf({ ...items, type: "string" })
  if (type === "boolean") return [{ const: "true", title: "Yes" }, { const: "false", title: "No" }]
  return oneOf ?? anyOf ?? (values ?? []).map((value) => ({ const: value }))
}

/** claude-agent-acp squeezes an option's description into its title; beside it stands what it was. */
const describedBy = ({ _meta }: Choice): string | undefined => {
  const detail = _meta?.["_claude/askUserQuestionOption"]
  return Predicate.hasProperty(detail, "description") && typeof detail.description === "string"
    ? detail.description
    : undefined
}

const toOption = (choice: Choice) => {
  const apart = describedBy(choice)
  const description = apart ?? choice.description
  return {
    label: apart === undefined ? choice.title ?? choice.const : choice.const,
    ...(description !== undefined && { description })
  }
}

const toQuestions = (ask: Elicitation) => {
  const fields = fieldsOf(ask)
  const asked = Object.entries(fields).filter(([id]) => !isFreeText(id, fields))
  // A form of one field asks in its message.
  const alone = asked.length === 1
  return asked.map(([id, field]) => {
    const { description, title, type } = field
    const choices = choicesOf(field)
    return {
      id,
      question: description ?? (alone ? ask.message : title ?? id),
      ...(title !== undefined && { header: title }),
      ...(choices.length > 0 && { options: choices.map(toOption) }),
      multiSelect: type === "array"
    }
  })
}

/** `tool` asks, if a tool does. */
export const toQuestion = (
  request_id: RequestId,
  ask: Elicitation,
  tool: string | undefined
): PermissionRequest => ({
  type: "permission_request",
  request_id,
  tool: tool ?? "elicitation",
  args: ask.url === undefined ? { questions: toQuestions(ask) } : { url: ask.url },
  ...(ask.toolCallId !== undefined && { tool_use_id: ask.toolCallId }),
  text: ask.url === undefined ? ask.message : `${ask.message}\n${ask.url}`,
  metadata: { kind: ask.url === undefined ? "question" : "other" }
})

/** What an answer is in the form: the value of the option that was meant, in the field's type. */
const toValue = (field: Field, answer: string): { readonly value: unknown; readonly offered: boolean } => {
  const choices = choicesOf(field)
  const meant = choices.find((choice) => choice.const === answer || toOption(choice).label === answer)
  const value = meant?.const ?? answer
  const offered = meant !== undefined || choices.length === 0
  if (field.type === "boolean") return { value: /^(true|yes|1)$/i.test(value), offered }
  if (field.type !== "number" && field.type !== "integer") return { value, offered }
  const amount = Number(value)
  return { value: Number.isFinite(amount) ? amount : value, offered }
}

const toContent = (
  ask: Elicitation,
  { answers, updatedInput }: PermissionAllowed
): Record<string, unknown> => {
  const fields = fieldsOf(ask)
  const questions = toQuestions(ask)
  const given: Readonly<Record<string, unknown>> = answers
    ?? (Predicate.isObject(updatedInput?.["answers"]) ? updatedInput["answers"] : {})
  return Object.fromEntries(
    Object.entries(given).flatMap(([key, answer]) => {
      const id = Object.hasOwn(fields, key) ? key : questions.find(({ question }) => question === key)?.id
      const field = id === undefined ? undefined : fields[id]
      if (id === undefined || field === undefined) return []
      const words = (Array.isArray(answer) ? answer : [answer]).map(String)
      const values = words.map((word) => toValue(field, word))
      if (values.some(({ offered }) => !offered) && Object.hasOwn(fields, freeTextOf(id))) {
        return [[freeTextOf(id), words.join(", ")]]
      }
      return [[id, field.type === "array" ? values.map(({ value }) => value) : values[0]?.value]]
    })
  )
}

/** The agent's words for what a person said. */
export const toElicitationAnswer = (ask: Elicitation, outcome: PermissionOutcome): object => {
  switch (outcome.behavior) {
    case "allow":
      return ask.url === undefined
        ? { action: "accept", content: toContent(ask, outcome) }
        : { action: "accept" }
    case "deny":
      return { action: "decline" }
    case "cancelled":
      return { action: "cancel" }
  }
}
