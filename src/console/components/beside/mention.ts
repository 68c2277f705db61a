/** mention: where an `@` in a prompt begins a file's name, and what is written then. */
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
export const withMention = (
  text: string,
  { at, query }: Mention,
  path: string
): { readonly text: string; readonly caret: number } => {
  const name = mentionOf(path)
  const rest = text.slice(at + 1 + query.length)
  return { text: text.slice(0, at) + name + rest.replace(/^ /, ""), caret: at + name.length }
}
