/** highlight: highlight.js with the languages agents write most; loaded when it is needed. */
import hljs from "highlight.js/lib/common"

const cache = new Map<string, string>()
const mostKept = 2000

/** Undefined for a language it does not know. */
export const highlight = (code: string, language: string): string | undefined => {
  const key = `${language}\n${code}`
  const kept = cache.get(key)
  if (kept !== undefined) return kept
  if (hljs.getLanguage(language) === undefined) return undefined
  const { value } = hljs.highlight(code, { language, ignoreIllegals: true })
  if (cache.size >= mostKept) cache.clear()
  cache.set(key, value)
  return value
}
