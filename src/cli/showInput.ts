/**
 * showInput: shows everything an agent wants to do to the person who decides about it.
 *
 * Nothing is cut or left out: the tool's own name, every argument, every line. Each line begins with a bar, so that none of
 * it can pass for a question of ours.
 */
import { changedDiff, createdDiff } from "../adapters/wire/unifiedDiff.js"
import type { PermissionRequest } from "../client/browser.js"
import { visible, visibleLine } from "./printable.js"

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Deeper values are shown as JSON, which is easier to read there. */
const deepest = 12

const spaces = (run: string) => `⟨${run.length} spaces⟩`

/** Long runs of spaces would push what follows out of sight, so they are replaced by a note. */
const lineOf = (line: string): string => visible(line).replace(/[ \t]{40,}/g, spaces)

const linesOf = (text: string): ReadonlyArray<string> => {
  const shown: Array<string> = []
  let empty = 0
  const flush = () => {
    if (empty > 3) shown.push(`⋮ ${empty} empty lines`)
    else for (let n = 0; n < empty; n++) shown.push("")
    empty = 0
  }
  for (const line of text.split("\n")) {
    if (line.trim() === "" && line.length < 40) {
      empty += 1
      continue
    }
    flush()
    shown.push(lineOf(line))
  }
  flush()
  return shown
}

const indent = (lines: ReadonlyArray<string>) => lines.map((line) => `  ${line}`)

/** An edit as a diff, and the fields that are not part of it. */
const editOf = (fields: Fields): { readonly diff: string; readonly rest: Fields } | undefined => {
  const { content, file_path, new_string, old_string, ...rest } = fields
  const path = typeof file_path === "string" ? file_path : ""
  if (typeof new_string === "string" && typeof old_string === "string") {
    return {
      diff: changedDiff(path, old_string, new_string),
      rest: {
        ...(file_path !== undefined && { file_path }),
        ...rest,
        ...(content !== undefined && { content })
      }
    }
  }
  return path !== "" && typeof content === "string" && new_string === undefined && old_string === undefined
    ? { diff: createdDiff(path, content), rest: { file_path, ...rest } }
    : undefined
}

const fieldsOf = (fields: Fields, depth: number): ReadonlyArray<string> => {
  const edit = editOf(fields)
  const rest = Object.entries(edit?.rest ?? fields).flatMap(([name, value]) =>
    valueOf(visibleLine(name), value, depth)
  )
  // Diff headers repeat the file's name, which is among the arguments.
  return edit === undefined ? rest : [...rest, ...indent(linesOf(edit.diff).slice(2))]
}

const valueOf = (name: string, value: unknown, depth: number): ReadonlyArray<string> => {
  if (typeof value === "string") {
    return value.includes("\n") ? [`${name}:`, ...indent(linesOf(value))] : [`${name}: ${lineOf(value)}`]
  }
  if (typeof value !== "object" || value === null) return [`${name}: ${String(value)}`]
  if (depth >= deepest) return [`${name}: ${lineOf(JSON.stringify(value))}`]
  if (Array.isArray(value)) {
    return value.length === 0
      ? [`${name}: none`]
      : [`${name}:`, ...indent(value.flatMap((item, index) => valueOf(`${index + 1}`, item, depth + 1)))]
  }
  return [`${name}:`, ...indent(fieldsOf(value as Fields, depth + 1))]
}

/** All lines about a request, without the question itself. */
export const showInput = ({ args, metadata, text, tool }: PermissionRequest): string => {
  const { blocked_path, diff } = metadata
  const fields = isFields(args) ? args : {}
  const { content: _whole, ...others } = fields
  const input = typeof diff === "string" && typeof fields["content"] === "string"
    // The relay made this diff against the file on disk.
    ? [...fieldsOf(others, 0), ...indent(linesOf(diff).slice(2))]
    : args === undefined
    ? []
    : isFields(args)
    ? fieldsOf(args, 0)
    : valueOf("input", args, 0)
  const lines = [
    ...(text === undefined || text === "" ? [] : valueOf("it says", text, 0)),
    ...input,
    ...(typeof blocked_path === "string" ? valueOf("outside its folders", blocked_path, 0) : [])
  ]
  const head = `\nThe agent wants to use ${
    tool === undefined ? "a tool it does not name" : visibleLine(tool)
  }:`
  return [head, ...lines.map((line) => `  │ ${line}`.trimEnd())].join("\n") + "\n"
}

const longestSummary = 60

/** The input on one line, if it fits; otherwise empty. */
export const summaryOf = ({ args }: PermissionRequest): string => {
  const entries = isFields(args) ? Object.entries(args) : []
  const [only] = entries
  const value = entries.length === 1 ? only?.[1] : undefined
  return typeof value === "string" && value.length <= longestSummary &&
      /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(value)
    ? value
    : ""
}
