/**
 * mention: where an `@` in a prompt begins a file's name, and the text typed after it.
 */
export interface Mention {
  /** Position of the `@`. */
  readonly at: number
  readonly query: string
}

/** Scripts that put no spaces between words, and their marks. */
const unspaced = String
  .raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303F\uFF00-\uFF0F\uFF1A-\uFF1F`
const afterUnspaced = new RegExp(`[${unspaced}]$`, "u")
const before = new RegExp(`(?:^|[\\s([{"'\`${unspaced}])@([^\\s@"'\`，。、；：？！）]*)$`, "u")

/** The file name being typed before the caret; undefined: none. An `@` within a word is an email address. */
export const mentionAt = (text: string, caret: number): Mention | undefined => {
  const found = before.exec(text.slice(0, caret))
  if (found === null) return undefined
  const query = found[1] ?? ""
  return { at: caret - query.length - 1, query }
}

/** The format agents read: names with spaces in quotes. */
export const mentionOf = (path: string): string => /[\s"'`]/.test(path) ? `@"${path}" ` : `@${path} `

/** The text with the file's name inserted, and the new caret position. */
export const withMention = (
  text: string,
  { at, query }: Mention,
  path: string
): { readonly text: string; readonly caret: number } => {
  // Agents look for a name behind a space.
  const name = (afterUnspaced.test(text.slice(0, at)) ? " " : "") + mentionOf(path)
  const rest = text.slice(at + 1 + query.length)
  return { text: text.slice(0, at) + name + rest.replace(/^ /, ""), caret: at + name.length }
}
