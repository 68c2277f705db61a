/** questions: what an agent asks a person, as a form (`elicitation/create`) or, one by one, as options to choose from. */
import type { Question } from "./read.js"
import { type Open, text, texts } from "./read.js"

/** The params of `elicitation/create` but for session and tool. */
export const toForm = (questions: ReadonlyArray<Question>, said: string) => {
  const properties: Record<string, object> = {}
  questions.forEach((asked, index) => {
    const { header, multiSelect, options, question } = asked
    const name = `question_${index}`
    const title = header || question
    const about = { title, ...(question !== title && { description: question }) }
    const choices = options.map(({ description, label }) => ({
      const: label,
      title: description === "" ? label : `${label}: ${description}`
    }))
    properties[name] = choices.length === 0
      ? { type: "string", ...about }
      : multiSelect
      ? { type: "array", ...about, items: { anyOf: choices } }
      : { type: "string", ...about, oneOf: choices }
    if (choices.length > 0) properties[`${name}_custom`] = { type: "string", title: "Other" }
  })
  const [only] = questions
  return {
    mode: "form",
    message: questions.length === 1 && only !== undefined
      ? only.question
      : said || "The agent has some questions.",
    requestedSchema: { type: "object", properties, required: [] }
  }
}

/** From each question's id to what was chosen or typed; questions that were left out are left out. */
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
      ? texts(value)
      : value === undefined || value === null
      ? undefined
      : String(value)
    return answer === undefined ? [] : [[id, answer]]
  }))

/** Each has some options, of which one is chosen: then buttons will do. */
export const areChoices = (questions: ReadonlyArray<Question>): boolean =>
  questions.length > 0 && questions.every(({ multiSelect, options }) => !multiSelect && options.length > 0)

export const unaskable =
  "This client can show no form. Put the question into your text instead; the person answers with the next prompt."
