/**
 * Question: the questions in a `permission_request` of kind `question`, and their valid answers.
 *
 * A question with a `type` is a field of a form, with the constraints of its JSON Schema. A person answers with a text or a list
 * of texts, which is converted to the field's type, or refused with a text that says what to change.
 */
import { Option, Schema } from "effect"

const word = Schema.optionalKey(Schema.String)
const amount = Schema.optionalKey(Schema.Number)
const yes = Schema.optionalKey(Schema.Boolean)

export const QuestionOption = Schema.Struct({
  label: Schema.String,
  description: word,
  /** The value for the agent, if it is not the label. */
  value: Schema.optionalKey(Schema.Unknown)
})
export type QuestionOption = typeof QuestionOption.Type

const bounds = {
  minimum: amount,
  maximum: amount,
  exclusiveMinimum: amount,
  exclusiveMaximum: amount,
  multipleOf: amount,
  minLength: amount,
  maxLength: amount,
  pattern: word,
  format: word
}

export const Question = Schema.Struct({
  id: word,
  question: Schema.String,
  header: word,
  options: Schema.optionalKey(Schema.Array(QuestionOption)),
  multiSelect: yes,
  /** `string`, `number`, `integer`, `boolean`, `array` or `object`; absent: any text. */
  type: word,
  required: yes,
  /** The value if nothing is answered. */
  default: Schema.optionalKey(Schema.Unknown),
  /** Whether answers besides those in `options` are valid, too. */
  custom: yes,
  ...bounds,
  minItems: amount,
  maxItems: amount,
  /** Whether all answers in a list must be different. */
  uniqueItems: yes,
  /** The type and constraints of each answer in a list without options. */
  items: Schema.optionalKey(Schema.Struct({ type: word, ...bounds })),
  /** The alternatives if it may have several types; the first that fits counts. */
  any_of: Schema.optionalKey(Schema.Array(Schema.Struct({ type: word, ...bounds })))
})
export type Question = typeof Question.Type

/** Besides the questions themselves, one set of fields in each of these must fit; with `only_one`, exactly one. */
export const Alternatives = Schema.Array(Schema.Struct({
  only_one: yes,
  of: Schema.Array(Schema.Array(Question))
}))
export type Alternatives = typeof Alternatives.Type

type Given = Readonly<Record<string, unknown>>

/** An answer converted to the field's type, or what is wrong with it. */
export type Reading = { readonly value: unknown } | { readonly problem: string }

const wrong = (problem: string): Reading => ({ problem })

const optionOf = ({ options = [] }: Question, answer: string): QuestionOption | undefined =>
  options.find(({ label, value }) => label === answer || (value !== undefined && String(value) === answer))

const readBoolean = (answer: string): Reading =>
  /^(true|yes|1|on)$/i.test(answer)
    ? { value: true }
    : /^(false|no|0|off)$/i.test(answer)
    ? { value: false }
    : wrong("must be yes or no")

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** Fractions are not exact: 0.3 is a multiple of 0.1. */
const isMultiple = (value: number, of: number): boolean => {
  const times = value / of
  return Math.abs(times - Math.round(times)) <= 1e-9 * Math.max(1, Math.abs(times))
}

const readNumber = (question: Question, answer: string): Reading => {
  const { exclusiveMaximum, exclusiveMinimum, maximum, minimum, multipleOf, type } = question
  const value = decimal.test(answer.trim()) ? Number(answer) : Number.NaN
  if (!Number.isFinite(value)) return wrong("must be a number")
  if (type === "integer" && !Number.isInteger(value)) return wrong("must be a whole number")
  if (type === "integer" && !Number.isSafeInteger(value)) {
    return wrong("must be a number that can be represented exactly")
  }
  if (minimum !== undefined && value < minimum) return wrong(`must be at least ${minimum}`)
  if (maximum !== undefined && value > maximum) return wrong(`must be at most ${maximum}`)
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) {
    return wrong(`must be more than ${exclusiveMinimum}`)
  }
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) {
    return wrong(`must be less than ${exclusiveMaximum}`)
  }
  if (multipleOf !== undefined && multipleOf > 0 && !isMultiple(value, multipleOf)) {
    return wrong(`must be a multiple of ${multipleOf}`)
  }
  return { value }
}

const isDay = (text: string) => !Number.isNaN(Date.parse(text.slice(0, 10)))

const formats: Readonly<Record<string, readonly [form: RegExp, name: string]>> = {
  email: [/^[^\s@]+@[^\s@]+$/, "an email address"],
  uri: [/^[a-z][a-z0-9+.-]*:\S+$/i, "an address with its scheme, such as https://example.com"],
  date: [/^\d{4}-\d{2}-\d{2}$/, "a date, such as 2026-01-31"],
  "date-time": [
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i,
    "a time, such as 2026-01-31T12:00:00Z"
  ]
}

