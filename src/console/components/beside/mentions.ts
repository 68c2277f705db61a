/** mentions: `@` and words of a file's name in a prompt, and the files of the session's folder that fit. */
import { useEffect, useState } from "react"
import * as workspace from "../../relay/workspace.js"

export interface Mention {
  /** Where its `@` stands. */
  readonly at: number
  readonly query: string
}

/** What is being written before the caret; undefined: no file's name. An `@` within a word is an address. */
export const mentionAt = (text: string, caret: number): Mention | undefined => {
  const found = /(?:^|[\s([{"'`])@([^\s@"'`]*)$/.exec(text.slice(0, caret))
  if (found === null) return undefined
  const query = found[1] ?? ""
  return { at: caret - query.length - 1, query }
}

/** As agents read it: a name with spaces in quotes. */
export const mentionOf = (path: string): string => /[\s"'`]/.test(path) ? `@"${path}" ` : `@${path} `

/** The text with the file's name in it, and where the caret is then. */
export const withMention = (text: string, { at, query }: Mention, path: string): { readonly text: string; readonly caret: number } => {
  const name = mentionOf(path)
  const rest = text.slice(at + 1 + query.length)
  return { text: text.slice(0, at) + name + rest.replace(/^ /, ""), caret: at + name.length }
}

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
