/**
 * words: finds the text for people in a native message, whichever field holds it. A client that asked for no
 * `raw` must not lose text meant for its user.
 */
import { Predicate } from "effect"
import type { NativeBlock } from "../../schema/ContentBlock.js"

/**
 * Only ASCII whitespace counts as blank: a text may be UTF-8 bytes (`Encoding`), in which other whitespace
 * looks different.
 */
const isText = (value: unknown): value is string => typeof value === "string" && /[^ \t\r\n]/.test(value)

/** Fields that hold text. */
const speaking = [
  "headline",
  "heading",
  "title",
  "subtitle",
  "subject",
  "text",
  "message",
  "error",
  "errors",
  "output",
  "summary",
  "description",
  "explanation",
  "rationale",
  "objective",
  "suggestion",
  "suggestions",
  "question",
  "content",
  "reason",
  "reasons",
  "warning",
  "warnings",
  "notice",
  "detail",
  "details",
  "delta",
  "body",
  "stdout",
  "stderr",
  "caption",
  "label",
  "note",
  "notes",
  "tip",
  "tips",
  "hint",
  "hints",
  "advice",
  "guidance",
  "instructions",
  "comment",
  "announcement",
  "answer",
  "refusal",
  "markdown",
  "result"
]

/** Fields that also name their subject: `tool_summary`, `statusMessage`. */
const speaksOf =
  /(?:_(?:message|text|summary|description|error|explanation)|[a-z](?:Message|Text|Summary|Description|Error|Explanation))$/

/** No message holds text for people deeper than this. */
const deepest = 5

const joined = (texts: ReadonlyArray<string>): string | undefined => {
  // Text contained in another one is not repeated.
  const news = texts.filter((text, index) =>
    !texts.some((other, place) =>
      place !== index && other.includes(text) && (other !== text || place < index)
    )
  )
  return news.length > 0 ? news.join("\n") : undefined
}

const withoutTexts = (field: unknown) =>
  Array.isArray(field) ? field.filter((entry) => typeof entry === "object") : field

const find = (value: unknown, depth: number): string | undefined => {
  if (isText(value)) return value
  if (depth === 0 || typeof value !== "object" || value === null) return undefined
  if (Array.isArray(value)) return joined(value.flatMap((entry) => find(entry, depth - 1) ?? []))
  const fields = value as Readonly<Record<string, unknown>> // Neither null nor a list.
  // Strings in lists under other names are paths, ids and tool names.
  const nested = () =>
    Object.entries(fields).flatMap(([name, field]) => name === "_meta" ? [] : [withoutTexts(field)])
      .filter((field) => typeof field === "object")
  const names = [...speaking, ...Object.keys(fields).filter((name) => speaksOf.test(name))]
  const said = joined(
    names.flatMap((name) => Object.hasOwn(fields, name) ? find(fields[name], depth - 1) ?? [] : [])
  )
  return said ?? joined(nested().flatMap((field) => find(field, depth - 1) ?? []))
}

/** A value's text, if any: a string, a list of strings, or the text fields of an object. */
export const wordsIn = (value: unknown): string | undefined => find(value, deepest)

/** Fields with additional text, for a message whose own text is elsewhere. */
const besides = ["message", "text", "notice", "reason", "error", "errors", "warning", "warnings", "detail"]

/** A message's text besides its main content. */
export const wordsBeside = (message: unknown): string | undefined => {
  if (typeof message !== "object" || message === null) return undefined
  const fields = message as Readonly<Record<string, unknown>> // See before.
  return wordsIn(besides.map((name) => Object.hasOwn(fields, name) ? fields[name] : undefined))
}

/** The first of these that is a non-empty string. */
export const firstText = (...values: ReadonlyArray<unknown>): string | undefined => values.find(isText)

/** A string as is, anything else as JSON; undefined if there is nothing. */
export const shown = (value: unknown): string | undefined =>
  value === undefined || value === null
    ? undefined
    : typeof value === "string"
    ? value
    : JSON.stringify(value)

/** Blocks without text for people, or reported by events of their own. */
const silent = /^(thinking|redacted_thinking|compaction|image|audio|.*tool_use|.*tool_result)$/

const resourceWords = (resource: unknown): string => {
  if (!Predicate.isObject(resource)) return ""
  return firstText(resource["text"], resource["uri"]) ?? ""
}

/** The text of a block of a known kind: its text, that of a file it holds, or the file's path. */
export const plainWordsOf = (block: NativeBlock): string => {
  const { resource, text, type } = block
  if (silent.test(type)) return ""
  if (typeof text === "string") return text
  if (type === "resource") return resourceWords(resource)
  if (type === "resource_link") {
    const name = firstText(block["title"], block["name"])
    const uri = firstText(block["uri"])
    return name === undefined || name === uri ? uri ?? "" : uri === undefined ? name : `${name} (${uri})`
  }
  return type === "text" ? "" : firstText(block["content"], block["refusal"], block["markdown"]) ?? ""
}

/** All of its text: other fields too, along with a title. */
const wordsAround = (fields: Readonly<Record<string, unknown>>): string => {
  const others = Object.entries(fields).filter(([name]) => name !== "_meta" && !speaking.includes(name))
    .map(([, field]) => withoutTexts(field)).filter((field) => typeof field === "object")
  return joined([fields, ...others].flatMap((part) => wordsIn(part) ?? [])) ?? ""
}

/** The text of a block of any kind. */
export const wordsOf = (block: NativeBlock): string => {
  const { type, ...fields } = block
  const plain = plainWordsOf(block)
  return plain !== "" || type === "text" || silent.test(type) ? plain : wordsAround(fields)
}

export const textOfBlocks = (blocks: ReadonlyArray<NativeBlock>): string => blocks.map(wordsOf).join("")
