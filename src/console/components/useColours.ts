/** useColours: syntax colours as HTML. What colours the code is loaded when the first code is shown. */
import { useEffect, useState } from "react"
import type { highlight } from "./highlight.js"

type Highlight = typeof highlight

let loaded: Highlight | undefined
let loading: Promise<Highlight> | undefined

const load = () => loading ??= import("./highlight.js").then(({ highlight }) => loaded = highlight)

/** Beyond this colours are not worth the wait, in characters. */
const most = 60_000

/** Undefined: show the code as it is. */
export const useColours = (code: string | undefined, language: string | undefined): string | undefined => {
  const [, setReady] = useState(loaded !== undefined)
  const wanted = code !== undefined && language !== undefined && code.length <= most
  useEffect(() => {
    if (!wanted || loaded !== undefined) return
    let here = true
    void load().then(() => here && setReady(true))
    return () => void (here = false)
  }, [wanted])
  return wanted ? loaded?.(code, language) : undefined
}

const byEnding: Readonly<Record<string, string>> = {
  ts: "typescript",
  tsx: "typescript",
  mts: "typescript",
  js: "javascript",
  jsx: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  py: "python",
  rs: "rust",
  go: "go",
  rb: "ruby",
  java: "java",
  kt: "kotlin",
  c: "c",
  h: "c",
  cpp: "cpp",
  hpp: "cpp",
  cs: "csharp",
  php: "php",
  sh: "bash",
  bash: "bash",
  zsh: "bash",
  json: "json",
  yml: "yaml",
  yaml: "yaml",
  toml: "ini",
  ini: "ini",
  md: "markdown",
  css: "css",
  scss: "scss",
  html: "xml",
  xml: "xml",
  svg: "xml",
  sql: "sql",
  swift: "swift",
  diff: "diff",
  patch: "diff"
}

export const languageOf = (path: string): string | undefined =>
  byEnding[path.split(".").at(-1)?.toLowerCase() ?? ""]
