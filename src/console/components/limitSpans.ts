/** How deep the spans of syntax colours may nest, and how many one line may have; what people write stays below. */
const deepest = 16
const mostInLine = 500

/**
 * `html` of highlight.js without the spans beyond the limits: their text stays and has no colour. Chromium takes
 * seconds to find what is under the mouse in a line of thousands of spans: its time grows with the square of their
 * number, and of how deep they nest.
 */
export const limitSpans = (html: string): string => {
  /** For each open span, whether it was left out. */
  const open: Array<boolean> = []
  let kept = 0
  let inLine = 0
  return html.replaceAll(/\n|<(\/?)span\b[^>]*>/g, (found, slash: string | undefined) => {
    if (slash === undefined) {
      inLine = kept
      return found
    }
    if (slash === "") {
      const isOut = kept >= deepest || inLine >= mostInLine
      open.push(isOut)
      if (isOut) return ""
      kept += 1
      inLine += 1
      return found
    }
    if (open.pop()) return ""
    kept -= 1
    return found
  })
}
