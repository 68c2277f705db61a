/**
 * diagrams: Mermaid's text as a picture. Its program (`@mermaid-js/tiny`: everything but mind maps, architecture and formulas) is
 * loaded with the first diagram, and draws one at a time.
 *
 * A diagram is what an agent wrote, so it decides nothing but what is in it: settings and styles that could be more than a style are
 * left out, and what comes out is shown as an image: it runs nothing, loads nothing and changes nothing of the page.
 */

import type mermaid from "@mermaid-js/tiny"
import { isModest, most, mostEdges, plainDiagram } from "./plainDiagram.js"

/** What is kept of those that were drawn. */
const mostKept = 60

export interface Diagram {
  /** A `blob:` address of an SVG. */
  readonly url: string
  /** In CSS pixels. */
  readonly width: number
  readonly height: number
}

export type Theme = "light" | "dark"

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

/** Beside what is safe anyway: an image could not be clicked or run, either. */
const unwanted = "script, foreignObject, iframe, image, use, animate, set, audio, video"

/** Throws for what is no picture. */
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
    // The same for those who measure and for the image, which has no fonts of the page's.
    fontFamily: "system-ui, sans-serif",
    htmlLabels: false,
    flowchart: { htmlLabels: false },
    class: { htmlLabels: false },
    theme: theme === "dark" ? "dark" : "neutral",
    maxTextSize: most.chars,
    maxEdges: mostEdges
  })
  // Where it is measured.
  const place = document.createElement("div")
  place.className = "diagram-measure"
  place.ariaHidden = "true"
  // Not by a stylesheet: those of a chat reach nothing outside of it.
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

/** Undefined: it cannot be drawn; its text says more than a wrong picture. */
export const drawDiagram = (text: string, theme: Theme): Promise<Diagram | undefined> => {
  const key = `${theme}\n${text}`
  const before = known.get(key)
  if (before !== undefined) return before
  // Nothing longer is looked at.
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
  // Its settings are its program's: one at a time.
  const drawing = isModest(plain) ? last.then(draw).catch(() => undefined) : Promise.resolve(undefined)
  // Between two the page belongs to who uses it.
  last = Promise.all([last, drawing]).then(() => new Promise((resume) => setTimeout(resume, took)))
  known.set(key, drawing)
  for (const [oldest, picture] of known) {
    if (known.size <= mostKept) break
    known.delete(oldest)
    void picture.then((picture) => picture !== undefined && URL.revokeObjectURL(picture.url))
  }
  return drawing
}
