/**
 * highlight.worker: highlight.js with the languages agents write most, beside the page: some texts take it seconds, and the
 * page must go on meanwhile.
 */
import hljs from "highlight.js/lib/common"
import type { Coloured, ToColour } from "./colours.js"

// What a worker is sent is what `colours.ts` sends.
addEventListener("message", ({ data: { id, language, parts } }: MessageEvent<ToColour>) => {
  const isKnown = hljs.getLanguage(language) !== undefined
  const html = isKnown
    ? parts.map((part) => hljs.highlight(part, { language, ignoreIllegals: true }).value)
    : undefined
  postMessage({ id, html } satisfies Coloured)
})
