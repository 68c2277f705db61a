/**
 * useColours: syntax colours as HTML, once they are ready. Code is shown without them until then.
 */
import { useEffect, useReducer } from "react"
import { colour, colourOf } from "./colours.js"

/**
 * Gives each part's HTML; undefined: show the code as it is. `parts` must keep its identity as long as it
 * says the same.
 */
export const useColours = (
  parts: ReadonlyArray<string> | undefined,
  language: string | undefined
): (part: string | undefined) => string | undefined => {
  const [, again] = useReducer((count: number) => count + 1, 0)
  useEffect(
    () => parts === undefined || language === undefined ? undefined : colour(parts, language, again),
    [language, parts]
  )
  return (part) => part === undefined || language === undefined ? undefined : colourOf(part, language)
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
