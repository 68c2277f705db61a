/**
 * QuestionForm: the agent's questions; each accepts one option, several, or free text.
 */
import { MessageCircleQuestionMark } from "lucide-react"
import { type FormEvent, useState } from "react"
import type { Answer } from "../../client/browser.js"
import type { AskItem, Question } from "../../messages/View.js"
import { w } from "../words/words.js"
import { Exact } from "./Exact.js"
import { LongText } from "./LongText.js"

interface Props {
  readonly item: AskItem
  readonly agent: string
  readonly onAnswer: (answer: Answer) => void
}

interface Given {
  readonly chosen: ReadonlyArray<string>
  readonly own: string
}

const nothing: Given = { chosen: [], own: "" }

const answersOf = ({ chosen, own }: Given): ReadonlyArray<string> =>
  own.trim() === "" ? chosen : [...chosen, own.trim()]

const Field = ({ given, name, onGiven, question }: {
  readonly name: string
  readonly question: Question
  readonly given: Given
  readonly onGiven: (given: Given) => void
}) => {
  const { closed, field = {}, multiSelect, options } = question
  const { default: usual, type } = field
  const shownDefault = typeof usual === "object" ? JSON.stringify(usual) : String(usual)
  const toggle = (label: string) => {
    const { chosen } = given
    if (!multiSelect) return onGiven({ chosen: [label], own: "" })
    onGiven({
      ...given,
      chosen: chosen.includes(label) ? chosen.filter((each) => each !== label) : [...chosen, label]
    })
  }
  return (
    <fieldset className="question">
      <legend>
        <Exact text={question.question} />
        {multiSelect && <span className="muted">({w.selectAll})</span>}
      </legend>
      {options.map(({ description, label }) => (
        <label key={label} className="option">
          <input
            type={multiSelect ? "checkbox" : "radio"}
            name={name}
            checked={given.chosen.includes(label)}
            onChange={() => toggle(label)}
          />
          <span>
            <strong>
              <Exact text={label} />
            </strong>
            {description !== "" && (
              <span className="muted">
                <Exact text={description} />
              </span>
            )}
          </span>
        </label>
      ))}
      {closed !== true && (
        <input
          className="ask-reason"
          value={given.own}
          inputMode={type === "number" || type === "integer" ? "decimal" : "text"}
          onChange={({ target }) => onGiven({ chosen: multiSelect ? given.chosen : [], own: target.value })}
          placeholder={usual !== undefined && usual !== null
            ? shownDefault
            : options.length > 0
            ? w.somethingElse
            : w.yourAnswer}
          aria-label={w.ownWords(question.question)}
        />
      )}
    </fieldset>
  )
}

export const QuestionForm = ({ agent, item: { questions, request_id, text }, onAnswer }: Props) => {
  const [given, setGiven] = useState<Readonly<Record<string, Given>>>({})
  const isGiven = ({ id }: Question) => answersOf(given[id] ?? nothing).length > 0
  // A skipped field gets the form's default, or no value.
  const complete = questions.every((question) =>
    question.optional === true || question.field?.["default"] !== undefined || isGiven(question)
  )
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (!complete) return
    onAnswer({
      answers: Object.fromEntries(
        questions.filter(isGiven).map(({ id, multiSelect }) => {
          const answers = answersOf(given[id] ?? nothing)
          return [id, multiSelect ? answers : answers[0] ?? ""]
        })
      )
    })
  }
  return (
    <form className="ask" aria-label={w.question} onSubmit={onSubmit}>
      <h2>
        <MessageCircleQuestionMark size={17} aria-hidden /> {w.asks(agent)}
      </h2>
      {text !== "" && questions.every(({ question }) => question !== text) && (
        <p className="ask-text">
          <LongText text={text} lines={12} chars={1200} exact />
        </p>
      )}
      {questions.map((question, index) => (
        <Field
          key={question.id}
          name={`${request_id}-${index}`}
          question={question}
          given={given[question.id] ?? nothing}
          onGiven={(answer) => setGiven({ ...given, [question.id]: answer })}
        />
      ))}
      <div className="ask-buttons">
        <button type="submit" className="button primary" disabled={!complete}>{w.answer}</button>
        <button type="button" className="button" onClick={() => onAnswer({ behavior: "deny" })}>
          {w.skip}
        </button>
      </div>
    </form>
  )
}
