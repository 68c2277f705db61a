/**
 * useMentions: files in the session's folder that match the text after an `@`.
 */
import { useEffect, useState } from "react"
import * as workspace from "../../relay/workspace.js"

const most = 12
const quietMs = 60

/** Matching files for the text being typed; empty if there is none. */
export const useMentions = (session_id: string, query: string | undefined): ReadonlyArray<string> => {
  const [found, setFound] = useState<ReadonlyArray<string>>([])
  useEffect(() => {
    if (query === undefined) return setFound([])
    let isOver = false
    const timer = setTimeout(() =>
      workspace.find(session_id, query, most).then(
        (files) => !isOver && setFound(files),
        // Then nothing is offered; the typed text stays as it is.
        () => !isOver && setFound([])
      ), quietMs)
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [query, session_id])
  return query === undefined ? [] : found
}
