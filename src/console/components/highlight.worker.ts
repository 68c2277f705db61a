/**
 * highlight.worker: highlight.js with the languages agents write most, outside the page's thread: some texts
 * take seconds, and the page must stay responsive.
 */
import hljs from "highlight.js/lib/common"
import type { Coloured, ToColour } from "./colours.js"
import { limitSpans } from "./limitSpans.js"

// Only `colours.ts` sends messages to this worker.
addEventListener("message", ({ data: { id, language, parts } }: MessageEvent<ToColour>) => {
  const isKnown = hljs.getLanguage(language) !== undefined
  const html = isKnown
    ? parts.map((part) => limitSpans(hljs.highlight(part, { language, ignoreIllegals: true }).value))
    : undefined
  postMessage({ id, html } satisfies Coloured)
})
