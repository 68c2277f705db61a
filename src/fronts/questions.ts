/**
 * questions: an agent's questions to a person, as a form (`elicitation/create`) or one by one as options.
 */
import type { Question } from "./read.js"
import { type Open, text } from "./read.js"

/** The params of `elicitation/create`, except session and tool. */
export const toForm = (questions: ReadonlyArray<Question>, said: string) => {
  const properties: Record<string, object> = {}
  const required: Array<string> = []
  questions.forEach((asked, index) => {
    const { closed, field, header, multiSelect, optional, options, question } = asked
    const name = `question_${index}`
    const title = header || question
    const about = { title, ...(question !== title && { description: question }) }
    const choices = options.map(({ description, label }) => ({
      const: label,
      title: description === "" ? label : `${label}: ${description}`
    }))
    // A choice is identified by its label, which the relay maps to its value.
    const isYesOrNo = field?.["type"] === "boolean"
    properties[name] = choices.length === 0 || isYesOrNo
      ? { ...plainField(field), ...about }
      : multiSelect
      ? { ...partOf(field, "minItems", "maxItems"), type: "array", ...about, items: { anyOf: choices } }
      : { type: "string", ...about, oneOf: choices }
    if (choices.length > 0 && !isYesOrNo && closed !== true) {
      properties[`${name}_custom`] = { type: "string", title: "Other" }
    }
    if (field !== undefined && optional !== true) required.push(name)
  })
  const [only] = questions
  return {
    mode: "form",
    message: questions.length === 1 && only !== undefined
      ? only.question
      : said || "The agent has some questions.",
    requestedSchema: { type: "object", properties, required }
  }
}

const partOf = (field: Open = {}, ...names: ReadonlyArray<string>): Open =>
  Object.fromEntries(names.flatMap((name) => field[name] === undefined ? [] : [[name, field[name]]]))

/** Types and formats this protocol's forms support; anything else is entered as text, which the relay reads. */
const plainTypes = new Set(["string", "number", "integer", "boolean"])
const formats = new Set(["email", "uri", "date", "date-time"])

const plainField = (field: Open = {}): object => {
  const { format, type } = field
  if (typeof type !== "string" || !plainTypes.has(type) || field["any_of"] !== undefined) {
    return { type: "string" }
  }
  return {
    type,
    ...partOf(field, "minimum", "maximum", "minLength", "maxLength", "pattern", "default"),
    ...(typeof format === "string" && formats.has(format) && { format })
  }
}

const answerText = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value) ?? ""

/** Maps each question's id to its choice or text; skipped questions are left out. */
export const toAnswers = (
  questions: ReadonlyArray<Question>,
  content: Open
): Record<string, string | ReadonlyArray<string>> =>
  Object.fromEntries(questions.flatMap(({ id }, index) => {
    const custom = text(content[`question_${index}_custom`])
    const value = content[`question_${index}`]
    const answer = custom !== undefined && custom.trim() !== ""
      ? custom
      : Array.isArray(value)
      ? value.map(answerText)
      : value === undefined || value === null
      ? undefined
      : answerText(value)
    return answer === undefined ? [] : [[id, answer]]
  }))

/** Whether each is a single choice among some options: then buttons suffice. */
export const areChoices = (questions: ReadonlyArray<Question>): boolean =>
  questions.length > 0 && questions.every(({ multiSelect, options }) => !multiSelect && options.length > 0)

export const unaskable =
  "This client cannot show forms. Ask in your text instead; the person will answer with the next prompt."
