/**
 * useAnswer: a request to the relay, repeated when the question changes or `again` is called. The last answer
 * stays in the meantime.
 */
import { useCallback, useEffect, useState } from "react"
import { problemOf } from "../../relay/problem.js"

export interface Answered<A> {
  readonly value: A | undefined
  /** The relay's error message for the last request. */
  readonly problem: string | undefined
  readonly again: () => void
}

/** `ask` must keep its identity as long as it asks the same. */
export const useAnswer = <A>(ask: () => Promise<A>): Answered<A> => {
  const [asked, setAsked] = useState(0)
  const [state, setState] = useState<
    { readonly value?: A; readonly problem?: string; readonly of?: () => Promise<A> }
  >({})
  useEffect(() => {
    let isOver = false
    ask().then(
      (value) => !isOver && setState({ value, of: ask }),
      (error: unknown) =>
        !isOver &&
        setState((before) => ({ ...(before.of === ask ? before : {}), of: ask, problem: problemOf(error) }))
    )
    return () => {
      isOver = true
    }
  }, [ask, asked])
  const again = useCallback(() => setAsked((count) => count + 1), [])
  return { value: state.value, problem: state.problem, again }
}