/** A pattern is an agent's, or a tool server's: one that looks for its fit in too many ways would hold up everybody. */
const mostWays = 100_000

/**
 * In how many ways a pattern may look for its fit in a text, at most, about: each repetition tries every length, and one
 * around others, or around alternatives, may double that with each character.
 */
const waysOf = (pattern: string, length: number): number => {
  const plain = pattern.replace(/\\./gs, "a").replace(/\[[^\]]*\]/g, "a")
  const repeats = (plain.match(/[*+]|\{\d+,\d*\}/g) ?? []).length
  const isNested = /\)(?:[*+]|\{)/.test(plain)
  const optional = (plain.match(/[^(*+?}]\?/g) ?? []).length
  return isNested ? 3 ** length : (length + 1) ** Math.max(1, repeats) * 2 ** optional
}

const fits = (pattern: string, text: string): boolean => {
  // The agent looks at it itself.
  if (waysOf(pattern, text.length) > mostWays) return true
  try {
    return new RegExp(pattern, "u").test(text)
  } catch {
    return true
  }
}

const readText = ({ format = "", maxLength, minLength, pattern }: Question, answer: string): Reading => {
  const length = [...answer].length
  if (minLength !== undefined && length < minLength) {
    return wrong(`must have at least ${minLength} characters`)
  }
  if (maxLength !== undefined && length > maxLength) return wrong(`must have at most ${maxLength} characters`)
  if (pattern !== undefined && !fits(pattern, answer)) return wrong(`must match ${pattern}`)
  const known = Object.hasOwn(formats, format) ? formats[format] : undefined
  const isDated = !format.startsWith("date") || isDay(answer)
  return known === undefined || (known[0].test(answer) && isDated)
    ? { value: answer }
    : wrong(`must be ${known[1]}`)
}

const jsonIn = (answer: string): unknown => {
  try {
    return JSON.parse(answer)
  } catch {
    return undefined
  }
}

/** An object, or the list that is one answer of a list, is given as it is or as its JSON. */
const readJson = (answer: string, isList: boolean): Reading => {
  const value = jsonIn(answer)
  return typeof value === "object" && value !== null && Array.isArray(value) === isList
    ? { value }
    : wrong(
      isList ? "must be a list, such as [\"a\",\"b\"]" : "must be an object, such as {\"name\":\"value\"}"
    )
}

/** A boolean that can only be one of the two. */
const readFixed = ({ options = [] }: Question, reading: Reading): Reading => {
  const [only] = options
  if (options.length !== 1 || only === undefined || "problem" in reading) return reading
  const value = only.value ?? /^(true|yes)$/i.test(only.label)
  return reading.value === value ? reading : wrong(`must be ${only.label}`)
}

/** Of several types the one that says most: a number is also a text. */
const exactness = ["boolean", "integer", "number", "object", "array"]
const byExactness = ({ type = "" }: { readonly type?: string }) =>
  exactness.includes(type) ? exactness.indexOf(type) : exactness.length

const readAny = (kinds: NonNullable<Question["any_of"]>, question: string, answer: string): Reading => {
  const readings = kinds.toSorted((one, other) => byExactness(one) - byExactness(other))
    .map((kind) => readOne({ question, ...kind }, answer))
  const problems = readings.flatMap((reading) => "problem" in reading ? [reading.problem] : [])
  return readings.find((reading) => "value" in reading) ?? wrong(problems.join(", or "))
}

const readOne = (question: Question, answer: string): Reading => {
  const { any_of, custom, options = [], type } = question
  const option = optionOf(question, answer)
  if (option !== undefined) {
    return { value: option.value ?? (type === "boolean" ? /^(true|yes)$/i.test(option.label) : option.label) }
  }
  if (options.length > 0 && type !== undefined && type !== "boolean" && custom !== true) {
    return wrong(`must be one of ${options.map(({ label }) => label).join(", ")}`)
  }
  if (any_of !== undefined && any_of.length > 0) return readAny(any_of, question.question, answer)
  switch (type) {
    case "boolean":
      return readFixed(question, readBoolean(answer))
    case "object":
      return readJson(answer, false)
    case "array":
      return readJson(answer, true)
    case "number":
    case "integer":
      return readNumber(question, answer)
    case undefined:
      return { value: answer }
    default:
      return readText(question, answer)
  }
}

const readList = (question: Question, answers: ReadonlyArray<string>): Reading => {
  const { items = {}, maxItems, minItems, options = [], uniqueItems } = question
  const one: Question = options.length > 0
    ? { ...question, type: "string" }
    : { question: question.question, ...items, type: items.type ?? "string" }
  const readings = answers.map((answer) => readOne(one, answer))
  const problem = readings.find((reading) => "problem" in reading)
  if (problem !== undefined) return problem
  const all = readings.flatMap((reading) => "value" in reading ? [reading.value] : [])
  const each = [...new Map(all.map((value) => [JSON.stringify(value), value])).values()]
  if (uniqueItems === true && each.length < all.length) return wrong("takes each answer only once")
  // An option is chosen or not.
  const value = options.length > 0 ? each : all
  if (minItems !== undefined && value.length < minItems) return wrong(`needs at least ${minItems} answers`)
  if (maxItems !== undefined && value.length > maxItems) return wrong(`takes at most ${maxItems} answers`)
  return { value }
}

