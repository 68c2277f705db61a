/** permissions: puts what an agent asks to the person at the keyboard. Nobody there: denied, and the agent is told why. */
import { Effect } from "effect"
import type { Answer, PermissionRequest } from "../client/browser.js"
import type { Keyboard } from "./Keyboard.js"
import { argumentsOf } from "./rendering.js"

interface Question {
  readonly key: string
  readonly text: string
  readonly choices: ReadonlyArray<string>
  readonly several: boolean
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null
const textOf = (value: unknown): string => typeof value === "string" ? value : ""
const listOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

/** The questions of a request of kind `question`; agents spell their choices as strings or as objects. */
const questionsIn = ({ args }: PermissionRequest): ReadonlyArray<Question> =>
  listOf(isObject(args) ? args["questions"] : undefined).filter(isObject).map((question) => ({
    key: textOf(question["id"]) || textOf(question["question"]),
    text: textOf(question["question"]),
    choices: listOf(question["options"]).map((choice) => textOf(isObject(choice) ? choice["label"] : choice)),
    several: question["multiSelect"] === true
  }))

/** What was typed: the numbers of choices, or words of one's own. */
export const chosen = (typed: string, choices: ReadonlyArray<string>): ReadonlyArray<string> => {
  const byNumber = typed.split(/[\s,]+/).map((word) => choices[Number(word) - 1])
  return byNumber.every((choice) => choice !== undefined) ? byNumber : [typed.trim()]
}

const denied: Answer = { behavior: "deny" }

const askQuestion = (keyboard: Keyboard, { choices, several, text }: Question) =>
  keyboard.ask(
    `${text}\n${choices.map((choice, index) => `  ${index + 1} ${choice}\n`).join("")}${
      several ? "numbers, by commas" : "number"
    }, or your own words: `
  )

const askQuestions = Effect.fnUntraced(function*(keyboard: Keyboard, questions: ReadonlyArray<Question>) {
  const answers: Record<string, string | ReadonlyArray<string>> = {}
  for (const question of questions) {
    const typed = yield* askQuestion(keyboard, question)
    if (typed === undefined) return denied
    const words = chosen(typed, question.choices)
    answers[question.key] = question.several ? words : words.join(", ")
  }
  const answer: Answer = { answers }
  return answer
})

const words: Readonly<Record<string, Answer>> = {
  y: { behavior: "allow" },
  yes: { behavior: "allow" },
  s: { behavior: "allow", scope: "session" },
  session: { behavior: "allow", scope: "session" },
  n: denied,
  no: denied
}

/** A budget is used up: go on by as much as is offered, by an amount of one's own, or not. */
const askBudget = (keyboard: Keyboard, request: PermissionRequest): Effect.Effect<Answer> =>
  Effect.flatMap(
    keyboard.ask(`${request.text ?? "A budget is used up."} y = yes, n = no, or how much more: `),
    (line) =>
      line === undefined ? Effect.succeed(denied) : Effect.suspend(() => {
        const typed = line.trim().toLowerCase()
        const raise_by = Number(typed.replace(/^\$/u, ""))
        if (typed !== "" && Number.isFinite(raise_by) && raise_by > 0) {
          return Effect.succeed<Answer>({ behavior: "allow", updatedInput: { raise_by } })
        }
        const answer = Object.hasOwn(words, typed) ? words[typed] : undefined
        return answer === undefined ? askBudget(keyboard, request) : Effect.succeed(answer)
      })
  )

/** Ask until the answer is one of y, n and s. */
export const askPermission = (keyboard: Keyboard) => (request: PermissionRequest): Effect.Effect<Answer> => {
  if (!keyboard.present) {
    return Effect.succeed({ ...denied, message: "nobody is at the terminal to allow this" })
  }
  const questions = request.metadata.kind === "question" ? questionsIn(request) : []
  if (questions.length > 0) return askQuestions(keyboard, questions)
  if (request.metadata.kind === "budget") return askBudget(keyboard, request)
  const what = `${request.tool ?? "The agent"} ${argumentsOf(request.args)}`.trimEnd()
  const ask: Effect.Effect<Answer> = Effect.flatMap(
    keyboard.ask(`Allow ${what}? y = yes, n = no, s = for this session: `),
    (line) =>
      line === undefined ? Effect.succeed(denied) : Effect.suspend(() => {
        const word = line.trim().toLowerCase()
        const answer = Object.hasOwn(words, word) ? words[word] : undefined
        return answer === undefined ? ask : Effect.succeed(answer)
      })
  )
  return ask
}
