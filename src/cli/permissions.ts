/** permissions: asks the person at the keyboard what an agent may do. Without a terminal it is denied, and the agent is told why. */
import { Effect } from "effect"
import type { Answer, PermissionRequest } from "../client/browser.js"
import type { Keyboard } from "./Keyboard.js"
import { visible, visibleLine } from "./printable.js"
import { showInput, summaryOf } from "./showInput.js"

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

/** What was typed: numbers of choices, or free text. */
export const chosen = (typed: string, choices: ReadonlyArray<string>): ReadonlyArray<string> => {
  const byNumber = typed.split(/[\s,]+/).map((word) => choices[Number(word) - 1])
  return byNumber.every((choice) => choice !== undefined) ? byNumber : [typed.trim()]
}

const denied: Answer = { behavior: "deny" }

/** Shows the whole question above; the prompt is only the last line. */
const askQuestion = (keyboard: Keyboard, { choices, several, text }: Question) =>
  keyboard.question({
    shown: `\n${visible(text)}\n${
      choices.map((choice, index) => `  ${index + 1} ${visibleLine(choice)}\n`).join("")
    }`,
    prompt: `${several ? "numbers, by commas" : "number"}, or your own words: `,
    read: (line) => line
  })

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

const wholeWords: Readonly<Record<string, Answer>> = {
  yes: { behavior: "allow" },
  session: { behavior: "allow", scope: "session" },
  no: denied
}
const words: Readonly<Record<string, Answer>> = {
  ...wholeWords,
  y: { behavior: "allow" },
  s: { behavior: "allow", scope: "session" },
  n: denied
}

const readIn = (words: Readonly<Record<string, Answer>>) => (line: string): Answer | undefined => {
  const word = line.trim().toLowerCase()
  return Object.hasOwn(words, word) ? words[word] : undefined
}

/** Longest name in a prompt; the whole name is shown above it. */
const longestName = 60
const nameOf = ({ tool = "it" }: PermissionRequest): string => {
  const name = visibleLine(tool)
  return name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name
}

/** Answer when a budget is used up: raise it by what is offered, by another amount, or not at all. */
const readBudget = (line: string): Answer | undefined => {
  const raise_by = Number(line.trim().replace(/^\$/u, ""))
  return line.trim() !== "" && Number.isFinite(raise_by) && raise_by > 0
    ? { behavior: "allow", updatedInput: { raise_by } }
    : readIn(words)(line)
}

/** Shows the whole input and asks until the answer is y, n or s. */
export const askPermission = (keyboard: Keyboard) => (request: PermissionRequest): Effect.Effect<Answer> => {
  if (!keyboard.present) {
    return Effect.succeed({ ...denied, message: "no terminal to ask; use --permission-mode" })
  }
  const questions = request.metadata.kind === "question" ? questionsIn(request) : []
  if (questions.length > 0) return askQuestions(keyboard, questions)
  if (request.metadata.kind === "budget") {
    const prompt = "y = yes, n = no, or how much more: "
    return Effect.map(
      keyboard.question<Answer>({
        shown: `${visibleLine(request.text ?? "A budget is used up.")}\n`,
        prompt,
        read: readBudget,
        careful: { prompt: "Type yes, no, or how much more: ", read: readBudget }
      }),
      (answer) => answer ?? denied
    )
  }
  const what = `Allow ${nameOf(request)} ${summaryOf(request)}`.trimEnd()
  return Effect.map(
    keyboard.question<Answer>({
      shown: showInput(request),
      prompt: `${what}? y = yes, n = no, s = for this session: `,
      read: readIn(words),
      careful: { prompt: `${what}? Type yes, no, or session: `, read: readIn(wholeWords) }
    }),
    (answer) => answer ?? denied
  )
}
