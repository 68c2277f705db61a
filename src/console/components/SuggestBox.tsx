/**
 * SuggestBox: where a client that does not drive writes a prompt for the driver.
 */
import { useId, useState } from "react"
import type { Session } from "../../client/browser.js"
import { problemOf } from "../relay/problem.js"
import { w } from "../words/words.js"

export const SuggestBox = ({ session }: { readonly session: Session }) => {
  const [text, setText] = useState("")
  const [problem, setProblem] = useState<string>()
  const id = useId()
  const suggest = () => {
    session.suggest(text).then(
      () => {
        setText("")
        setProblem(undefined)
      },
      (error: unknown) => setProblem(problemOf(error))
    )
  }
  return (
    <form
      className="suggest"
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim() !== "") suggest()
      }}
    >
      <label className="visually-hidden" htmlFor={id}>{w.driving.suggestion}</label>
      <textarea
        id={id}
        rows={1}
        maxLength={20_000}
        value={text}
        placeholder={w.driving.placeholder}
        onChange={({ target }) => setText(target.value)}
      />
      <button type="submit" className="button" disabled={text.trim() === ""}>{w.driving.suggest}</button>
      {problem !== undefined && <p className="composer-problem" role="alert">{problem}</p>}
    </form>
  )
}