/** What was given for this question, by its id or its words. */
const givenValue = ({ id, question }: Question, given: Given): unknown => {
  const own = (name: string) => Object.hasOwn(given, name) ? given[name] : undefined
  return (id === undefined ? undefined : own(id)) ?? own(question)
}

const givenFor = (question: Question, given: Given): ReadonlyArray<string> | undefined => {
  const answer = givenValue(question, given)
  if (answer === undefined || answer === null) return undefined
  return (Array.isArray(answer) ? answer : [answer]).map((word) =>
    typeof word === "string" ? word : JSON.stringify(word)
  )
}

/** An answer converted to the question's type; undefined: there is no answer, and none is required. */
export const readAnswer = (question: Question, given: Given): Reading | undefined => {
  const { default: usual, required, type } = question
  const answers = givenFor(question, given)
  const isEmpty = answers === undefined || (type !== undefined && answers.every((answer) => answer === ""))
  if (isEmpty) {
    if (usual !== undefined && usual !== null) return { value: usual }
    return required === true ? wrong("is required") : undefined
  }
  if (type === "array") return readList(question, answers)
  const answer = givenValue(question, given)
  if (type === "string" && typeof answer === "object" && !Array.isArray(answer)) {
    return wrong("must be a text")
  }
  return type !== undefined && answers.length > 1
    ? wrong("takes one answer")
    : readOne(question, answers.length === 1 ? answers[0] ?? "" : answers.join(", "))
}

const readAsked = Schema.decodeUnknownOption(
  Schema.Struct({ questions: Schema.Array(Question), alternatives: Schema.optionalKey(Alternatives) })
)

/** A client's answers: `answers`, or those in the tool's updated input. */
export const answersOf = (
  { answers, updatedInput }: { readonly answers?: Given; readonly updatedInput?: Given }
): Given => {
  const inInput = updatedInput?.["answers"]
  return answers ?? (typeof inInput === "object" && inInput !== null ? inInput as Given : {}) // An object: see `typeof`.
}

const problemsOf = (questions: ReadonlyArray<Question>, given: Given): ReadonlyArray<string> =>
  questions.flatMap((question) => {
    const reading = readAnswer(question, given)
    return reading !== undefined && "problem" in reading
      ? [`"${question.id ?? question.question}" ${reading.problem}`]
      : []
  })

const areFit = (questions: ReadonlyArray<Question>, given: Given) => problemsOf(questions, given).length === 0

/** Of each alternative what these answers fit. */
export const fittingOf = (alternatives: Alternatives, given: Given): ReadonlyArray<Question> =>
  alternatives.flatMap(({ of }) => of.find((questions) => areFit(questions, given)) ?? [])

const isGiven = (question: Question, given: Given) => {
  const value = givenValue(question, given)
  return value !== undefined && value !== null && value !== ""
}

const alternativeProblem = (
  { of, only_one = false }: Alternatives[number],
  given: Given
): ReadonlyArray<string> => {
  const fitting = of.filter((questions) => areFit(questions, given))
  if (fitting.length === 0) {
    const ways = of.map((questions) => problemsOf(questions, given).join(" and "))
    return [`it has to fit in one of these ways: ${[...new Set(ways)].join("; or ")}`]
  }
  // One that wants nothing fits whatever was given.
  const filledIn = fitting.filter((questions) => questions.some((question) => isGiven(question, given)))
  const named = filledIn.map((questions) =>
    questions.filter((question) => isGiven(question, given)).map(({ id, question }) => `"${id ?? question}"`)
      .join(" and ")
  )
  return only_one && filledIn.length > 1 && new Set(named).size > 1
    ? [`fill in only one of these: ${named.join("; or ")}`]
    : []
}

const noFields =
  "the form has no fields that can be shown: give a value for each of its names in `answers`, or deny it"

/**
 * What is wrong with the answers to a request with these `args`, for the person who gave them; undefined if they fit the
 * form.
 */
export const problemOf = (args: unknown, given: Given): string | undefined => {
  const isUnread = typeof args === "object" && args !== null && "form" in args
  if (isUnread && Object.keys(given).length === 0) return noFields
  const { alternatives = [], questions } = Option.getOrElse(
    readAsked(args),
    (): { questions: ReadonlyArray<Question>; alternatives?: Alternatives } => ({ questions: [] })
  )
  const own = problemsOf(questions, given)
  const problems = own.length > 0 ? own : alternatives.flatMap((each) => alternativeProblem(each, given))
  return problems.length === 0 ? undefined : problems.join("; ")
}
