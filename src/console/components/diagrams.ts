/**
 * diagrams: Mermaid text as a picture. Mermaid (`@mermaid-js/tiny`: everything but mind maps, architecture
 * and formulas) is loaded with the first diagram and draws one at a time.
 *
 * A diagram is written by an agent, so it controls only its own content: settings, and styles that could do
 * more than style, are left out. The result is shown as an image, which runs nothing, loads nothing and
 * changes nothing on the page.
 */

import type mermaid from "@mermaid-js/tiny"
import { isModest, most, mostEdges, plainDiagram } from "./plainDiagram.js"
import type { Theme } from "./theme.js"

/** Number of drawn diagrams kept. */
const mostKept = 60

export interface Diagram {
  /** A `blob:` URL of an SVG. */
  readonly url: string
  /** In CSS pixels. */
  readonly width: number
  readonly height: number
}

let loading: Promise<Mermaid> | undefined
type Mermaid = typeof mermaid

const load = (): Promise<Mermaid> =>
  loading ??= import("@mermaid-js/tiny").then(
    ({ default: mermaid }) => mermaid,
    (error: unknown) => {
      loading = undefined
      throw error
    }
  )

/** An extra precaution: in an image these could not be clicked or run anyway. */
const unwanted = "script, foreignObject, iframe, image, use, animate, set, audio, video"

/** Throws for anything that is not a picture. */
const toImage = (svg: string): Diagram => {
  const { documentElement: root } = new DOMParser().parseFromString(svg, "image/svg+xml")
  const [, , width = 0, height = 0] = (root.getAttribute("viewBox") ?? "").split(/[\s,]+/).map(Number)
  if (root.localName !== "svg" || !(width > 0 && height > 0)) throw new Error("Mermaid drew no picture")
  for (const element of root.querySelectorAll(unwanted)) element.remove()
  for (const element of [root, ...root.querySelectorAll("*")]) {
    for (const { name } of [...element.attributes]) {
      if (/^on|href$/i.test(name)) element.removeAttribute(name)
    }
  }
  root.setAttribute("width", String(width))
  root.setAttribute("height", String(height))
  root.removeAttribute("style")
  const picture = new Blob([new XMLSerializer().serializeToString(root)], { type: "image/svg+xml" })
  return { url: URL.createObjectURL(picture), width: Math.ceil(width), height: Math.ceil(height) }
}

let lastId = 0

const render = async (text: string, theme: Theme): Promise<Diagram> => {
  const mermaid = await load()
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    // The same font for measuring and for the image, which has none of the page's fonts.
    fontFamily: "system-ui, sans-serif",
    htmlLabels: false,
    flowchart: { htmlLabels: false },
    class: { htmlLabels: false },
    theme: theme === "dark" ? "dark" : "neutral",
    maxTextSize: most.chars,
    maxEdges: mostEdges
  })
  // The element used for measuring.
  const place = document.createElement("div")
  place.className = "diagram-measure"
  place.ariaHidden = "true"
  // Not by a stylesheet: a chat's stylesheet affects nothing outside it.
  Object.assign(place.style, {
    position: "fixed",
    top: "0",
    left: "-10000px",
    width: "1000px",
    visibility: "hidden",
    pointerEvents: "none"
  })
  document.body.append(place)
  try {
    const { svg } = await mermaid.render(`ai-relay-diagram-${++lastId}`, text, place)
    return toImage(svg)
  } finally {
    place.remove()
  }
}

const known = new Map<string, Promise<Diagram | undefined>>()
let last: Promise<unknown> = Promise.resolve()

/** Undefined: it cannot be drawn; its text is better than a wrong picture. */
export const drawDiagram = (text: string, theme: Theme): Promise<Diagram | undefined> => {
  const key = `${theme}\n${text}`
  const before = known.get(key)
  if (before !== undefined) return before
  // Longer text is not examined.
  const plain = text.length > 4 * most.chars ? "" : plainDiagram(text)
  let took = 0
  const draw = async () => {
    const began = performance.now()
    try {
      return await render(plain, theme)
    } finally {
      took = performance.now() - began
    }
  }
  // Mermaid's settings are global: one diagram at a time.
  const drawing = isModest(plain) ? last.then(draw).catch(() => undefined) : Promise.resolve(undefined)
  // Yield to the page between two diagrams.
  last = Promise.all([last, drawing]).then(() => new Promise((resume) => setTimeout(resume, took)))
  known.set(key, drawing)
  for (const [oldest, picture] of known) {
    if (known.size <= mostKept) break
    known.delete(oldest)
    void picture.then((picture) => picture !== undefined && URL.revokeObjectURL(picture.url))
  }
  return drawing
}
