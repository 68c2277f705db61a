/** useMentions: files of the session's folder that fit what is written behind an `@`. */
import { useEffect, useState } from "react"
import * as workspace from "../../relay/workspace.js"

const most = 12
const quietMs = 60

/** Files for what is being written; none while nothing is. */
export const useMentions = (session_id: string, query: string | undefined): ReadonlyArray<string> => {
  const [found, setFound] = useState<ReadonlyArray<string>>([])
  useEffect(() => {
    if (query === undefined) return setFound([])
    let isOver = false
    const timer = setTimeout(() =>
      workspace.find(session_id, query, most).then(
        (files) => !isOver && setFound(files),
        // Nothing is offered then; what is written stays as it is.
        () => !isOver && setFound([])
      ), quietMs)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [query, session_id])
  return query === undefined ? [] : found
}
