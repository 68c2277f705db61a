import { createRequire } from "node:module"
import { expect, it } from "vitest"
import { limitSpans } from "../../src/console/components/limitSpans.js"

interface Highlighter {
  readonly highlight: (code: string, options: { readonly language: string }) => { readonly value: string }
}
// Its own types bring those of a page to all tests.
const hljs = createRequire(import.meta.url)("highlight.js/lib/common") as Highlighter
const highlight = (code: string, language: string) => hljs.highlight(code, { language }).value

/** The most spans of a line, and how deep they nest. */
const sizeOf = (html: string) => {
  let depth = 0
  let deepest = 0
  let most = 0
  for (const line of html.split("\n")) {
    let inLine = depth
    for (const [, slash] of line.matchAll(/<(\/?)span/g)) {
      depth += slash === "" ? 1 : -1
      inLine += slash === "" ? 1 : 0
      deepest = Math.max(deepest, depth)
    }
    most = Math.max(most, inLine)
  }
  expect(depth).toBe(0)
  return { deepest, most }
}
const textOf = (html: string): string => html.replaceAll(/<[^>]*>/g, "")

it("leaves what people write as it is", () => {
  const code = highlight(
    "const a = `${b.map((c) => `<${c ? `\"${c}\"` : 1}>`)}` // why\n".repeat(300),
    "ts"
  )
  expect(limitSpans(code)).toBe(code)
})

it.each([
  ["many in a line", "xml", "<a b=".repeat(3900)],
  ["many in a line, with another after it", "json", `${"{[".repeat(3000)}\n[1, 2]`],
  ["deep", "ts", "`${".repeat(900)],
  ["deep over many lines", "ts", "`${\n".repeat(900)]
])("leaves out spans that are too many, and no character: %s", (_, language, code) => {
  const html = highlight(code, language)
  const before = sizeOf(html)
  expect(Math.max(before.deepest, before.most)).toBeGreaterThan(800)
  const limited = limitSpans(html)
  const { deepest, most } = sizeOf(limited)
  expect(deepest).toBeLessThanOrEqual(16)
  expect(most).toBeLessThanOrEqual(500)
  expect(Math.max(deepest / 16, most / 500)).toBe(1)
  expect(textOf(limited)).toBe(textOf(html))
})

it("colours the lines after one that has too many", () => {
  const html = highlight(`${"{[".repeat(3000)}\n${"1, ".repeat(9)}`, "json")
  expect(limitSpans(html).split("\n")[1]).toBe(html.split("\n")[1])
})
